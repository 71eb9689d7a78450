#!/bin/bash
# tests/lib/asterisk.sh - Asterisk 22, which Debian 12 does not have: unpacked, not installed, from Debian's sid into
# build/asterisk/root, with the libraries that it needs beside it. Nothing of the machine's own changes, and none of the
# packages' scripts runs. The mirror is the machine's own.
#
#   build/asterisk/root/     to be used by chroot: tests/lib/asterisk.mjs
#   build/asterisk/why       why there is none; the tests say so
set -uo pipefail
top=${SLUSS_TOP:-$(cd "$(dirname "$0")/../.." && pwd)}
dir=$top/build/asterisk root=$top/build/asterisk/root
limit_s=${SLUSS_ASTERISK_LIMIT_S:-300}

give_up() {
	mkdir -p "$dir"
	printf '%s\n' "$1" >"$dir/why"
	echo "no Asterisk: $1" >&2
	exit 0
}

[ -f "$dir/complete" ] && exit 0
[ "$(id -u)" = 0 ] || give_up "it is unpacked and started by root only"
# shellcheck disable=SC2016 # apt's own words
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(CODENAME)' 'Created-By: Packages' 2>/dev/null |
	awk '$2 == "Debian" && $3 !~ /security|updates|backports/ { print $1; exit }')
[ -n "$mirror" ] || give_up "the apt sources of this machine name no mirror of Debian"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
[ -f $keys ] || give_up "there is no $keys (package debian-archive-keyring)"

# An apt of its own, which believes that nothing is installed: so it fetches all that Asterisk stands on.
apt=$dir/apt
rm -rf "$dir"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/dpkg" "$root/usr"/{bin,sbin,lib,lib64} "$root"/{dev,etc,run,tmp}
: >"$apt/dpkg/status"
echo "deb [signed-by=$keys check-valid-until=no] $mirror sid main" >"$apt/sources"
options=(-q -o "Dir::State=$apt" -o "Dir::State::Lists=$apt/lists" -o "Dir::State::status=$apt/dpkg/status"
	-o "Dir::Cache=$apt/cache" -o "Dir::Etc::SourceList=$apt/sources" -o Dir::Etc::SourceParts=/dev/null
	-o Dir::Etc::PreferencesParts=/dev/null -o Dir::Etc::Preferences=/dev/null
	-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2)
fetch() {
	timeout "$limit_s" apt-get "${options[@]}" update &&
		timeout "$limit_s" apt-get "${options[@]}" -y --no-install-recommends --download-only install asterisk
}
fetch >"$dir/log" 2>&1 </dev/null || give_up "the mirror $mirror gave no Asterisk within $limit_s s each; see build/asterisk/log"

for link in bin sbin lib lib64; do
	ln -s "usr/$link" "$root/$link"
done
for package in "$apt/cache/archives"/*.deb; do
	dpkg-deb --fsys-tarfile "$package" |
		tar -x -C "$root" --keep-directory-symlink --exclude=./usr/share/doc --exclude=./usr/share/man \
			--exclude=./usr/share/locale --exclude=./usr/share/info || give_up "$package cannot be unpacked"
done
rm -rf "$apt"
mknod -m 666 "$root/dev/null" c 1 3 2>/dev/null
mknod -m 666 "$root/dev/urandom" c 1 9 2>/dev/null
version=$(chroot "$root" /usr/sbin/asterisk -V 2>&1) || give_up "it does not run here: $version"
echo "$version" >"$dir/complete"
