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
# shellcheck disable=SC2016 # awk's
files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | xargs -r awk '
	FNR == 1 { own = FILENAME; sub(/c$/, "h", own); had = system_has(own) ? 0 : 1 }
	/#include/ && !had { had = 1; if ($0 != "#include \"" own "\"") print FILENAME ": the first include is not its own header" }
	function system_has(f,  line, there) { there = (getline line < f) >= 0; close(f); return there }' |
	clean "each file includes its own header first"

# A statement in a string. What a session needs to be set up (LISTEN, BEGIN, SET) may stand in lib/db and lib/bus alone.
sql='SELECT|INSERT +INTO|UPDATE +[a-z_]+ +SET|DELETE +FROM|WITH +[a-z_]+ +AS|CREATE|ALTER|DROP|TRUNCATE|GRANT'
code "\"[[:space:]]*($sql)[[:space:]]" $(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | grep -v '^lib/db/') | clean "no SQL outside sql/ (and the sessions of lib/db)"
code '"[[:space:]]*(LISTEN|UNLISTEN|NOTIFY)[[:space:]]' $(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c') |
	awk -F: '!seen[$1]++ { n++; hit = hit $0 "\n" } END { if (n > 1) printf "%s", hit }' | clean "LISTEN is said in one place"
