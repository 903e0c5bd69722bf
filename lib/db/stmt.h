/* stmt: the named statements of sql/queries/, embedded by sql/embed.awk. All SQL that the programs run stands there, in
 * sql/functions/ and in sql/migrations/. */
#pragma once
#include "lib/base/base.h"

struct stmt {
	const char *name;
	const char *in;  /* parameter types, "int8,text" */
	const char *out; /* column types */
	const char *sql;
};

extern const struct stmt stmts[]; /* indexed by enum stmt_id (build/…/gen/stmt_ids.h) */
extern const int stmts_count;
