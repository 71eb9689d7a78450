#!/bin/bash
# Does every include keep to the rooms?  lib <- gateway <- sip, webrtc, idp <- gateway/main.c; sip/edge/ stands
# beside Sofia, not on it; each library is included by the one room that it is made for. One line a breach.
set -euo pipefail

breaches=$(git ls-files -co --exclude-standard -- '*.c' '*.h' | while IFS= read -r file; do
	[ -f "$file" ] || continue
	awk -v file="$file" '
	function room(path) {
		if (path ~ /^sip\/edge\// || path ~ /^sip\/joint\./) return "edge"
		if (path ~ /^webrtc\/http\//) return "http"
		if (path ~ /^webrtc\/media\//) return "media"
		if (path ~ /^tests\//) return "tests"
		sub(/\/.*/, "", path)
		return path
	}
	# What a room may include of the others, as a pattern of paths.
	BEGIN {
		may["lib"] = "^lib/"
		may["gateway"] = "^(lib|gateway)/"
		may["edge"] = "^(lib/|sip/edge/|sip/joint\\.h$|gateway/(addr|config)\\.h$)"
		may["sip"] = "^(lib|gateway|sip)/"
		may["webrtc"] = "^(lib/|gateway/|webrtc/(http|session)/|webrtc/webrtc\\.h$)"
		may["media"] = "^(lib/|gateway/|webrtc/media/)"
		may["http"] = "^(lib/|gateway/|webrtc/(http|session)/|webrtc/webrtc\\.h$)"
		may["idp"] = "^(lib|gateway|idp)/"
		# Library headers and the rooms that may include them; main.c and tests may include any.
		lib["^sofia-sip/"] = "sip"
		lib["^libwebsockets"] = "http"
		lib["^uv\\.h"] = "edge http"
		lib["^ares"] = "edge"
		lib["^sqlite3\\.h"] = "lib/db.c"
		lib["^confuse\\.h"] = "gateway/config"
		lib["^jansson\\.h"] = "gateway webrtc http idp"
		lib["^curl/"] = "idp"
		lib["^openssl/"] = "lib edge http media idp gateway/config"
		lib["^(sys/socket|netdb|netinet)"] = "lib edge http sip media gateway/control gateway/slussctl gateway/main.c"
		lib["^re/re_(types|mem|list|hash|mbuf|fmt|sa|pl)\\.h"] = "lib/base.h"
		lib["^re/re(_(tmr|net|tcp|udp|tls|sip|dns|http|ice|turn|bfcp|websock))?\\.h"] = "nobody"
		# libre beyond its base: the loop of a media thread, the STUN codec.
		lib["^re/re_(main|stun)\\.h"] = "media"
		mine = room(file)
		any = file == "gateway/main.c" || mine == "tests"
	}
	function complain(what) { print file ":" FNR ": " what }
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, part, "\"")
		if (part[2] == "config.h" || any) next
		if (part[2] !~ /\//) { complain("include \"" part[2] "\": say the path from the top"); next }
		if (part[2] !~ may[mine]) complain(mine " must not include \"" part[2] "\"")
	}
	/^[ \t]*#[ \t]*include[ \t]*</ {
		header = $0; sub(/^[^<]*</, "", header); sub(/>.*/, "", header)
		if (any) next
		for (pattern in lib) {
			if (header !~ pattern) continue
			n = split(lib[pattern], allowed, " "); good = 0
			for (i = 1; i <= n; i++)
				if (allowed[i] == mine || index(file, allowed[i]) == 1) good = 1
			if (!good) complain("<" header "> belongs to: " lib[pattern])
		}
	}' "$file"
done)
[ -z "$breaches" ] || {
	printf '%s\n' "$breaches"
	exit 1
}
