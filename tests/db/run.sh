#!/bin/bash
# run.sh [VARIANT [TEST…]]: runs the tests against a real PostgreSQL, a private cluster of theirs, as TAP, and says how it
# went in its last line. The binaries are made by `make db-bins VARIANT=…`. TEST: writer, migrate …; all where none is named.
#   WRAP='valgrind -q …'  goes before each binary
set -uo pipefail
cd "$(dirname "$0")/../.."
variant=${1:-plain}
shift || true
names=("$@")
if [ ${#names[@]} = 0 ]; then
	for f in tests/db/test_*.c tests/db/test_*.sh; do
		[ ! -f "$f" ] || names+=("$(basename "${f#tests/db/test_}" | sed 's/^test_//; s/\.[a-z]*$//')")
	done
fi
dir=$(mktemp -d /tmp/pctXXXXXX)
chmod 711 "$dir"
log=$(mktemp)
cleanup() {
	tests/support/pg.sh remove "$dir/pg" 2>/dev/null
	rm -rf "$dir" "$log"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP
tests/support/pg.sh start "$dir/pg" >/dev/null || { echo "not ok - no PostgreSQL for the tests"; exit 1; }
export PULSECHAT_TEST_PG=$dir/pg CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=${ASAN_OPTIONS:-exitcode=99:detect_leaks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1:halt_on_error=1}

passed=0 failed=0
for name in "${names[@]}"; do
	program=build/$variant/tests/db/test_$name
	[ ! -f "tests/db/test_$name.sh" ] || program=tests/db/test_$name.sh
	# shellcheck disable=SC2086
	case $program in *.sh) $program >"$log" 2>&1 ;; *) ${WRAP:-} "$program" >"$log" 2>&1 ;; esac
	status=$?
	cat "$log"
	good=$(grep -c '^ok' "$log")
	bad=$(grep -c '^not ok' "$log")
	if [ $((good + bad)) = 0 ] || { [ $status != 0 ] && [ "$bad" = 0 ]; }; then
		echo "not ok - test_$name ended with status $status"
		bad=$((bad + 1))
	fi
	passed=$((passed + good)) failed=$((failed + bad))
	# a test that stopped the server and died must not take the others along
	psql -X -q -h "$dir/pg" -U postgres -d postgres -c '' >/dev/null 2>&1 || tests/support/pg.sh start "$dir/pg" >/dev/null
done
echo "# db ($variant): $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
