#!/bin/bash
# tests/lib/sanitize.sh - the suites once more, with tools that see what a passing test does not show:
#   asan/       unit, integration and abuse, AddressSanitizer (with leaks) and UndefinedBehaviorSanitizer
#   tsan/       unit tests and one call across two sites, ThreadSanitizer
#   valgrind/   one call across two sites (libraries' own reads included, which the others do not see)
set -uo pipefail
cd "$SLUSS_TOP" || exit 2
for part in say build; do
	# shellcheck source=/dev/null
	. "tests/lib/$part.sh"
done
results=$SLUSS_TOP/build/test/sanitize.txt
mkdir -p build/test
: >"$results"

# part LABEL BUILD SLOW ARGUMENT...
part() {
	local label=$1 build=$2 slow=$3
	shift 3
	env SLUSS_LABEL="$label/" SLUSS_BUILD="build/$build" SLUSS_SLOW="$slow" SLUSS_NO_CHECKS=1 \
		tests/run "$@" | grep -E '^(ok|not ok|skip) ' | tee -a "$results"
}

export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:abort_on_error=0:exitcode=99
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export LSAN_OPTIONS=suppressions=$SLUSS_TOP/tests/lib/lsan.supp:print_suppressions=0
export TSAN_OPTIONS=suppressions=$SLUSS_TOP/tests/lib/tsan.supp:halt_on_error=0:exitcode=99:second_deadlock_stack=1

# A build that fails is a failed test; the others go on.
for flavour in dev asan tsan; do
	(build_tree $flavour) || echo "not ok $flavour/build" | tee -a "$results"
done
part asan asan 4 unit
part asan asan 4 integration
part asan asan 4 abuse
part tsan tsan 8 unit
SLUSS_ONLY_FILES='/call\.test' part tsan tsan 8 integration
SLUSS_VALGRIND=1 SLUSS_ONLY_FILES='/call\.test' SLUSS_ONLY_TEST='a call across two sites' \
	part valgrind dev 20 integration
printf '%d passed, %d failed, %d skipped\n' "$(grep -c '^ok ' "$results")" "$(grep -c '^not ok ' "$results")" \
	"$(grep -c '^skip ' "$results")"
grep -q '^ok ' "$results" && ! grep -q '^not ok ' "$results"
