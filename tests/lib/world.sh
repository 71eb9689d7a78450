#!/bin/bash
# tests/lib/world.sh - runs a command in a world of its own: network, mounts and processes. Root only.
#
#      bridge br0 198.18.0.1 ── the command itself (tests, raw clients)
#        ├── host "alpha"  eth0 198.18.0.10 ── slussd          hosts are network namespaces, made by
#        ├── host "beta"   eth0 198.18.0.20 ── slussd          the command: tests/lib/world.mjs
#        └── host "dns"    eth0 198.18.0.53 ── nsd
#
# Nothing is joined to the machine's own network; /run is private; resolv.conf names the world's own DNS
# server. When the command ends, whatever it left running ends with it and nothing has to be cleaned up.
set -euo pipefail

if [ "${SLUSS_WORLD:-}" != inside ]; then
	[ "$(id -u)" -eq 0 ] || {
		echo "world.sh: only root can make a network of its own" >&2
		exit 1
	}
	exec env SLUSS_WORLD=inside unshare --net --mount --pid --fork --kill-child --mount-proc \
		-- "$0" "$@"
fi

resolv=$(readlink -m /etc/resolv.conf)
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock "$(dirname "$resolv")"
printf 'nameserver 198.18.0.53\noptions timeout:2 attempts:2\n' >/run/resolv.conf
[ -e "$resolv" ] || touch "$resolv"
mount --bind /run/resolv.conf "$resolv"

ip link set lo up
# An address of its own: else it is the lowest one of its ports', another one whenever a host comes, and whoever has the
# old one in its ARP table sends into nowhere for seconds.
ip link add br0 address 02:00:00:00:00:01 type bridge
echo 1 >/proc/sys/net/ipv6/conf/br0/disable_ipv6
ip addr add 198.18.0.1/24 dev br0
ip link set br0 up
ulimit -n "$(ulimit -Hn)"
exec "$@"
