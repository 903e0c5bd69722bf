/* migrations: the files of sql/migrations/ and sql/functions/, embedded by sql/embed.awk. */
#pragma once
#include "lib/base/err.h"
struct config;

struct sql_file {
	const char *path; /* "sql/migrations/0001_initial.sql" */
	const char *sql;
};
extern const struct sql_file sql_files[]; /* ends with {0} */

/* Brings the database up to date: each migration in a transaction of its own, recorded, then the functions where they
 * differ from those recorded. Safe to run twice and by two processes at once. say (may be NULL) is told each step.
 * Blocks. */
MUST_CHECK int migrate(const struct config *c, void (*say)(const char *step), struct err *e);
