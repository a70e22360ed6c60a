#!/bin/sh
# Installs the validator of state machines, pinned, into .cache/asl, and prints its
# program. Needs Node.js.
set -eu
cd "$(dirname "$0")"
if ! command -v npm >/dev/null 2>&1; then
	echo "no npm on PATH: install Node.js 20 or later" >&2
	exit 1
fi
to=$(cd ../.. && pwd)/.cache/asl
mkdir -p "$to"
if ! cmp -s package-lock.json "$to/package-lock.json" || [ ! -d "$to/node_modules" ]; then
	cp package.json package-lock.json .npmrc "$to/"
	(cd "$to" && npm ci --silent --ignore-scripts >&2) || {
		rm -f "$to/package-lock.json"
		echo "npm could not install asl-validator" >&2
		exit 1
	}
fi
echo "$to/node_modules/.bin/asl-validator"
