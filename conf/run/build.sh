#!/bin/bash
# build.sh [VARIANT]: builds the programs and the web client and installs the npm packages that a running site needs.
# One at a time per checkout; the compiler's words go to build/build.log, which is shown when it fails.
set -euo pipefail
cd "$(dirname "$0")/../.."
variant=${1:-plain}
unset MAKEFLAGS MAKELEVEL MFLAGS # of the make that called us
mkdir -p build
exec 8>>build/.lock
flock 8
version=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
[ "$version" -ge 18 ] || { echo "build: Node 18 or newer is needed; this one is $(node -v 2>/dev/null || echo missing)" >&2; exit 1; }
conf/run/npm.sh tests/devidp htdocs
step() { # step TEXT TARGET…: says so only when there is something to do
	local text=$1
	shift
	make --no-print-directory -q "$@" VARIANT="$variant" >/dev/null 2>&1 && return 0
	echo "  $text ..."
	if ! make --no-print-directory -j"$(nproc)" "$@" VARIANT="$variant" </dev/null >build/build.log 2>&1; then
		tail -n 30 build/build.log >&2
		echo "build: $text failed (above is why; all of it: build/build.log)" >&2
		exit 1
	fi
}
step "building the programs" programs
[ ! -f htdocs/package.json ] || step "building the web client" client
