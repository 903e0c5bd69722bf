/* history: pages and single messages. */
#include "lib/chat/history.h"
#include "lib/base/clock.h"
#include "lib/chat/access.h"
#include "lib/chat/message.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

enum { KIND, ARCHIVED, ROLE, CURSOR, FIRST_SEQ, LAST_SHOWN, LAST_SEQ, MESSAGE, MESSAGE_SEQ }; /* columns of history_… */
enum { GET_MESSAGE = 3, GET_MESSAGE_SEQ };                                                    /* of message_get */

static int query(struct db *d, int64_t channel, int64_t reader, enum history_mode mode, int64_t seq, int64_t limit,
		 PGresult **r, struct err *e)
{
	switch (mode) {
	case HISTORY_BEFORE:
		return db_one(d, STMT_history_before, r, e, "iiii", channel, reader, seq, limit);
	case HISTORY_AFTER:
		return db_one(d, STMT_history_after, r, e, "iiii", channel, reader, seq, limit);
	case HISTORY_AROUND:
		return db_one(d, STMT_history_around, r, e, "iiiii", channel, reader, seq, limit, limit / 2);
	}
	return err_set(e, ERR_INTERNAL, NULL, "no such way to page");
}

static void render(const PGresult *r, enum history_mode mode, int64_t seq, struct strbuf *b, struct history *h)
{
	int64_t oldest = result_int(r, 0, FIRST_SEQ), newest = result_int(r, 0, LAST_SHOWN);
	int rows = result_null(r, 0, MESSAGE_SEQ) ? 0 : result_rows(r);

	strbuf_adds(b, "{\"messages\":[");
	for (int i = 0; i < rows; i++) {
		strbuf_adds(b, i ? ",{" : "{");
		message_render_row(b, r, i, MESSAGE);
		strbuf_addc(b, '}');
	}
	if (rows) {
		h->first = result_int(r, 0, MESSAGE_SEQ);
		h->last = result_int(r, rows - 1, MESSAGE_SEQ);
		h->has_before = oldest < h->first;
		h->has_after = newest > h->last;
	} else if (oldest) {
		h->has_before = mode == HISTORY_AFTER && oldest <= seq;
		h->has_after = mode == HISTORY_BEFORE && newest >= seq;
	}
	/* what lies between the last one here and the next is replies that are not shown */
	strbuf_addf(b, "],\"has_before\":%s,\"has_after\":%s,\"upto\":%lld}", h->has_before ? "true" : "false",
		    h->has_after ? "true" : "false", (long long)(h->has_after ? h->last : result_int(r, 0, LAST_SEQ)));
}

int history_list(struct db *d, int64_t channel, int64_t reader, enum history_mode mode, int64_t seq, int64_t limit,
		 struct strbuf *b, struct history *h, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	*h = (struct history){0};
	if (query(d, channel, reader, mode, seq, limit, &r, e) < 0)
		return -1;
	a = access_from_row(r, 0, KIND);
	rc = access_read(&a, e);
	if (rc == 0) {
		snprintf(h->page.cursor, sizeof(h->page.cursor), "%s", result_text(r, 0, CURSOR));
		render(r, mode, seq, b, h);
	}
	PQclear(r);
	return rc;
}

int history_seq_at(struct db *d, int64_t channel, const char *time, int64_t *seq, struct err *e)
{
	PGresult *r = NULL;

	if (!time_valid(time, strlen(time)))
		return err_set(e, ERR_BAD_FIELD, "around_time", "must be a time as 2026-11-25T10:04:31Z");
	if (db_query(d, STMT_history_seq_at, &r, e, "it", channel, time) < 0)
		return -1;
	*seq = MAX_OF(result_int(r, 0, 0), (int64_t)1);
	PQclear(r);
	return 0;
}

int history_get(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_message_get, &r, e, "iii", channel, reader, seq) < 0)
		return -1;
	rc = access_read_message(r, KIND, GET_MESSAGE_SEQ, e);
	if (rc == 0) {
		strbuf_addc(b, '{');
		message_render_row(b, r, 0, GET_MESSAGE);
		strbuf_addc(b, '}');
	}
	PQclear(r);
	return rc;
}

enum { EDITS_SEQ = 3, EDITS }; /* of edit_list */

int history_edits(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_edit_list, &r, e, "iii", channel, reader, seq) < 0)
		return -1;
	rc = access_read_message(r, KIND, EDITS_SEQ, e);
	if (rc == 0) {
		strbuf_adds(b, "{\"edits\":");
		strbuf_add(b, result_text(r, 0, EDITS), result_length(r, 0, EDITS));
		strbuf_addc(b, '}');
	}
	PQclear(r);
	return rc;
}
