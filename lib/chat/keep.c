/* keep: the rules are in sql/functions/87_keep.sql. */
#include "lib/chat/keep.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/chat/message.h"
#include "lib/db/db.h"
#include <stdio.h>

enum { CURSOR = 3, STATE, PINNED }; /* of pin_list */

int keep_pin(struct db *d, const struct acting *who, int64_t channel, int64_t seq, bool on, struct strbuf *b,
	     struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_pin_set, &r, e, "iiibibtt", channel, who->user, seq, (int)on, (int64_t)KEEP_PINS_MAX,
		   who->admin, who->request, who->address) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 2), result_length(r, 0, 2));
	PQclear(r);
	return rc;
}

/* A list of messages, one a row; a row without a seq is none. */
static void render(struct strbuf *b, const PGresult *r, int rows, int first_col)
{
	bool any = false;

	strbuf_adds(b, "\"messages\":[");
	for (int i = 0; i < rows; i++) {
		if (result_null(r, i, first_col + 1))
			continue;
		strbuf_adds(b, any ? ",{" : "{");
		message_render_row(b, r, i, first_col);
		strbuf_addc(b, '}');
		any = true;
	}
	strbuf_addc(b, ']');
}

int keep_pins(struct db *d, int64_t channel, int64_t reader, struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_pin_list, &r, e, "ii", channel, reader) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	rc = access_read(&a, e);
	if (rc == 0) {
		snprintf(p->cursor, sizeof(p->cursor), "%s", result_text(r, 0, CURSOR));
		strbuf_add(b, result_text(r, 0, STATE), result_length(r, 0, STATE) - 1); /* its brace */
		strbuf_addc(b, ',');
		render(b, r, result_rows(r), PINNED);
		strbuf_addc(b, '}');
	}
	PQclear(r);
	return rc;
}

int keep_save(struct db *d, int64_t channel, int64_t user, int64_t seq, bool on, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_save_set, &r, e, "iiibi", channel, user, seq, (int)on, (int64_t)KEEP_SAVES_MAX) < 0)
		return -1;
	return access_outcome_json(r, NULL, b, e);
}

int keep_saved(struct db *d, int64_t user, struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_save_list, &r, e, "i", user) < 0)
		return -1;
	if (list_begin(r, 0, "saved", b, p, e) < 0)
		return -1;
	strbuf_addf(b, ",\"version\":%s}", result_text(r, 0, 2));
	PQclear(r);
	return 0;
}

int keep_saved_messages(struct db *d, int64_t user, int64_t before, int64_t limit, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rows;
	bool more;

	/* one more than asked for tells whether there are more */
	if (db_query(d, STMT_save_messages, &r, e, "iii", user, before, limit + 1) < 0)
		return -1;
	more = result_rows(r) > (int)limit;
	rows = more ? (int)limit : result_rows(r);
	strbuf_addc(b, '{');
	render(b, r, rows, 1);
	strbuf_addf(b, ",\"next\":%s}", more ? result_text(r, rows - 1, 0) : "null");
	PQclear(r);
	return 0;
}
