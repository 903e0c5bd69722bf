/* ops: what a client does over its connection (lib/chat/op.h): one handler for each kind. */
#pragma once
#include "lib/base/err.h"
#include "lib/chat/op.h"
#include "ws/conn.h"

struct op {                /* one whose answer is to come */
	struct conn *conn; /* a WebSocket; NULL: gone meanwhile */
	struct realtime *rt;
	LIST_ENTRY(op) list, all;
	struct op_name name;
	int64_t channel;
	enum mark_kind mark; /* of one that moves a marker (ws/marks.h) */
	STAILQ_ENTRY(op) marks;
};

/* One line of a client. */
void ops_line(struct conn *c, const char *p, size_t n);
/* Its connection is gone; what is under way ends without an answer. */
void ops_forget(struct conn *c);

/* At the very end: what is still under way. */
void ops_free(void);

/* --- for the handlers (ws/op_*.c) */

/* Handles ask; 0, or -1 and the error is answered by the caller. The op lives until its answer. */
typedef int op_handler(struct op *op, const struct op_ask *ask, struct err *e);
op_handler ops_send, ops_mark, ops_active, ops_idle, ops_interests, ops_typing, ops_ping;

/* The answers; op is freed. */
void ops_answer(struct op *op, const struct strbuf *line);
void ops_fail(struct op *op, const struct err *e);
