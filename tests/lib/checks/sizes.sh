#!/bin/bash
# No source file over 600 lines. Those in long-files.txt ("PATH LINES") may not grow, and leave the list
# when they have become short: it only shrinks.
set -euo pipefail
list=tests/lib/checks/long-files.txt
bad=0
while IFS= read -r file; do
	[ -f "$file" ] || continue
	n=$(wc -l <"$file")
	allowed=$(awk -v f="$file" '$1 == f { print $2 }' "$list")
	if [ "$n" -gt "${allowed:-600}" ]; then
		echo "$file: $n lines, ${allowed:-600} at most; split it by step or by noun"
		bad=1
	elif [ -n "$allowed" ] && [ "$n" -le 600 ]; then
		echo "$file: $n lines: take it off $list"
		bad=1
	fi
done < <(git ls-files -co --exclude-standard -- '*.c' '*.h' '*.js' '*.mjs' '*.sh' '*.css' dev)
exit $bad
