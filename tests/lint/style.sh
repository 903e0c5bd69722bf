#!/bin/bash
# style: what every file owes its reader, and calls that are too dangerous to have.
. "$(dirname "$0")/tap.sh"

# A comment first (after #! and the like): what the file is for.
files '*.c' '*.h' '*.def' '*.sql' '*.sh' '*.mjs' '*.js' '*.ts' '*.tsx' '*.css' '*.awk' '*.conf' '*.service' '*.socket' '*.in' \
	Makefile .ci/run conf/packages conf/pulsechat.conf.example |
	xargs -r awk '
	FNR == 1 { done = 0 }
	done || /^#!/ || /^[[:space:]]*$/ { next }
	{ done = 1 }
	!/^(\/\/|\/\*|--|#|;)/ || /^#(include|pragma|define)/ { print FILENAME ": " $0 }' |
	clean "each file starts with a comment"

banned='strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|strtok|system|popen|atoi|atol|atoll|alloca|tmpnam|mktemp|rand|srand'
banned="$banned|signal|scanf|sscanf|fscanf|asctime|ctime|gmtime|localtime|readdir_r|setjmp|longjmp"
code "\\b($banned)[[:space:]]*\\(" \
	$(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' 'lib/*.h' 'fcgi/*.h' 'ws/*.h' | grep -v 'lib/base/banned.h') | clean "no banned function"

files '*' | grep -vE '(^|/)package-lock\.json$|\.(png|svg|ico|woff2|webp)$' | xargs -r grep -nIE '(^|[^A-Za-z0-9_.-])/(work|home/[a-z]+|root|Users)/' |
	grep -v '^tests/lint/style.sh:' | clean "no path of somebody's machine"
files '*' | grep -vE '^tests/fuzz/corpus/|\.(png|ico|woff2|webp)$|package-lock\.json$' | xargs -r grep -nIE '[[:space:]]+$' | grep -vE '\.md:' |
	clean "no white space at the end of a line"
files '*.c' '*.h' '*.sql' '*.mjs' '*.sh' '*.ts' '*.tsx' | xargs -r awk '{ t = $0; gsub(/\t/, "        ", t) }
	length(t) > 160 { print FILENAME ":" FNR ": " length(t) " columns" }' |
	clean "no line is longer than 160 columns"

# A browser's maxlength counts in a unit of its own and cuts what is pasted (htdocs/src/ui/text_field.tsx).
files 'htdocs/src/*.ts' 'htdocs/src/*.tsx' | xargs -r grep -nE 'max[Ll]ength=' | clean "no text field cuts"

if command -v clang-format >/dev/null; then
	files 'lib/*.c' 'lib/*.h' 'fcgi/*.c' 'fcgi/*.h' 'ws/*.c' 'ws/*.h' 'tests/*.c' 'tests/*.h' |
		xargs -r clang-format --dry-run 2>&1 | sed -n 's/^\([a-z].*\.[ch]\):.*/\1/p' | sort -u | clean "the C code is formatted (make format)"
fi
