#!/bin/bash
# README's line of packages for a build of one's own is what `./dev` installs for one, but for openssl: with that only
# `./dev` makes its certificates.
set -euo pipefail
# shellcheck source=tests/lib/install.sh
. tests/lib/install.sh
told=$(sed -n '/^    sudo apt-get install gcc /,/[^\\]$/p' README.md | tr -cs 'a-z0-9-' '\n' | grep -vxE 'sudo|apt-get|install|' | sort -u)
[ "$(wc -l <<<"$told")" -ge 10 ] || {
	echo "README.md: the line of packages to build with is not found"
	exit 1
}
differs=$(comm -3 <(printf '%s\n' "$told") <(packages_of build | tr ' ' '\n' | grep -vx openssl | sort -u))
[ -z "$differs" ] || {
	printf 'only in README.md, or (further in) only in tests/lib/install.sh:\n%s\n' "$differs"
	exit 1
}
