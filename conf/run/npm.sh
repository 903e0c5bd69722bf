#!/bin/bash
# npm.sh FOLDER…: installs the npm packages of each folder by its lock file, if the lock file has changed since.
set -euo pipefail
cd "$(dirname "$0")/../.."
for dir in "$@"; do
	[ -f "$dir/package-lock.json" ] || continue
	stamp="$dir/node_modules/.pulsechat-lock"
	want="$(cksum <"$dir/package-lock.json") $(node -p process.versions.modules)"
	[ "$(cat "$stamp" 2>/dev/null || true)" = "$want" ] && continue
	echo "  installing npm packages of $dir ..."
	log=$(mktemp)
	if ! PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm --prefix "$dir" ci --no-audit --no-fund --loglevel=error </dev/null >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		echo "npm: the packages of $dir cannot be installed (above is why)" >&2
		exit 1
	fi
	rm -f "$log"
	echo "$want" >"$stamp"
done
