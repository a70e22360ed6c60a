#!/bin/sh
# Checks what goreleaser has put into dist/: that all of it is there and whole, that the
# binaries are static and say their version, and that building one again gives the same bytes.
set -eu

cd "$(dirname "$0")/../dist"
sha256sum --check --quiet checksums.txt

for platform in linux_amd64 linux_arm64 darwin_amd64 darwin_arm64 windows_amd64 windows_arm64; do
	archive=$(ls trailwarden_*_"$platform".tar.gz trailwarden_*_"$platform".zip 2>/dev/null) || true
	test -f "$archive" || {
		echo "dist: no archive for $platform" >&2
		exit 1
	}
	name=${archive%.tar.gz}
	name=${name%.zip}
	for file in "$archive" "$name.cdx.json"; do
		grep -q " $file\$" checksums.txt || {
			echo "dist: $file is not among the checksums" >&2
			exit 1
		}
	done
	grep -q '"bomFormat": "CycloneDX"' "$name.cdx.json"
	grep -q 'pkg:golang/github.com/aws/aws-sdk-go-v2' "$name.cdx.json"
done

host=$(go env GOOS)_$(go env GOARCH)
case $host in
linux_*)
	folder=$(mktemp -d)
	trap 'rm -rf "$folder"' EXIT
	tar -xzf trailwarden_*_"$host".tar.gz -C "$folder"
	test -f "$folder/LICENSE" && test -f "$folder/README.md" && test -f "$folder/docs/findings.md"
	if ldd "$folder/trailwarden" >/dev/null 2>&1; then
		echo "dist: the binary is not static" >&2
		exit 1
	fi
	"$folder/trailwarden" version | tee "$folder/version"
	if test -d ../.git; then # Go finds no version in a worktree
		grep -q '^trailwarden v' "$folder/version" && grep -q '^commit ' "$folder/version" || {
			echo "dist: the binary does not know its version" >&2
			exit 1
		}
		if test -z "$(git -C .. status --porcelain)"; then
			# As the configuration says, from another folder.
			git clone --quiet .. "$folder/clone"
			(cd "$folder/clone" && CGO_ENABLED=0 go build -trimpath -buildvcs=true -ldflags=-s -o "$folder/again" ./cmd/trailwarden)
			cmp "$folder/trailwarden" "$folder/again"
			echo "built twice: the same bytes"
		else
			echo "built twice: NOT CHECKED, something is not committed"
		fi
	else
		echo "version, and built twice: NOT CHECKED in a worktree"
	fi
	;;
esac
ls -l trailwarden_*
