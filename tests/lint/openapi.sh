#!/bin/bash
# openapi: the document of the REST interface is what its sources make, well formed, and of the routes and errors that the program has.
. "$(dirname "$0")/tap.sh"

node doc/openapi/build.mjs --check 2>&1 | clean "doc/openapi.json is what doc/openapi/ makes"
node tests/lint/openapi.mjs form 2>&1 | clean "a validator of OpenAPI 3.1 finds it well formed"
node tests/lint/openapi.mjs examples 2>&1 | clean "each operation has its own words, each example is as its schema says"
program=$(ls -t build/pulsechat-api build/*/pulsechat-api 2>/dev/null | head -n 1)
if [ -z "$program" ]; then
	n=$((n + 1))
	echo "ok $n - the tables of the program are in the document # skip not built"
else
	"$program" --routes 2>&1 | node tests/lint/openapi.mjs tables 2>&1 | clean "the tables of the program are in the document, and the other way round"
fi
