#!/bin/bash
# Functions that have no place here: unbounded copies, numbers parsed without an error, guessable chance,
# shells (unit tests copy their own constants as they like). lib/ and libre have what to use instead.
set -euo pipefail
hits=$(git ls-files -co --exclude-standard -- '*.c' '*.h' | grep -v '^tests/unit/' | xargs -r grep -nE \
	'(^|[^A-Za-z0-9_>.])(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|atof|rand|srand|random|tmpnam|mktemp|system|popen|alloca|strtok|gethostbyname)[[:space:]]*\(' |
	grep -vE '^[^:]*:[0-9]*:[[:space:]]*(/?\*|//)' || true)
[ -z "$hits" ] || {
	printf '%s\n' "$hits"
	exit 1
}
