# shellcheck shell=bash
# tests/lib/build.sh - one build folder a flavour, all from the same checkout. Sourced by ./dev and
# the suites.
#   dev      gcc, warnings are errors, a broken invariant aborts       asan   address,undefined
#   release  gcc -O2 -g, what an operator gets (benchmarks, soak)      tsan   thread
#   clang    as dev, by clang                                          fuzz   clang, libFuzzer

# build_tree FLAVOUR [MAKE-TARGET...]
build_tree() {
	local flavour=$1 dir=build/$1 jobs options=()
	shift
	jobs=$(nproc)
	case $flavour in
	dev) options=(--enable-werror --enable-debug CFLAGS='-O1 -g') ;;
	clang) options=(--enable-werror --enable-debug CC=clang CFLAGS='-O1 -g') ;;
	release) options=(--enable-werror CFLAGS='-O2 -g') ;;
	asan) options=(--enable-werror --enable-debug '--with-sanitizer=address,undefined' CFLAGS='-O1 -g') ;;
	tsan) options=(--enable-werror --enable-debug --with-sanitizer=thread CFLAGS='-O1 -g') ;;
	fuzz)
		options=('--with-sanitizer=fuzzer-no-link,address,undefined' CC=clang CFLAGS='-O1 -g')
		;;
	*) die "no build flavour $flavour" ;;
	esac
	if [ ! -x configure ] || [ configure.ac -nt configure ]; then
		quietly "autoreconf" autoreconf -i
	fi
	mkdir -p "$dir"
	if [ ! -f "$dir/Makefile" ] || [ "$(cat "$dir/.options" 2>/dev/null)" != "${options[*]}" ]; then
		quietly "configuring $dir" configure_in "$dir" "${options[@]}"
		printf '%s\n' "${options[*]}" >"$dir/.options"
	fi
	quietly "building $dir ${*:-}" make -C "$dir" -j"$jobs" "$@"
}

configure_in() (
	cd "$1" && shift && ../../configure "$@"
)

# The value of a make variable in a build folder, one word a line.
make_words() {
	local dir=$1 name=$2
	# shellcheck disable=SC2016 # make expands it
	printf 'include Makefile\nsluss-print:\n\t@for w in $(%s); do echo $$w; done\n' "$name" |
		make -s -C "$dir" -f - sluss-print
}
