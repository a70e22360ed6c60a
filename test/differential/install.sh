#!/bin/sh
# Installs the simulator that the evaluator is compared with, pinned, into
# .cache/differential, and prints that folder. Needs Node.js.
set -eu
cd "$(dirname "$0")"
if ! command -v npm >/dev/null 2>&1; then
	echo "no npm on PATH: install Node.js 20 or later" >&2
	exit 1
fi
to=$(cd ../.. && pwd)/.cache/differential
mkdir -p "$to"
cp simulate.mjs "$to/"
if ! cmp -s package-lock.json "$to/package-lock.json" || [ ! -d "$to/node_modules" ]; then
	cp package.json package-lock.json .npmrc "$to/"
	(cd "$to" && npm ci --silent --ignore-scripts >&2) || {
		rm -f "$to/package-lock.json"
		echo "npm could not install iam-simulate" >&2
		exit 1
	}
fi
echo "$to"
