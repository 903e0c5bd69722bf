#!/bin/bash
# faults: the fault points of test builds (lib/base/fault.h) are not in what is released: neither a symbol nor a word of them.
. "$(dirname "$0")/tap.sh"

names=$(files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | xargs -r grep -hoE '\bFAULT(_NUMBER)?\("[a-z_]+"\)' | grep -oE '"[a-z_]+"' | tr -d '"' | sort -u)
{ [ -n "$names" ] || echo "none in the sources"; } | clean "there are fault points"
files 'lib/*.c' 'fcgi/*.c' 'ws/*.c' | grep -v '^lib/base/fault\.c$' | xargs -r grep -nE 'fault_(hit|number)|PULSECHAT_FAULTS' |
	clean "fault points are used by their macros alone"
words='fault_hit|fault_number|fault\.hit|PC_FAULTS'
for name in $names; do words="$words|^$name\$"; done
for program in pulsechat-api pulsechat-realtime pulsechat; do
	if [ ! -f "build/plain/$program" ]; then
		n=$((n + 1))
		echo "ok $n - $program has no fault points # skip not built"
		continue
	fi
	{
		nm "build/plain/$program" | grep -E ' (fault_|.*_fault$)' || true
		strings -n 4 "build/plain/$program" | grep -E -- "$words" || true
	} | clean "$program has no fault points"
done
