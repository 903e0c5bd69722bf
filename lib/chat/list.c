/* list: of one row. */
#include "lib/chat/list.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
#include <stdio.h>

int list_begin(const PGresult *r, int first_col, const char *name, struct strbuf *b, struct page *p, struct err *e)
{
	if (!r)
		return err_set(e, ERR_INTERNAL, NULL, "the database gave no list");
	snprintf(p->cursor, sizeof(p->cursor), "%s", result_text(r, 0, first_col));
	strbuf_adds(b, "{\"");
	strbuf_adds(b, name);
	strbuf_adds(b, "\":");
	strbuf_add(b, result_text(r, 0, first_col + 1), result_length(r, 0, first_col + 1));
	return 0;
}

void list_next(const PGresult *r, int col, struct strbuf *b)
{
	strbuf_adds(b, ",\"next\":");
	if (result_null(r, 0, col))
		strbuf_adds(b, "null");
	else
		strbuf_add_json(b, result_text(r, 0, col), result_length(r, 0, col));
}

int list_render(PGresult *r, int first_col, const char *name, struct strbuf *b, struct page *p, struct err *e)
{
	int next = first_col + 2;

	if (list_begin(r, first_col, name, b, p, e) < 0)
		return -1;
	strbuf_adds(b, ",\"next\":");
	if (result_null(r, 0, next))
		strbuf_adds(b, "null");
	else
		strbuf_add(b, result_text(r, 0, next), result_length(r, 0, next));
	strbuf_addc(b, '}');
	PQclear(r);
	return 0;
}
