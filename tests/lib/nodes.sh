# shellcheck shell=bash
# tests/lib/nodes.sh - the suites written for node: each file in a world (world.sh) of its own, with a
# time limit; node's runner with our reporter prints the lines. Sourced by tests/run.

has_tests() {
	compgen -G "tests/$1/*.test.mjs" >/dev/null || compgen -G "tests/$1/*.test.sh" >/dev/null
}

# A file may ask for more: "// limit: 600 s" in its first lines.
limit_of() {
	local asked
	asked=$(head -n 12 "$1" | sed -n 's/^\(\/\/\|#\) limit: \([0-9]*\) s.*/\2/p' | head -n 1)
	echo $((${asked:-180} * ${SLUSS_SLOW:-1}))
}

# How many files at a time: each has a network of its own, so what they share is the processor alone. Abuse is
# mostly waiting for limits of time. Browsers play sound in real time and want the machine for themselves.
lanes_of() {
	case $1 in
	browser | interop) echo 1 ;;
	abuse) echo "${SLUSS_LANES:-$((2 * $(nproc)))}" ;;
	*) echo "${SLUSS_LANES:-$(nproc)}" ;;
	esac
}

# run_nodes SUITE PATTERN
run_nodes() {
	local suite=$1 pattern=$2 file filter lanes lanev=()
	lanes=$(lanes_of "$suite")
	while IFS= read -r file; do
		[ -f "$file" ] || continue
		filter=${SLUSS_ONLY_TEST:-}
		if [ -n "$pattern" ]; then
			case $file in
			*"$pattern"*) ;;
			*)
				grep -qF -- "$pattern" "$file" || continue
				filter=$pattern
				;;
			esac
		fi
		[ -z "${SLUSS_ONLY_FILES:-}" ] || grep -qE "$SLUSS_ONLY_FILES" <<<"$file" || continue
		in_lane "$lanes" "$suite" "$file" "$filter"
	done < <(longest_first "$suite")
	forget_ended
	[ ${#lanev[@]} -eq 0 ] || wait "${lanev[@]}"
}

# The files of a suite, those with the longest limits first: no lane stands empty while the last one goes on.
longest_first() {
	local file
	for file in "tests/$1"/*.test.mjs "tests/$1"/*.test.sh; do
		[ -f "$file" ] && printf '%d %s\n' "$(limit_of "$file")" "$file"
	done | sort -k1,1nr -k2,2 | cut -d' ' -f2
}

# in_lane LANES SUITE FILE FILTER: runs the file, beside others when there is a lane free for it.
in_lane() {
	local lanes=$1 said
	shift
	if [ "$lanes" -le 1 ]; then
		run_node_file "$@"
		return
	fi
	forget_ended
	while [ "${#lanev[@]}" -ge "$lanes" ]; do
		wait -n "${lanev[@]}"
		forget_ended
	done
	said=$SLUSS_OUT/$1-$(basename "$2").said
	{
		run_node_file "$@" >"$said"
		flock "$SLUSS_OUT" cat "$said"
		rm -f "$said"
	} &
	lanev+=($!)
}

# Leaves in lanev what still runs.
forget_ended() {
	local pid alive=()
	for pid in "${lanev[@]}"; do
		! kill -0 "$pid" 2>/dev/null || alive+=("$pid")
	done
	lanev=("${alive[@]}")
}

run_node_file() {
	local suite=$1 file=$2 filter=$3 name limit log status command
	name=$suite/$(basename "${file%.test.*}")
	limit=$(limit_of "$file")
	log=$SLUSS_OUT/$suite-$(basename "$file").log
	mkdir -p "$SLUSS_OUT/$(basename "$file")"
	case $file in
	*.mjs)
		command=("$(node_binary)" --test --test-force-exit --test-reporter=./tests/lib/reporter.mjs
			--test-reporter-destination=stdout ${filter:+--test-name-pattern="$filter"} "$file")
		;;
	*) command=(bash "$file") ;;
	esac
	as_root env SLUSS_TOP="$SLUSS_TOP" SLUSS_BUILD="$SLUSS_BUILD" SLUSS_SLOW="${SLUSS_SLOW:-1}" \
		SLUSS_OUT="$SLUSS_OUT/$(basename "$file")" SLUSS_SUITE="$name" SLUSS_VALGRIND="${SLUSS_VALGRIND:-}" \
		PATH="$PATH" timeout -k 10 "$limit" tests/lib/world.sh "${command[@]}" 2>"$log.err" </dev/null |
		tee "$log"
	status=${PIPESTATUS[0]}
	if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
		echo "not ok $name: not done after $limit s"
	elif [ "$status" -ne 0 ] && ! grep -q '^not ok ' "$log"; then
		echo "not ok $name: exit status $status"
	elif [ "$status" -eq 0 ] && ! grep -qE '^(ok|skip) ' "$log"; then
		[ -n "$filter" ] || echo "not ok $name: this file ran no test"
	fi
	if [ "$status" -ne 0 ] && [ -s "$log.err" ]; then
		tail -n 40 "$log.err" | sed 's/^/# /'
	fi
}

node_binary() {
	if [ -x tests/node_modules/.bin/node ]; then
		echo "$SLUSS_TOP/tests/node_modules/.bin/node"
	else
		command -v node
	fi
}
