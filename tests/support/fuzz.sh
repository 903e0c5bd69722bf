#!/bin/bash
# fuzz.sh SECONDS: builds each tests/fuzz/fuzz_*.c with libFuzzer and the sanitizers and runs it on its corpus, as TAP.
# A target names the objects that it needs besides lib/ as unit tests do: `// needs: fcgi/route.c`.
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
out=build/fuzz
mkdir -p $out
make --no-print-directory -s -j"$(nproc)" VARIANT=fuzz build/fuzz/libpulsechat.a >"$out/build.log" 2>&1 ||
	{ echo "not ok - lib/ does not build for the fuzzer"; tail -n 20 "$out/build.log" | sed 's/^/# /'; exit 1; }
flags="-g -O1 -I. -I$out -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 -D_GNU_SOURCE -std=gnu17"
flags="$flags -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
libs="$out/libpulsechat.a $(pkg-config --cflags --libs libpq libcurl openssl jansson yajl expat libxml-2.0) -linih -lwslay -lpthread -lm"
for src in tests/fuzz/fuzz_*.c; do
	name=$(basename "$src" .c)
	needs=$(sed -n 's|^// needs: ||p' "$src")
	mkdir -p "$out/corpus/$name"
	# shellcheck disable=SC2086
	if ! clang $flags -o "$out/$name" "$src" $needs $libs >"$out/$name.log" 2>&1; then
		echo "not ok - $name does not build"
		tail -n 20 "$out/$name.log" | sed 's/^/# /'
		continue
	fi
	seeds=
	[ -d "tests/fuzz/corpus/$name" ] && seeds="tests/fuzz/corpus/$name"
	# shellcheck disable=SC2086
	if "$out/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -artifact_prefix="$out/" "$out/corpus/$name" $seeds \
		>"$out/$name.log" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		tail -n 40 "$out/$name.log" | sed 's/^/# /'
	fi
done
