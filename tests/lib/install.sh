# shellcheck shell=bash
# tests/lib/install.sh - installs what is missing: Debian packages, and npm packages beside the tests.
# Only what a command needs, and only what is not there yet. Sourced by ./dev.

packages_of() {
	case $1 in
	build)
		echo gcc libc6-dev make autoconf automake pkg-config openssl \
			libre-dev libsofia-sip-ua-dev libssl-dev libwebsockets-dev \
			libwebsockets-evlib-uv libuv1-dev libc-ares-dev libjansson-dev libcjose-dev \
			libconfuse-dev libsqlite3-dev libcurl4-openssl-dev
		;;
	unit) echo libcmocka-dev libsrtp2-dev strace sqlite3 ;;
	integration)
		echo iproute2 nftables util-linux coturn nsd sip-tester tcpdump tshark strace procps sqlite3 \
			python3 python3-cryptography secsipidx
		;;
	abuse) packages_of integration ;;
	interop) echo kamailio kamailio-tls-modules baresip && packages_of browser ;;
	browser) echo chromium firefox-esr libnss3-tools pulseaudio && packages_of integration ;;
	sanitize) echo valgrind ;;
	lint) echo clang clang-format clang-tidy cppcheck shellcheck libcmocka-dev bear ;;
	fuzz) echo clang libclang-rt-14-dev ;;
	bench) echo kamailio kamailio-tls-modules rtpengine-daemon janus sip-tester chromium ;;
	test) packages_of unit && packages_of browser && packages_of interop ;;
	*) die "no package list for $1" ;;
	esac
}

# install_for GROUP...
install_for() {
	local group package missing=()
	command -v apt-get >/dev/null || {
		say "no apt-get here: taking for granted that everything is installed"
		return 0
	}
	for group in "$@"; do
		# shellcheck disable=SC2046 # words on purpose
		for package in $(packages_of "$group"); do
			is_installed "$package" || missing+=("$package")
		done
		case $group in
		integration | abuse | interop | browser | test) want_node=yes ;;
		esac
		case $group in
		interop | test) want_asterisk=yes ;;
		esac
	done
	if [ "${want_node:-}" = yes ] && ! command -v npm >/dev/null; then
		missing+=(npm)
	fi
	if [ ${#missing[@]} -gt 0 ]; then
		mapfile -t missing < <(printf "%s\n" "${missing[@]}" | sort -u)
		apt_install "${missing[@]}"
	fi
	[ "${want_node:-}" != yes ] || npm_install
	[ "${want_asterisk:-}" != yes ] || asterisk_unpack
}

# Debian 12 has no Asterisk: the real thing from its sid, in a folder of its own. The tests say so where there is none.
asterisk_unpack() {
	[ ! -f build/asterisk/complete ] || return 0
	say "fetching and unpacking Asterisk 22 from the mirror's sid into build/asterisk"
	tests/lib/asterisk.sh
}

# What the suites named on ./dev test's command line need; everything for a name pattern.
install_for_suites() {
	local suite groups=(build unit)
	[ $# -gt 0 ] || groups+=(test)
	for suite in "$@"; do
		case $suite in
		unit) ;;
		integration | browser | interop | abuse) groups+=("$suite") ;;
		*) groups+=(test) ;;
		esac
	done
	install_for "${groups[@]}"
}

is_installed() {
	case $(dpkg-query -W -f='${db:Status-Abbrev}' "$1" 2>/dev/null) in
	ii*) return 0 ;;
	*) return 1 ;;
	esac
}

# No service may start only because a test needs its program.
apt_install() {
	local policy=/usr/sbin/policy-rc.d ours=no status=0
	say "installing from Debian: $*"
	if [ ! -e $policy ]; then
		ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	{
		as_root apt-get update -q &&
			as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
				--no-install-recommends "$@"
	} >build-apt.log 2>&1 </dev/null || status=$?
	[ $ours = no ] || as_root rm -f $policy
	if [ $status -ne 0 ]; then
		tail -n 30 build-apt.log >&2
		die "apt-get failed ($status); the whole output is in build-apt.log"
	fi
	rm -f build-apt.log
}

npm_install() {
	local stamp=tests/node_modules/.sluss-stamp
	if [ -x tests/node_modules/.bin/node ] && cmp -s tests/package.json $stamp; then
		return 0
	fi
	quietly "installing from npm into tests/node_modules: $(npm_names)" \
		npm install --prefix tests --no-fund --no-audit --no-package-lock
	cp tests/package.json $stamp
}

npm_names() {
	sed -n '/"dependencies"/,/}/s/^[[:space:]]*"\([^"]*\)": "\([0-9][^"]*\)".*/\1@\2/p' tests/package.json |
		tr '\n' ' '
}
