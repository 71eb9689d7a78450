# shellcheck shell=bash
# tests/lib/unit.sh - the unit suite: the house checks, then every program of automake's TESTS. cmocka
# programs are asked for TAP, so that each of their tests is a line here. Sourced by tests/run.

# run_unit PATTERN
run_unit() {
	local pattern=$1 program programs check
	if [ "${SLUSS_NO_CHECKS:-}" != 1 ]; then
		for check in tests/lib/checks/*.sh; do
			matches "$check" "$pattern" && run_check "$check"
		done
	fi
	# What does not build is one failure; what does is run all the same.
	if ! (build_tree "$(basename "$SLUSS_BUILD")" -k check TESTS=); then
		echo "not ok unit/build: not all test programs build"
	fi
	programs=$(make_words "$SLUSS_BUILD" TESTS)
	for program in $programs; do
		matches "$program" "$pattern" || continue
		[ -z "${SLUSS_ONLY_PROGRAMS:-}" ] || grep -qE "$SLUSS_ONLY_PROGRAMS" <<<"$program" || continue
		[ ! -x "$SLUSS_BUILD/$program" ] || run_program "$program"
	done
}

# Does a file's name, or its source, speak of the pattern?
matches() {
	[ -z "$2" ] && return 0
	case $1 in *"$2"*) return 0 ;; esac
	[ -f "$1" ] && grep -qF -- "$2" "$1" && return 0
	[ -f "$1.c" ] && grep -qF -- "$2" "$1.c"
}

run_check() {
	local name log status
	name=check/$(basename "$1" .sh)
	log=$SLUSS_OUT/check-$(basename "$1" .sh).log
	timeout -k 5 120 bash "$1" >"$log" 2>&1 </dev/null
	status=$?
	if [ $status -eq 0 ]; then
		echo "ok $name"
	else
		sed 's/^/# /' "$log"
		echo "not ok $name"
	fi
}

run_program() {
	local program=$1 name log status limit
	name=${program#tests/}
	name=${name/%\/test_*/\/${program##*/test_}}
	log=$SLUSS_OUT/${program//\//-}.log
	limit=$((${SLUSS_UNIT_LIMIT_S:-120} * ${SLUSS_SLOW:-1}))
	(
		cd "$SLUSS_BUILD" || exit 99
		export top_srcdir=$SLUSS_TOP top_builddir=$SLUSS_BUILD CMOCKA_MESSAGE_OUTPUT=TAP
		# shellcheck disable=SC2086 # a command and its options, on purpose
		exec timeout -k 5 $limit ${SLUSS_WRAP:-} "./$program"
	) >"$log" 2>&1 </dev/null
	status=$?
	program_lines "$name" "$status" "$limit" <"$log"
	[ $status -eq 0 ] || [ $status -eq 77 ] || tail -n 60 "$log" | sed 's/^/# /'
}

# TAP on standard input -> our lines. A program without TAP is one test by its exit status.
program_lines() {
	awk -v name="$1" -v status="$2" -v limit="$3" '
	function line(kind, test, why) {
		n++
		if (kind == "not ok") bad++
		print kind " " name (test == "" ? "" : "/" test) (why == "" ? "" : ": " why)
	}
	/^(not )?ok [0-9]+ # SKIP/ { t = $0; sub(/^.*# SKIP */, "", t); line("skip", t, "it says so itself"); next }
	/^ok [0-9]+ - /     { t = $0; sub(/^ok [0-9]+ - /, "", t); line("ok", t, ""); next }
	/^not ok [0-9]+ - / { t = $0; sub(/^not ok [0-9]+ - /, "", t); line("not ok", t, ""); next }
	END {
		if (status == 0 && !n) line("ok", "", "")
		else if (status == 77 && !n) line("skip", "", "it says so itself")
		else if (status == 124 || status == 137) line("not ok", "", "not done after " limit " s")
		else if (status > 128) line("not ok", "", "ended by signal " status - 128)
		else if (status != 0 && !bad) line("not ok", "", "exit status " status)
	}'
}
