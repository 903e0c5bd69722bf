/* ops: what a client may do over its connection (doc/protocol.md, section 5): one table, one handler each. */
#pragma once
#include "lib/base/err.h"
#include "ws/conn.h"
#include <jansson.h>

struct op {                /* one whose answer is to come */
	struct conn *conn; /* NULL: gone meanwhile */
	LIST_ENTRY(op) list, all;
	char ref[65 * 6];   /* as JSON with its quotes, empty: none */
	char client_id[37]; /* empty: none */
	int64_t channel;
};

/* One line of a client. */
void ops_line(struct conn *c, const char *p, size_t n);
/* Its connection is gone; what is under way ends without an answer. */
void ops_forget(struct conn *c);

/* At the very end: what is still under way. */
void ops_free(void);

/* --- for the handlers (ws/op_*.c) */

/* Handles o; 0, or -1 and the error is answered by the caller. The op lives until op_done(). */
typedef int op_handler(struct op *op, const json_t *o, struct err *e);
op_handler op_send, op_read, op_ping;

/* The answers; op is freed. fields: what follows the type and ref, with a comma in front; may be "". */
void op_done(struct op *op, const char *type, const char *fields);
void op_failed(struct op *op, const struct err *e);
