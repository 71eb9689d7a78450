#!/bin/bash
# Words that must not stand in the tree: notes to oneself, and names of somebody's own machine.
set -euo pipefail
files() { git ls-files -co --exclude-standard | grep -vE '^(tests/lib/checks/words\.sh|tests/abuse/vectors/)'; }
bad=0
complain() {
	echo "$1"
	bad=1
}
while IFS= read -r hit; do
	[ -z "$hit" ] || complain "$hit"
done < <(files | tr '\n' '\0' | xargs -0 grep -nIE \
	'\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|/wor[k]/(main|shared)|/tmp/(brief|bugs|build-)|npmj[s]\.(org|com)|deb\.debia[n]\.org' |
	cut -c1-200)
while IFS= read -r file; do
	case $(basename "$file") in
	ctx.* | data.* | info.* | handle.* | manager.* | util.* | utils.* | misc.* | helpers.*)
		complain "$file: that name says nothing"
		;;
	esac
done < <(files | grep -E '\.(c|h|mjs|js|sh)$')
exit $bad
