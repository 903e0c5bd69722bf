/* list: the answer that lists something: its items, the cursor, the way on. */
#pragma once
#include "lib/base/err.h"
#include "lib/db/result.h"
struct page;
struct strbuf;

/* Begins the answer with {"NAME":…, of a row that has the cursor in first_col and the items as JSON behind it. r NULL
 * is ERR_INTERNAL. */
MUST_CHECK int list_begin(const PGresult *r, int first_col, const char *name, struct strbuf *b, struct page *p,
			  struct err *e);
/* ,"next":… of a column that holds a text; null is null. */
void list_next(const PGresult *r, int col, struct strbuf *b);
/* The whole answer, of a row whose columns are the cursor, the items, and what is next as JSON. Takes r. */
MUST_CHECK int list_render(PGresult *r, int first_col, const char *name, struct strbuf *b, struct page *p,
			   struct err *e);
