#!/bin/sh
# Builds a release of the command line: binaries, archives, checksums and bills of
# materials, in dist/.
#
#   release.sh snapshot   of what is checked out; publishes nothing, and checks the result
#   release.sh publish    of the tag that is checked out, to GitHub (GITHUB_TOKEN)
set -eu

cd "$(dirname "$0")/.."
tools=$PWD/.cache/release-tools
mkdir -p "$tools"
for tool in github.com/goreleaser/goreleaser/v2 github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod; do
	name=$(basename "${tool%/v2}")
	test -x "$tools/$name" && test "$tools/$name" -nt release.sum || {
		echo "building $name (a few minutes, once)"
		go build -modfile=release.mod -ldflags=-s -o "$tools/$name" "$tool"
	}
done
PATH=$tools:$PATH

goreleaser check --quiet

case ${1:-} in
publish)
	version=$(git describe --tags --exact-match)
	grep -q "SemanticVersion: ${version#v}\$" template.yaml || {
		echo "template.yaml has not the SemanticVersion ${version#v}" >&2
		exit 1
	}
	notes=$(mktemp)
	trap 'rm -f "$notes"' EXIT
	# The section of the version, without its heading.
	awk -v want="## ${version#v}" 'index($0, "## ") == 1 {on = index($0, want) == 1; next} on' CHANGELOG.md >"$notes"
	test -s "$notes" || {
		echo "CHANGELOG.md has no section \"## ${version#v}\"" >&2
		exit 1
	}
	goreleaser release --clean --release-notes "$notes"
	;;
snapshot)
	sh test/tidy.sh release
	goreleaser release --snapshot --clean --skip=publish
	sh test/release-check.sh
	;;
*)
	sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
