/* read_marker: how far members have read, and how that is moved (sql/functions/60_reads.sql). */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
#include "lib/db/pgconn.h"
struct config;
struct db;

#define MARKS_MAX 512 /* moved in one statement */

enum mark_kind { MARK_READ, MARK_UNREAD, MARK_DELIVERED };

/* Any number of marks of one member in one channel, folded into one move that comes to the same. 0: none of it. */
struct mark {
	int64_t channel, user;
	int64_t reads, unreads, rereads; /* read up to, then marked as unread from, then read up to */
	int64_t delivered;
};

/* One mark more, behind those before. */
void mark_fold(struct mark *m, enum mark_kind kind, int64_t seq);

/* Moves 1 to MARKS_MAX marks, each of another channel or user, in one transaction. *out: PQclear() it; a row each, for
 * mark_outcome(). states: with a ReadState in each. */
MUST_CHECK int marks_move(struct db *d, const struct config *c, const struct mark *marks, size_t n, bool states,
			  PGresult **out, struct err *e);
/* The same over a connection that does not block, without states. */
void marks_query(struct pgconn *p, const struct config *c, const struct mark *marks, size_t n, pgconn_done done,
		 void *arg);
/* Where it stands after the move: the marker, the first unread, or what was delivered. ERR_NOT_FOUND, ERR_NOT_A_MEMBER,
 * ERR_UNPROCESSABLE for deliveries in a channel that is not direct. */
MUST_CHECK int mark_outcome(const PGresult *r, int row, enum mark_kind kind, int64_t *seq, struct err *e);

/* One mark; appends the ReadState after it. */
MUST_CHECK int read_marker_move(struct db *d, const struct config *c, int64_t channel, int64_t user,
				enum mark_kind kind, int64_t seq, struct strbuf *b, struct err *e);

/* Whether the others in the channel may see how far he has read. */
MUST_CHECK int read_receipts_set(struct db *d, const struct config *c, int64_t channel, int64_t user, bool share,
				 struct err *e);
/* Appends {"count":…,"users":[…],"next":…}: who has read a message, of those who share it. */
MUST_CHECK int reader_list(struct db *d, int64_t channel, int64_t reader, int64_t seq, int64_t after, int64_t limit,
			   struct strbuf *b, struct err *e);
/* Spares the next list some counting, where a list said that it would; a failure does no harm. */
void unread_advance(struct db *d, int64_t reader);
/* Appends {"channels":[…],"unread":…,"mentions":…}: where there is something. verify: with "drift", by a look at each
 * message. */
MUST_CHECK int unread_list(struct db *d, int64_t reader, bool verify, struct strbuf *b, struct page *p, struct err *e);
