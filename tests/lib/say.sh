# shellcheck shell=bash
# tests/lib/say.sh - how ./dev talks: one line for each thing it does. Sourced.

say() { printf '== %s\n' "$*" >&2; }
die() {
	printf './dev: %s\n' "$*" >&2
	exit 1
}

# Runs a long command quietly; shows its output only when it fails.
quietly() {
	local what=$1 log status=0
	shift
	mkdir -p build
	log=$(mktemp build/log.XXXXXX)
	say "$what"
	"$@" >"$log" 2>&1 </dev/null || status=$?
	if [ "$status" -ne 0 ]; then
		tail -n 60 "$log" >&2
		rm -f "$log"
		die "failed ($status): $what"
	fi
	rm -f "$log"
}

# As root: itself, or through sudo.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		die "this needs root, and there is no sudo: $*"
	fi
}
