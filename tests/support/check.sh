#!/bin/bash
# check.sh check|long|lint: what `make check`, `make check-long` and `make lint` do: installs what the tests need, then lets
# check.mjs build and run the suites. Needs nobody at the keyboard.
set -euo pipefail
cd "$(dirname "$0")/../.."
what=${1:-check}
unset MAKEFLAGS MAKELEVEL MFLAGS
export LC_ALL=C.UTF-8 TZ=UTC
stages="build run check"
[ "$what" != long ] || stages="$stages long"
# shellcheck disable=SC2086
conf/run/packages.sh $stages
conf/run/npm.sh tests tests/devidp htdocs
exec node tests/support/check.mjs "$what" </dev/null
