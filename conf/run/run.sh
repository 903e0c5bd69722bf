#!/bin/bash
# run.sh STATE PORT: what `make run` does: installs what is missing, builds, starts everything (main.mjs).
set -euo pipefail
cd "$(dirname "$0")/../.."
STATE=${1:-var} PORT=${2:-8080}
fail() {
	echo "make run: $*" >&2
	exit 1
}
case $PORT in
'' | *[!0-9]* | ??????*) fail "PORT=$PORT is no port: use a number from 1 to 65535" ;;
esac
[ "$PORT" -ge 1 ] && [ "$PORT" -le 65535 ] || fail "PORT=$PORT is no port: use a number from 1 to 65535"
mkdir -p -m 711 "$STATE" 2>/dev/null && [ -w "$STATE" ] || fail "cannot write to the state folder $STATE"
# One run per state folder: the lock goes with the process, however it ends.
exec 9>>"$STATE/lock"
other="make run STATE=${STATE%/}2 PORT=$((PORT + 10))"
flock -n 9 || fail "it runs already in $STATE (process $(cat "$STATE/pid" 2>/dev/null || echo unknown)): stop that, or $other"
echo $$ >"$STATE/pid"
if (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
	fail "port $PORT is in use by another program: choose another one with PORT=$((PORT + 1)), say"
fi

echo "PulseChat: getting ready"
conf/run/packages.sh build run
conf/run/build.sh
exec node conf/run/main.mjs "$STATE" "$PORT"
