#!/bin/sh
# Records the plans that the tests of pkg/iac/tfplan read. Each folder of testdata is a root
# module; what is in its folder "before" is applied first. A stub of the AWS provider
# (test/plans/provider) stands for AWS, so that no account is needed.
#
#   sh test/plans/record.sh [NAME…]
#
# TOFU names the program, to save its build, which takes minutes.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
cache=$root/.cache/plans
version=v1.12.6
mkdir -p "$cache"

(cd "$root/test/plans/provider" && go build -o "$cache/terraform-provider-aws" .)
if [ -z "${TOFU:-}" ]; then
	TOFU=$cache/tofu-$version
	if [ ! -x "$TOFU" ]; then
		# Its go.mod has a replace directive, so that "go install" refuses it.
		module=$(cd "$root/test/plans/provider" && go mod download -json "github.com/opentofu/opentofu@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
		rm -rf "$cache/source"
		cp -r "$module" "$cache/source"
		chmod -R u+w "$cache/source"
		(cd "$cache/source" && go build -trimpath -o "$TOFU" ./cmd/tofu)
		rm -rf "$cache/source"
	fi
fi
cat >"$cache/tofurc" <<END
provider_installation {
  dev_overrides {
    "hashicorp/aws"                       = "$cache"
    "registry.opentofu.org/hashicorp/aws" = "$cache"
  }
  direct {}
}
END
TF_CLI_CONFIG_FILE=$cache/tofurc
export TF_CLI_CONFIG_FILE

cd "$root/pkg/iac/tfplan/testdata"
[ $# -gt 0 ] || set -- *
for name in "$@"; do
	[ -f "$name/main.tf" ] || continue
	work=$(mktemp -d)
	(
		cp -r "$name/." "$work"
		cd "$work"
		if [ -d before ]; then
			mkdir now
			mv ./*.tf now
			cp before/*.tf .
			"$TOFU" get >/dev/null 2>&1
			"$TOFU" apply -auto-approve -input=false >log 2>&1 || { cat log; exit 1; }
			rm ./*.tf
			cp now/*.tf .
			rm -r before now
		fi
		"$TOFU" get >/dev/null 2>&1
		"$TOFU" plan -input=false -out=plan >log 2>&1 || { cat log; exit 1; }
		"$TOFU" show -json plan >plan.json 2>log || { cat log; exit 1; }
	)
	# The time is the only thing that differs from one recording to the next.
	sed 's/"timestamp":"[^"]*"/"timestamp":"2026-01-01T00:00:00Z"/' "$work/plan.json" >"$name/plan.json"
	rm -rf "$work"
	echo "$name"
done
