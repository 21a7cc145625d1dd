#!/usr/bin/env bash
# Installs into a fresh folder, builds the example against it with find_package, runs it.
set -euo pipefail
build=$1 source=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
cmake -S "$source/docs/examples/till" -B "$work/example" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/example" >/dev/null
"$work/example/example" "$work/data" | tee "$work/out"
grep -q '^receipt 1 ' "$work/out"
grep -q '^bread on the shelf: -2$' "$work/out"
"$work/example/example" "$work/data" | grep -q '^receipt 1 '   # the same key: the same receipt
"$work/prefix/bin/tillsync" status --data "$work/data" --json | grep -q '"recorded": 1'
