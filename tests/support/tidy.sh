#!/bin/bash
# tidy.sh: clang-tidy over every C file of the programs, as TAP.
set -uo pipefail
cd "$(dirname "$0")/../.."
flags="-I. -Ibuild/plain -isystem /usr/share/include/llhttp -D_GNU_SOURCE -std=gnu17 $(pkg-config --cflags libpq libcurl openssl jansson yajl libuv libxml-2.0)"
one() {
	out=$(clang-tidy --quiet "$1" -- $flags 2>/dev/null)
	if [ $? = 0 ]; then echo "ok - $1"; else
		echo "not ok - $1"
		head -n 40 <<<"$out" | sed 's/^/# /'
	fi
}
export -f one
export flags
printf '%s\n' lib/*/*.c fcgi/*.c ws/*.c | xargs -r -P "$(nproc)" -I{} bash -c 'one {}'
