/* thread: pages, marks and the list. */
#include "lib/chat/thread.h"
#include "lib/chat/access.h"
#include "lib/chat/message.h"
#include "lib/db/db.h"
#include <inttypes.h>
#include <stdio.h>

enum {
	KIND,
	ARCHIVED,
	ROLE,
	CURSOR,
	FIRST_SEQ,
	LAST_SEQ,
	STATE,
	VISIBLE_FROM,
	MESSAGE,
	MESSAGE_SEQ
}; /* of thread_page */
#define MESSAGE_THREAD (MESSAGE + MESSAGE_COLUMNS - 3)

static void add_message(struct strbuf *b, const PGresult *r, int row, int first_col)
{
	strbuf_addc(b, '{');
	message_render_row(b, r, row, first_col);
	strbuf_addc(b, '}');
}

/* The column before a root's is the lowest seq that the reader may see. */
static void add_root(struct strbuf *b, const PGresult *r, int row, int first_col)
{
	strbuf_addc(b, '{');
	if (result_int(r, row, first_col + 1) < result_int(r, row, first_col - 1))
		message_render_hidden(b, r, row, first_col);
	else
		message_render_row(b, r, row, first_col);
	strbuf_addc(b, '}');
}

/* The root is the first row, whatever the page holds. */
static void render(const PGresult *r, enum history_mode mode, int64_t seq, struct strbuf *b, struct history *h)
{
	int64_t oldest = result_int(r, 0, FIRST_SEQ), newest = result_int(r, 0, LAST_SEQ);
	int rows = result_rows(r);

	strbuf_adds(b, "{\"root\":");
	add_root(b, r, 0, MESSAGE);
	strbuf_adds(b, ",\"messages\":[");
	for (int i = 1; i < rows; i++) {
		if (i > 1)
			strbuf_addc(b, ',');
		add_message(b, r, i, MESSAGE);
	}
	if (rows > 1) {
		h->first = result_int(r, 1, MESSAGE_SEQ);
		h->last = result_int(r, rows - 1, MESSAGE_SEQ);
		h->has_before = oldest < h->first;
		h->has_after = newest > h->last;
	} else if (oldest) {
		h->has_before = mode == HISTORY_AFTER && oldest <= seq;
		h->has_after = mode == HISTORY_BEFORE && newest >= seq;
	}
	strbuf_addf(b, "],\"has_before\":%s,\"has_after\":%s,\"state\":%s}", h->has_before ? "true" : "false",
		    h->has_after ? "true" : "false", result_text(r, 0, STATE));
}

static int query(struct db *d, int64_t channel, int64_t reader, int64_t root, enum history_mode mode, int64_t seq,
		 int64_t limit, PGresult **r, struct err *e)
{
	int64_t older = mode == HISTORY_BEFORE ? limit : mode == HISTORY_AROUND ? limit / 2 : 0;

	return db_one(d, STMT_thread_page, r, e, "iiiiiii", channel, reader, root, seq, older,
		      mode == HISTORY_AFTER ? seq + 1 : seq, limit - older);
}

int thread_list_replies(struct db *d, int64_t channel, int64_t reader, int64_t root, enum history_mode mode,
			int64_t seq, int64_t limit, struct strbuf *b, struct history *h, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	*h = (struct history){0};
	if (query(d, channel, reader, root, mode, seq, limit, &r, e) < 0)
		return -1;
	a = access_from_row(r, 0, KIND);
	rc = access_read(&a, e);
	if (rc == 0 && (result_null(r, 0, MESSAGE_SEQ) || result_int(r, 0, MESSAGE_SEQ) != root))
		rc = access_code("no_message", NULL, e);
	if (rc == 0 && !result_null(r, 0, MESSAGE_THREAD))
		rc = access_code("a_reply", NULL, e);
	if (rc == 0) {
		snprintf(h->page.cursor, sizeof(h->page.cursor), "%s", result_text(r, 0, CURSOR));
		render(r, mode, seq, b, h);
	}
	PQclear(r);
	return rc;
}

int thread_mark(struct db *d, int64_t channel, int64_t reader, int64_t root, enum thread_wish wish, int64_t upto,
		struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_thread_mark, &r, e, "iiiii", channel, reader, root, (int64_t)wish, upto) < 0)
		return -1;
	return access_outcome_json(r, NULL, b, e);
}

enum { LIST_CURSOR, LIST_UNREAD, LIST_ID, LIST_STATE, LIST_VISIBLE_FROM, LIST_MESSAGE, LIST_SEQ };

int thread_list(struct db *d, int64_t reader, bool unread, int64_t before, int64_t limit, struct strbuf *b,
		struct page *p, struct err *e)
{
	PGresult *r = NULL;
	int rows;

	/* one more than is told: whether there is a next page */
	if (db_query(d, STMT_thread_list, &r, e, "ibii", reader, (int)unread, before, limit + 1) < 0)
		return -1;
	rows = result_rows(r);
	if (rows < 1) {
		PQclear(r);
		return err_set(e, ERR_INTERNAL, NULL, "the database gave no list");
	}
	snprintf(p->cursor, sizeof(p->cursor), "%s", result_text(r, 0, LIST_CURSOR));
	if (result_null(r, 0, LIST_SEQ))
		rows = 0;
	strbuf_adds(b, "{\"threads\":[");
	for (int i = 0; i < rows && i < limit; i++) {
		strbuf_addf(b, "%s{\"state\":%s,\"root\":", i ? "," : "", result_text(r, i, LIST_STATE));
		add_root(b, r, i, LIST_MESSAGE);
		strbuf_addc(b, '}');
	}
	strbuf_addf(b, "],\"unread\":%" PRId64 ",\"next\":", result_int(r, 0, LIST_UNREAD));
	if (rows > limit)
		strbuf_addf(b, "%" PRId64 "}", result_int(r, (int)limit - 1, LIST_ID));
	else
		strbuf_adds(b, "null}");
	PQclear(r);
	return 0;
}
