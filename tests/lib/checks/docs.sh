#!/bin/bash
# What the documents name exists: each `file:function` of docs/follow-one-*.md, each linked file, each
# message, error code and cause of docs/protocol.md in the schema (and the other way round), and each
# `./dev` command of the README.
set -euo pipefail
bad=0
complain() {
	echo "$1"
	bad=1
}

# Is NAME defined in FILE, not only called or spoken of? C: on a line that begins in the first column and does
# not end in a semicolon (a prototype), or a constant of an enum or a macro. JavaScript: a function, class,
# constant or method.
defines() {
	case $1 in
	*.c | *.h)
		grep -E "^[A-Za-z#].*[^A-Za-z0-9_]$2([^A-Za-z0-9_]|\$)" "$1" | grep -qvE '^[^=]*\);$' ||
			grep -qE "^[[:space:]]+$2[[:space:]]*[,=]" "$1"
		;;
	*)
		grep -qE "(function|class|const|let|export)[ *]+([A-Za-z]+ )*$2([^A-Za-z0-9_]|\$)" "$1" ||
			grep -qE "^[[:space:]]+(static |async |get |set )*[#*]?$2\(.*\{\$" "$1"
		;;
	esac
}

names=0
for doc in docs/follow-one-*.md; do
	[ -f "$doc" ] || continue
	while IFS=: read -r file name; do
		names=$((names + 1))
		if [ ! -f "$file" ]; then
			complain "$doc: there is no $file"
		elif ! defines "$file" "$name"; then
			complain "$doc: $file does not define $name"
		fi
	done < <(grep -oE '[A-Za-z0-9_./-]+\.(c|h|js|mjs):[A-Za-z_][A-Za-z0-9_]*' "$doc")
done
[ $names -ge 20 ] || complain "docs/follow-one-call.md names $names functions; it should follow the call"

for doc in README.md docs/*.md; do
	[ -f "$doc" ] || { complain "there is no $doc"; continue; }
	while IFS= read -r link; do
		link=${link%%#*}
		case $link in '' | *://* | mailto:*) continue ;; esac
		[ -e "$(dirname "$doc")/$link" ] || complain "$doc: the link $link leads nowhere"
	done < <(grep -oE '\]\([^) ]+\)' "$doc" | sed 's/^](//; s/)$//')
done

while IFS= read -r command; do
	grep -qE "(^|[ |])$command( |\)|\$)" dev || complain "README.md: ./dev has no $command"
done < <(grep -oE '\./dev [a-z]+' README.md | sed 's/.* //' | sort -u)

# Words in backticks between two lines of the protocol's description.
quoted() {
	sed -n "/$1/,/$2/p" docs/protocol.md | grep -oE "\`[a-z-]+\`" | tr -d "\`" | sort -u
}
rows() {
	sed -n "s/^| \`\([a-z]*\)\`.*/\1/p" docs/protocol.md | sort -u
}

schema=webrtc/session/sluss.v1.schema.json
if [ -f $schema ]; then
	for word in $(rows) $(quoted '^.media.: ' '^## Error' | grep -vxE 'media|encryption') \
		$(quoted '^## Error codes' '^After' | grep -vx 'retry_s'); do
		grep -q "\"$word\"" $schema || complain "docs/protocol.md names $word, which $schema does not know"
	done
	while IFS= read -r word; do
		grep -q "\`$word\`" docs/protocol.md || complain "$schema knows $word, which docs/protocol.md does not name"
	done < <(grep -oE '"const": *"[a-z-]+"' $schema | sed 's/.*: *"//; s/"//' | sort -u)
else
	complain "there is no $schema"
fi
exit $bad
