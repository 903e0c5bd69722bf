/* read_marker: folding, the statement, its outcomes; what can be asked of markers. */
#include "lib/chat/read_marker.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void mark_fold(struct mark *m, enum mark_kind kind, int64_t seq)
{
	int64_t *reads = m->unreads ? &m->rereads : &m->reads;

	switch (kind) {
	case MARK_READ:
		*reads = MAX_OF(*reads, seq);
		break;
	case MARK_UNREAD: /* what was marked as unread before does not matter any more, what was read does */
		m->reads = MAX_OF(m->reads, m->rereads);
		m->rereads = 0;
		m->unreads = MAX_OF(seq, (int64_t)1);
		break;
	case MARK_DELIVERED:
		m->delivered = MAX_OF(m->delivered, seq);
		break;
	}
}

/* ---- the statement */

enum { CHANNEL, USER, READS, UNREADS, REREADS, DELIVERED, COLUMNS };
#define TYPES "IIIIIIib" /* of read_marks */
#define ARGUMENTS(col, n, c, states)                                                                       \
	col[CHANNEL], n, col[USER], n, col[READS], n, col[UNREADS], n, col[REREADS], n, col[DELIVERED], n, \
		(c)->reads.receipts_max, (int)(states)

struct columns {
	int64_t *all;
	int64_t *col[COLUMNS];
};

static void columns_build(struct columns *t, const struct mark *marks, size_t n)
{
	t->all = xcalloc(n * COLUMNS, sizeof(*t->all));
	for (size_t k = 0; k < COLUMNS; k++)
		t->col[k] = t->all + k * n;
	for (size_t i = 0; i < n; i++) {
		t->col[CHANNEL][i] = marks[i].channel;
		t->col[USER][i] = marks[i].user;
		t->col[READS][i] = marks[i].reads;
		t->col[UNREADS][i] = marks[i].unreads;
		t->col[REREADS][i] = marks[i].rereads;
		t->col[DELIVERED][i] = marks[i].delivered;
	}
}

int marks_move(struct db *d, const struct config *c, const struct mark *marks, size_t n, bool states, PGresult **out,
	       struct err *e)
{
	struct columns t;
	int rc;

	columns_build(&t, marks, n);
	rc = db_query(d, STMT_read_marks, out, e, TYPES, ARGUMENTS(t.col, n, c, states));
	free(t.all);
	return rc;
}

void marks_query(struct pgconn *p, const struct config *c, const struct mark *marks, size_t n, pgconn_done done,
		 void *arg)
{
	struct columns t;

	columns_build(&t, marks, n);
	pgconn_query(p, STMT_read_marks, c->database.wait, done, arg, TYPES, ARGUMENTS(t.col, n, c, false));
	free(t.all);
}

int mark_outcome(const PGresult *r, int row, enum mark_kind kind, int64_t *seq, struct err *e)
{
	static const int columns[] = {[MARK_READ] = 1, [MARK_UNREAD] = 2, [MARK_DELIVERED] = 3};

	if (row >= result_rows(r))
		return err_set(e, ERR_INTERNAL, NULL, "the database gave no outcome");
	if (access_code(result_text(r, row, 0), NULL, e) < 0)
		return -1;
	if (result_null(r, row, columns[kind]))
		return err_set(e, ERR_UNPROCESSABLE, "channel", "deliveries are marked in direct channels alone");
	*seq = result_int(r, row, columns[kind]);
	return 0;
}

int read_marker_move(struct db *d, const struct config *c, int64_t channel, int64_t user, enum mark_kind kind,
		     int64_t seq, struct strbuf *b, struct err *e)
{
	struct mark m = {.channel = channel, .user = user};
	PGresult *r = NULL;
	int rc;

	mark_fold(&m, kind, seq);
	if (marks_move(d, c, &m, 1, true, &r, e) < 0)
		return -1;
	rc = mark_outcome(r, 0, kind, &seq, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 4), result_length(r, 0, 4));
	PQclear(r);
	return rc;
}

/* ---- receipts and counts */

int read_receipts_set(struct db *d, const struct config *c, int64_t channel, int64_t user, bool share, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_read_receipts_set, &r, e, "iibi", channel, user, (int)share, c->reads.receipts_max) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}

int reader_list(struct db *d, int64_t channel, int64_t reader, int64_t seq, int64_t after, int64_t limit,
		struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_reader_list, &r, e, "iiiii", channel, reader, seq, after, limit) < 0)
		return -1;
	rc = access_read_message(r, 0, 3, e);
	if (rc == 0)
		strbuf_addf(b, "{\"count\":%s,\"users\":%s,\"next\":%s}", result_text(r, 0, 4), result_text(r, 0, 5),
			    result_null(r, 0, 6) ? "null" : result_text(r, 0, 6));
	PQclear(r);
	return rc;
}

void unread_advance(struct db *d, int64_t reader)
{
	PGresult *r = NULL;
	struct err e = {0};

	if (db_one(d, STMT_unread_advance, &r, &e, "i", reader) == 0)
		log_debug("unread.advance", "user=%" PRId64 " channels=%" PRId64, reader, r ? result_int(r, 0, 0) : 0);
	PQclear(r);
}

int unread_list(struct db *d, int64_t reader, bool verify, struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;
	bool behind;

	if (db_one(d, STMT_unread_list, &r, e, "ib", reader, (int)verify) < 0)
		return -1;
	if (list_begin(r, 0, "channels", b, p, e) < 0)
		return -1;
	strbuf_addf(b, ",\"unread\":%s,\"mentions\":%s", result_text(r, 0, 2), result_text(r, 0, 3));
	if (verify) {
		strbuf_adds(b, ",\"drift\":");
		strbuf_add(b, result_text(r, 0, 4), result_length(r, 0, 4));
	}
	strbuf_addc(b, '}');
	behind = result_bool(r, 0, 5);
	PQclear(r);
	if (behind)
		unread_advance(d, reader);
	return 0;
}
