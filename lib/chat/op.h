/* op: what a client may do in one line (doc/protocol.md, section 5), over a WebSocket or by POST /api/v1/ops: one table
 * of ops, one renderer of their answers. Any thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/read_marker.h"
struct config;
struct interests;
struct jx;
struct write_item;

#define OP_REF_MAX 64 /* bytes */
#define OPS_MAX 256   /* of one POST */

enum op_kind {
	OP_SEND,
	OP_READ,
	OP_UNREAD,
	OP_DELIVERED,
	OP_ACTIVE,
	OP_IDLE,
	OP_FOCUS,
	OP_WATCH,
	OP_TYPING,
	OP_PING,
};

/* By what its answer is known to the client. */
struct op_name {
	char ref[(OP_REF_MAX + 1) * 6]; /* as JSON with its quotes, empty: none */
	char client_id[37];             /* empty: none */
};

struct op_ask {
	enum op_kind kind;
	int64_t channel, seq;        /* OP_READ, OP_UNREAD, OP_DELIVERED, OP_TYPING (seq 0: not said) */
	int64_t thread;              /* OP_TYPING: its root; 0: the channel's line */
	enum mark_kind mark;         /* of the first three */
	struct interests *interests; /* OP_FOCUS, OP_WATCH: free() */
	struct write_item *item;     /* OP_SEND; the caller's */
};

/* Parses a line; name gets what can be told, also of a line that is refused later. *o: jx_free(), NULL on failure.
 */
MUST_CHECK int op_parse(const char *p, size_t n, struct op_name *name, struct jx **o, struct err *e);
/* Checks the op against the table and the scopes (enum session_scope). *ask is set on success only. */
MUST_CHECK int op_read(const struct config *c, const struct jx *o, int64_t user, unsigned scopes, struct op_ask *ask,
		       struct err *e);

/* One that moves a marker. */
bool op_marks(enum op_kind kind);

/* The answers, appended without a line end. */
void op_sent(struct strbuf *b, const struct op_name *name, const struct write_item *item); /* item->ok */
void op_marked(struct strbuf *b, const struct op_name *name, int64_t channel, int64_t seq);
void op_done(struct strbuf *b, const struct op_name *name); /* an ack that says no more */
void op_pong(struct strbuf *b, const struct op_name *name);
void op_failed(struct strbuf *b, const struct op_name *name, const struct err *e);
