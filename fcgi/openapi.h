/* openapi: doc/openapi.json as it is served, and what it is held against: the tables of routes and errors. */
#pragma once
#include <stddef.h>
#include <stdio.h>

extern const char openapi_json[]; /* made by doc/openapi/embed.awk */
extern const size_t openapi_json_n;

/* Both tables as JSON (pulsechat-api --routes), for tests/lint/openapi.mjs. */
void openapi_print_tables(FILE *f);
