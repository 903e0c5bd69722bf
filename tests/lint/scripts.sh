#!/bin/bash
# scripts: shell and JavaScript files parse; scripts can be executed.
. "$(dirname "$0")/tap.sh"

files '*.sh' .ci/run | while read -r f; do bash -n "$f" 2>&1 || true; done | clean "shell scripts parse"
files '*.sh' .ci/run | while read -r f; do
	[ "$(head -c 2 "$f")" != '#!' ] || [ -x "$f" ] || echo "$f"
done | clean "shell scripts are executable"
files '*.mjs' | while read -r f; do node --check "$f" 2>&1 | head -n 3 || true; done | clean "JavaScript files parse"
files 'tests/*.mjs' | xargs -r grep -nE '\b(test|it|describe)\.only\(|\bonly: *true' | clean "no test.only"
