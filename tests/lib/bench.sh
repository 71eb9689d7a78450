#!/bin/bash
# tests/lib/bench.sh - ./dev bench NAME: runs tests/bench/NAME.sh against build/release; it prints a table and
# writes build/bench/NAME.json.
set -euo pipefail
cd "$SLUSS_TOP"
# shellcheck source=tests/lib/say.sh
. tests/lib/say.sh
name=${1:-}
if [ ! -f "tests/bench/$name.sh" ]; then
	die "no benchmark ${name:-named}; there are: $(cd tests/bench && for f in *.sh; do printf '%s ' "${f%.sh}"; done)"
fi
shift
mkdir -p build/bench
SLUSS_BUILD=$SLUSS_TOP/build/release SLUSS_OUT=$SLUSS_TOP/build/bench exec bash "tests/bench/$name.sh" "$@"
