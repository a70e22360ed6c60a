#!/bin/sh
# Fails if tools.mod or release.mod is not tidy: tidy.sh NAME. They hold no packages, so that
# they are tidied in a folder of their own.
set -eu

cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$1.mod" "$folder/go.mod"
cp "$1.sum" "$folder/go.sum"
echo "go mod tidy -diff ($1.mod)"
cd "$folder"
go mod tidy -diff
