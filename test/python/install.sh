#!/bin/sh
# Installs the Python packages of test/python/<name>.txt into .cache/, once for
# each version of the requirements, and prints the path of the Python that has
# them. Needs Python 3.10 or newer with venv or pip; nothing else.
set -eu

name=$1
here=$(cd "$(dirname "$0")" && pwd)
cache=$(cd "$here/../.." && pwd)/.cache

fail() {
	echo "test/python/install.sh: $1" >&2
	exit 1
}

command -v python3 >/dev/null || fail "python3 not found: install Python 3.10 or newer"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
	fail "$(python3 --version) is too old: install Python 3.10 or newer"

key=$(python3 - "$here/$name.txt" "$here/$name.lock" <<'EOF'
import hashlib, sys
text = sys.version.encode() + b"".join(open(f, "rb").read() for f in sys.argv[1:])
print(hashlib.sha256(text).hexdigest()[:16])
EOF
)
env=$cache/python-$name-$key
python=$env/bin/python

if [ ! -f "$env/complete" ]; then
	mkdir -p "$cache"
	log=$cache/install-$name.log
	# Two builds at once must not install into the same folder.
	lock=$cache/install-$name.lock.d
	waited=0
	until mkdir "$lock" 2>/dev/null; do
		[ -f "$env/complete" ] && break
		kill -0 "$(cat "$lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$lock"
		waited=$((waited + 1))
		[ "$waited" -le 900 ] || fail "another installation seems to hang: remove $lock and try again"
		sleep 1
	done
	[ -d "$lock" ] && [ ! -f "$lock/pid" ] && echo $$ >"$lock/pid"
	trap '[ "$(cat "$lock/pid" 2>/dev/null)" = $$ ] && rm -rf "$lock"; :' EXIT
fi
if [ ! -f "$env/complete" ]; then
	echo "Installing the Python packages of test/python/$name.txt (once, a minute or two)…" >&2
	rm -rf "$cache/python-$name-"*
	if python3 -m venv "$env" >"$log" 2>&1; then
		"$python" -m pip install --quiet --disable-pip-version-check -r "$here/$name.txt" >>"$log" 2>&1 ||
			fail "could not install $name.txt: $(tail -n 1 "$log") (see $log)"
	else
		# Debian's Python has no ensurepip: let pip outside fill the folder.
		rm -rf "$env"
		python3 -m venv --without-pip "$env" >>"$log" 2>&1 && python3 -m pip --version >>"$log" 2>&1 ||
			fail "python3 has neither a working venv nor pip: install them (Debian: python3-venv)"
		python3 -m pip install --quiet --disable-pip-version-check -r "$here/$name.txt" \
			--target "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" >>"$log" 2>&1 ||
			fail "could not install $name.txt: $(tail -n 1 "$log") (see $log)"
	fi
	touch "$env/complete"
fi
echo "$python"
