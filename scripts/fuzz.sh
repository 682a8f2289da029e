#!/usr/bin/env bash
# Runs every fuzz target for the time given. New inputs that fail are written to the
# package's testdata/fuzz, to be fixed and committed.
set -euo pipefail
time=${1:?usage: fuzz.sh TIME}
grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r dir; do
	for target in $(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$dir"/*_test.go | sed 's/^func //' | sort -u); do
		echo "fuzz $dir $target"
		go test "$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x </dev/null
	done
done
