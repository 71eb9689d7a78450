#!/bin/bash
# tests/lib/bench.sh - ./dev bench NAME: runs tests/bench/NAME against build/release; it prints a table and
# writes build/bench/NAME.json.
set -euo pipefail
cd "$SLUSS_TOP"
# shellcheck source=tests/lib/say.sh
. tests/lib/say.sh
name=${1:-}
if [ -z "$name" ] || [ ! -x "tests/bench/$name" ]; then
	die "no benchmark ${name:-named}; there are: $(find tests/bench -maxdepth 1 -type f -executable -printf '%f ')"
fi
shift
mkdir -p build/bench
SLUSS_BUILD=$SLUSS_TOP/build/release exec "tests/bench/$name" "$@"
