#!/bin/bash
# layers: the folder is the layer. lib/ knows neither FastCGI nor WebSockets nor the programs, which do not know each other;
# SQL lives in sql/.
. "$(dirname "$0")/tap.sh"

includes() { # includes PATTERN GLOB…
	local pattern=$1
	shift
	files "$@" | xargs -r grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($pattern)" || true
}
includes 'fcgi/|ws/|fcgiapp|fcgi_|fcgios|wslay|uv\.h' 'lib/*.c' 'lib/*.h' | clean "lib/ includes nothing of FastCGI, WebSockets or the programs"
includes 'ws/|wslay|uv\.h' 'fcgi/*.c' 'fcgi/*.h' | clean "fcgi/ includes nothing of ws/"
includes 'fcgi/|fcgiapp|fcgi_|fcgios' 'ws/*.c' 'ws/*.h' | clean "ws/ includes nothing of fcgi/"
includes '\.\./|\./' '*.c' '*.h' | clean "includes are relative to the root"
files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | while read -r f; do
	own="${f%.c}.h"
	[ ! -f "$own" ] || [ "$(grep -m1 '#include' "$f")" = "#include \"$own\"" ] || echo "$f: the first include is not its own header"
done | clean "each file includes its own header first"

# A statement in a string. What a session needs to be set up (LISTEN, BEGIN, SET) may stand in lib/db and lib/bus alone.
sql='SELECT|INSERT +INTO|UPDATE +[a-z_]+ +SET|DELETE +FROM|WITH +[a-z_]+ +AS|CREATE|ALTER|DROP|TRUNCATE|GRANT'
code "\"[[:space:]]*($sql)[[:space:]]" $(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | grep -v '^lib/db/') | clean "no SQL outside sql/ (and the sessions of lib/db)"
code '"[[:space:]]*(LISTEN|UNLISTEN|NOTIFY)[[:space:]]' $(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c') |
	awk -F: '!seen[$1]++ { n++; hit = hit $0 "\n" } END { if (n > 1) printf "%s", hit }' | clean "LISTEN is said in one place"
