#!/bin/bash
# tests/lib/demo.sh - ./dev demo [--ports ALPHA,BETA]: two calling sites on loopback with two users each and real
# SIP over mutual TLS between them, until Ctrl-C. Needs no node and no browser here. All it makes lies in
# one folder below build/, which goes with it.
#
#   browser ──http──► alpha.localhost ══SIP, mutual TLS, loopback══► beta.localhost ◄──http── browser
set -euo pipefail
cd "$SLUSS_TOP"
for part in say build; do
	# shellcheck source=/dev/null
	. "tests/lib/$part.sh"
done

usage() {
	echo "usage: ./dev demo [--ports ALPHA,BETA]   two ports below 55536; SIP takes the same ones + 10000" >&2
	exit 2
}
ports=${SLUSS_DEMO_PORTS:-8080,8081}
case "${1:-}" in
'') ;;
--ports) ports=${2:-} ;;
*) usage ;;
esac
[[ $ports =~ ^[0-9]+,[0-9]+$ ]] || usage
if [ "${ports%,*}" -eq "${ports#*,}" ] || [ "${ports%,*}" -ge 55536 ] || [ "${ports#*,}" -ge 55536 ]; then
	usage
fi
http_alpha=${ports%,*} http_beta=${ports#*,}
# The SIP ports follow the others, so that two demos can run side by side.
sip_alpha=$((http_alpha + 10000)) sip_beta=$((http_beta + 10000))
build=${SLUSS_BUILD:-$SLUSS_TOP/build/dev}
daemon=$build/slussd
control=$build/slussctl
dir=$(mktemp -d "$SLUSS_TOP/build/demo.XXXXXX")
chmod 755 "$dir"
alpha='' beta=''

clean_up() {
	trap - EXIT INT TERM HUP
	[ -z "$alpha$beta" ] || say "stopping both sites"
	# shellcheck disable=SC2086 # none, one or two pids
	kill $alpha $beta 2>/dev/null || true
	wait || true
	rm -rf "$dir"
	exit "${1:-0}"
}
trap 'clean_up $?' EXIT
trap 'clean_up 0' INT TERM HUP

# One CA for this run; its key is thrown away with the folder.
make_ca() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=Sluss demo" \
		-keyout "$dir/ca.key" -out "$dir/ca.pem" 2>/dev/null
}

make_certificate() {
	local domain=$1
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$domain" \
		-keyout "$dir/$domain.key" -out "$dir/$domain.csr" 2>/dev/null
	openssl x509 -req -in "$dir/$domain.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
		-extfile <(printf 'subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth\n' "$domain") \
		-out "$dir/$domain.pem" 2>/dev/null
}

# configure DOMAIN HTTP-PORT SIP-PORT PEER PEER-SIP-PORT
configure() {
	cat >"$dir/$1.conf" <<-TEXT
		site "$1" {
		        certificate = "$dir/$1.pem"
		        key = "$dir/$1.key"
		        relay = never # all are on one machine, and UDP comes through no ssh
		}
		http {
		        listen = {"plain:127.0.0.1:$2"}
		        root = "$SLUSS_TOP/webrtc"
		        idp-root = "$SLUSS_TOP/idp/proxy"
		}
		sip {
		        listen = {"tls:127.0.0.1:$3"}
		        trust = "$dir/ca.pem"
		        private-targets = true
		}
		peer "$4" { address = "tls:127.0.0.1:$5" }
		media {
		        listen = {"127.0.0.1"}
		        port = 0
		}
		store { sqlite = "$dir/$1.db" }
		control { socket = "$dir/$1.control" }
	TEXT
}

# Is HOST served on this port? Plain bash: nothing needs to be installed for it.
answers() {
	local domain=$1 port=$2 line
	exec 9<>"/dev/tcp/127.0.0.1/$port" || return 1
	printf 'GET /healthz HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$domain" "$port" >&9
	IFS= read -r -t 2 line <&9 || line=
	exec 9>&-
	[[ $line == *" 200 "* ]]
} 2>/dev/null

await() {
	local domain=$1 port=$2 pid=$3 i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		answers "$domain" "$port" &&
			"$control" -s "$dir/$domain.control" status >/dev/null 2>&1 && return 0
		sleep 0.1
	done
	cat "$dir/$domain.log" >&2
	die "$domain did not start (is port $port in use? try ./dev demo --ports 9080,9081)"
}

add_user() {
	local user=$1 domain=$2 password
	password=$(openssl rand -hex 6)
	printf '%s\n' "$password" | "$control" -s "$dir/$domain.control" user add "$user@$domain" >/dev/null
	printf '    %-24s password %s\n' "$user@$domain" "$password"
}

make_ca
make_certificate alpha.localhost
make_certificate beta.localhost
configure alpha.localhost "$http_alpha" "$sip_alpha" beta.localhost "$sip_beta"
configure beta.localhost "$http_beta" "$sip_beta" alpha.localhost "$sip_alpha"
say "starting two sites; what they log is in $dir/*.log"
"$daemon" -c "$dir/alpha.localhost.conf" >"$dir/alpha.localhost.log" 2>&1 </dev/null &
alpha=$!
"$daemon" -c "$dir/beta.localhost.conf" >"$dir/beta.localhost.log" 2>&1 </dev/null &
beta=$!
await alpha.localhost "$http_alpha" "$alpha"
await beta.localhost "$http_beta" "$beta"

users_alpha=$(add_user alice alpha.localhost && add_user anna alpha.localhost)
users_beta=$(add_user bob beta.localhost && add_user berta beta.localhost)

cat <<TEXT

Two calling sites are running. Open each in a browser window of its own, sign in, and call across:

  http://alpha.localhost:$http_alpha/
$users_alpha

  http://beta.localhost:$http_beta/
$users_beta

For example: sign in as alice at the first, as bob at the second, and let alice call bob@beta.localhost.
No screen on this machine? Run this on the one you sit at, then open the addresses there:

  ssh -N -L $http_alpha:127.0.0.1:$http_alpha -L $http_beta:127.0.0.1:$http_beta $(id -un)@$(hostname)

Calls have sound that way, the echo test has none: it is UDP to this machine.
Ctrl-C stops both and removes what they made.
TEXT

# One of them ending by itself ends the demo; so does Ctrl-C, through the trap.
wait -n "$alpha" "$beta" || true
tail -n 20 "$dir"/*.log >&2
die "one of the sites has ended"
