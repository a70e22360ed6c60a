#!/bin/sh
# Installs the npm packages of a folder beside this script, pinned, into .cache/FOLDER, and
# prints where. Needs Node.js.
# Usage: test/npm.sh FOLDER
set -eu
cd "$(dirname "$0")/$1"
if ! command -v npm >/dev/null 2>&1; then
	echo "no npm on PATH: install Node.js 20 or later" >&2
	exit 1
fi
to=$(cd ../.. && pwd)/.cache/$1
mkdir -p "$to"
if ! cmp -s package-lock.json "$to/package-lock.json" || [ ! -d "$to/node_modules" ]; then
	cp package.json package-lock.json .npmrc "$to/"
	(cd "$to" && npm ci --silent --ignore-scripts >&2) || {
		rm -f "$to/package-lock.json"
		echo "npm could not install the packages of test/$1" >&2
		exit 1
	}
fi
echo "$to"
