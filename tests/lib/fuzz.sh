#!/bin/bash
# tests/lib/fuzz.sh - libFuzzer on one target or on all: ./dev fuzz TARGET|all [SECONDS]. New inputs go to
# build/fuzz-corpus/TARGET, a crash to build/fuzz-crash/; a finding becomes a file of tests/fuzz/corpus/.
set -euo pipefail
cd "$SLUSS_TOP"
for part in say build; do
	# shellcheck source=/dev/null
	. "tests/lib/$part.sh"
done
target=${1:-all}
seconds=${2:-60}
targets=$(cd tests/fuzz && for f in fuzz_*.c; do f=${f#fuzz_}; echo "${f%.c}"; done)
if [ "$target" = all ]; then
	chosen=$targets
else
	grep -qx -- "$target" <<<"$targets" || die "no fuzz target $target; there are: $(tr '\n' ' ' <<<"$targets")"
	chosen=$target
fi
mkdir -p build/fuzz-crash
passed=0 failed=0
for target in $chosen; do
	build_tree fuzz "tests/fuzz/fuzz_$target"
	mkdir -p "build/fuzz-corpus/$target"
	if "build/fuzz/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -artifact_prefix="build/fuzz-crash/$target-" \
		"build/fuzz-corpus/$target" "tests/fuzz/corpus/$target" >"build/fuzz-$target.log" 2>&1; then
		passed=$((passed + 1))
		echo "ok fuzz/$target"
	else
		tail -n 40 "build/fuzz-$target.log" >&2
		failed=$((failed + 1))
		echo "not ok fuzz/$target"
	fi
	grep -E 'number_of_executed|average_exec' "build/fuzz-$target.log" >&2 || true
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
