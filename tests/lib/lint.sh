#!/bin/bash
# tests/lib/lint.sh - everything that judges the source without running it. Each judge is one line, as in the
# suites; what it has to say comes before it.   ./dev lint [JUDGE]
set -uo pipefail
cd "$SLUSS_TOP" || exit 2
for part in say build; do
	# shellcheck source=/dev/null
	. "tests/lib/$part.sh"
done
failed=0 passed=0

judge() {
	local name=$1 log
	shift
	[ -z "${only:-}" ] || [ "$only" = "$name" ] || return 0
	log=$(mktemp)
	if ("$@") >"$log" 2>&1 </dev/null; then
		echo "ok lint/$name"
		passed=$((passed + 1))
	else
		tail -n "${SLUSS_LINT_LINES:-60}" "$log" >&2
		echo "not ok lint/$name"
		failed=$((failed + 1))
	fi
	rm -f "$log"
}

sources() { git ls-files -co --exclude-standard -- "$@"; }

format() { sources '*.c' '*.h' | xargs -r clang-format --dry-run -Werror; }
clang_build() {
	build_tree clang
	build_tree clang check TESTS=
}
shell() {
	shellcheck dev .ci/run tests/run
	# shellcheck disable=SC2046 # file names without spaces
	shellcheck $(sources '*.sh')
}
check_cpp() {
	local suppress=(missingInclude missingIncludeSystem unusedFunction unmatchedSuppression
		normalCheckLevelMaxBranches constParameterCallback constParameterPointer constVariablePointer
		variableScope unusedStructMember checkersReport unreadVariable ctunullpointer getpwnamCalled getgrnamCalled gmtimeCalled internalAstError
		uninitvar:sip/edge/lookup.c arrayIndexOutOfBounds:gateway/config_report.c syntaxError:tests/unit/*)
	cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
		--inline-suppr --library=posix -I . "${suppress[@]/#/--suppress=}" gateway idp lib sip webrtc
}
# clang-tidy needs each file's own flags: the recorded compile commands of the clang build.
tidy() {
	local db=build/tidy
	mkdir -p $db
	build_tree clang || return 1
	if [ ! -s $db/compile_commands.json ] || [ -n "$(find . -path ./build -prune -o -name '*.inc' \
		-newer $db/compile_commands.json -print -quit)" ]; then
		make -C build/clang clean >/dev/null
		bear --output $db/compile_commands.json -- make -C build/clang -j"$(nproc)" >/dev/null || return 1
	fi
	sources 'gateway/*.c' 'idp/*.c' 'lib/*.c' 'sip/*.c' 'webrtc/*.c' |
		xargs -r -P "$(nproc)" -n 4 clang-tidy --quiet -p $db
}
scripts() {
	local file node=tests/node_modules/.bin/node
	[ -x $node ] || node=node
	for file in $(sources '*.mjs' 'webrtc/*.js' 'idp/*.js'); do
		if [ "${file%.js}" != "$file" ]; then
			$node --check --input-type=module <"$file" || return 1
		else
			$node --check "$file" || return 1
		fi
	done
}

only=${1:-}
for check in tests/lib/checks/*.sh; do
	judge "$(basename "$check" .sh)" bash "$check"
done
judge format format
judge shellcheck shell
command -v node >/dev/null || [ -x tests/node_modules/.bin/node ] && judge javascript scripts
judge clang clang_build
judge release build_tree release # what gcc sees only at -O2
judge cppcheck check_cpp
judge clang-tidy tidy
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
