#!/bin/sh
# Runs the benchmarks of another commit and of the working tree in turn, so that
# both meet the same machine, and compares them with benchstat.
# Usage: test/bench.sh COMMIT [RUNS [TIME]]
set -eu

cd "$(dirname "$0")/.."
base=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "test/bench.sh: no such commit: $1" >&2; exit 1; }
runs=${2:-6}
time=${3:-300ms}

dir=$(mktemp -d)
trap 'git worktree remove --force "$dir/checkout" 2>/dev/null; rm -rf "$dir"' EXIT
git worktree add --quiet --detach "$dir/checkout" "$base"

# build SIDE TREE builds a test binary of each package that has benchmarks.
build() {
	mkdir "$dir/$1"
	grep -rlE '^func Benchmark' --include='*_test.go' "$2/pkg" | xargs -r -n 1 dirname | sort -u | while read -r package; do
		name=$(echo "${package#"$2"/}" | tr / _)
		(cd "$package" && go test -c -o "$dir/$1/$name.test" .)
		echo "$package" >"$dir/$1/$name.dir"
	done
}
build base "$dir/checkout"
build now "$PWD"

# measure SIDE PACKAGE runs a package's benchmarks once, in its folder.
measure() {
	[ -f "$dir/$1/$2.test" ] || return 0
	(cd "$(cat "$dir/$1/$2.dir")" && "$dir/$1/$2.test" -test.run '^$' -test.bench . -test.benchmem -test.benchtime "$time") |
		grep -vE '^(PASS|ok)' >>"$dir/$1.txt"
}
packages=$(cd "$dir" && ls base now | sed -n 's/\.test$//p' | sort -u)
for run in $(seq "$runs"); do
	echo "run $run of $runs" >&2
	for package in $packages; do
		measure base "$package"
		measure now "$package"
	done
done
go tool -modfile=tools.mod benchstat "base=$dir/base.txt" "now=$dir/now.txt"
