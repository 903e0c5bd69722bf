#!/bin/bash
# scripts: shell and JavaScript files parse; scripts can be executed.
. "$(dirname "$0")/tap.sh"

files '*.sh' .ci/run | while read -r f; do bash -n "$f" 2>&1 || true; done | clean "shell scripts parse"
files '*.sh' .ci/run | while read -r f; do
	[ "$(head -c 2 "$f")" != '#!' ] || [ -x "$f" ] || echo "$f"
done | clean "shell scripts are executable"
parse='const { readFileSync } = require("fs"), { SourceTextModule } = require("vm");
for (const f of readFileSync(0, "utf8").split("\n").filter(Boolean))
	try {
		new SourceTextModule(readFileSync(f, "utf8").replace(/^#!/, "//"));
	} catch (e) {
		console.log(`${f}: ${e.message}`);
	}'
files '*.mjs' | node --no-warnings --experimental-vm-modules -e "$parse" 2>&1 | clean "JavaScript files parse"
files 'tests/*.mjs' | xargs -r grep -nE '\b(test|it|describe)\.only\(|\bonly: *true' | clean "no test.only"
