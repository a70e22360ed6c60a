#!/bin/sh
# Finds a Chromium for test/browser, or installs Debian's.
set -eu

found() {
	for name in chromium chromium-browser google-chrome; do
		if command -v "$name" >/dev/null 2>&1; then
			command -v "$name"
			return
		fi
	done
	return 1
}

found && exit
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "no chromium, chromium-browser or google-chrome on PATH: install one (as root on Debian this script does)" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; } >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	echo "apt-get could not install chromium: install chromium, chromium-browser or google-chrome yourself" >&2
	exit 1
fi
found || {
	echo "the package chromium is installed, yet no chromium is on PATH" >&2
	exit 1
}
