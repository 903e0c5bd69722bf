/* conn: one client's stream: a WebSocket, server-sent events, or one long-poll. What is the same for all: who it is,
 * what is queued for it, when it ends. Loop thread only. */
#pragma once
#include "lib/live/live.h"
#include "ws/realtime.h"
#include "ws/request.h"
#include "ws/wheel.h"

#define CONN_USER_MAX 100                       /* streams of one user in this process */
#define CONN_OPS_MAX 1024                       /* ops of one connection under way */
#define CONN_CATCH_UP_BYTES ((size_t)256 << 10) /* queued at a time for one who catches up */

enum close_code { /* doc/protocol.md, section 5; RFC 6455, 7.4.1 */
		  CLOSE_UNSUPPORTED = 1003,
		  CLOSE_BAD_UTF8 = 1007,
		  CLOSE_TOO_LARGE = 1009,
		  CLOSE_RESTART = 1012,
		  CLOSE_OVERLOAD = 1013,
		  CLOSE_SIGNED_OUT = 4001,
		  CLOSE_DEACTIVATED = 4003,
		  CLOSE_TOO_SLOW = 4008,
};

enum conn_state {
	CONN_AUTHORISING, /* its session is being looked up */
	CONN_STARTING,    /* its place in the log is being found */
	CONN_OPEN,
	CONN_CLOSING, /* what is queued goes out, then it ends */
	CONN_DEAD,    /* will be gone shortly; nothing is written */
};

struct conn;
/* What differs. */
struct transport {
	const char *name;
	bool stream; /* stays open: it shows that its instance is there */
	/* Bytes that it takes while catching up. */
	size_t (*room)(struct conn *c);
	/* Its place is known. */
	void (*begin)(struct conn *c);
	/* It has all up to now. */
	void (*live)(struct conn *c);
	/* Writes what is due, from the loop's flush. */
	void (*flush)(struct conn *c);
	/* All that was written is with the kernel. NULL: never asked for. */
	void (*writeable)(struct conn *c);
	/* It ends; c->close_code and close_reason say why. What is queued may still go out. */
	void (*end)(struct conn *c, int64_t retry_after_ms);
	/* Its lookup failed: nothing was sent yet. */
	void (*refuse)(struct conn *c, enum close_code code, const struct err *e);
	/* Its queue is over its bound. */
	void (*overflow)(struct conn *c);
	void (*due)(struct conn *c, int64_t now); /* its timer */
	void (*hurry)(struct conn *c);            /* its client has sent more behind its request */
	/* What came on a switched connection. NULL: it is none. */
	void (*bytes)(struct conn *c, const char *p, size_t n);
	void (*kill)(struct conn *c); /* ends the TCP connection soon, from anywhere; conn_free() follows */
	void (*release)(struct conn *c);
};

struct op; /* ws/ops.h */
LIST_HEAD(op_list, op);

struct conn {
	struct receiver receiver; /* first: one is the other */
	const struct transport *transport;
	struct realtime *rt;
	struct http_conn *http; /* NULL: answered */
	enum conn_state state;
	unsigned scopes;
	int64_t user, session;
	int64_t expires_us; /* by clock_mono_us(); 0: never */
	uint64_t sent;      /* logged events so far */
	int64_t queued_id;  /* of the last one */
	char instance[37];
	bool dirty;
	unsigned dirty_turn;
	struct request *request; /* until it has begun */
	int lookups;             /* of its session so far */
	struct live_place seen;  /* from before the lookup */
	struct pgconn *asked;    /* the question under way, NULL: none */
	uint64_t ask;
	struct line **queue, *few[2];
	size_t queue_n, queue_cap, queue_bytes;
	struct wheel_timer timer;
	struct op_list ops;
	size_t ops_n;
	struct caller *caller;
	struct presence_instance *presence; /* of a stream */
	enum close_code close_code;
	const char *close_reason;
	TAILQ_ENTRY(conn) all, dirty_link;
};

static inline struct conn *conn_of(struct receiver *r)
{
	return (struct conn *)r;
}

/* Takes request over. size: of the struct that begins with the conn. */
struct conn *conn_new(struct realtime *rt, const struct transport *t, size_t size, struct request *request);
/* The transport is gone: everything about it goes. */
void conn_free(struct conn *c);

/* Looks its session up, then finds its place in the log: begin(), or refuse(). */
void conn_authorise(struct conn *c);
/* Is its session still one? Ends it where not. */
void conn_recheck(struct conn *c);
void conns_recheck(struct realtime *rt);
/* Its session is in use. */
void conn_touch(struct conn *c);

/* The fault point slow_reader: that many connections of a hundred take nothing for two seconds, then others. */
bool conn_is_slow(const struct conn *c);

/* Queues a line; takes a reference. False: it ends, or is over its bound. */
bool conn_queue(struct conn *c, struct line *l);
void conn_queue_text(struct conn *c, const char *p, size_t n);
/* Lets go of the first n lines, or of all. */
void conn_unqueue(struct conn *c, size_t n);
/* It wants to be flushed. */
void conn_dirty(struct conn *c);

/* Ends it; reason is a constant, for the client and the log. Again is harmless. */
void conn_end(struct conn *c, enum close_code code, const char *reason, int64_t retry_after_ms);
/* The cursor that it may be told now. */
const char *conn_cursor(const struct conn *c, char out[CURSOR_TEXT_MAX]);
/* Queues `reset`. */
void conn_queue_reset(struct conn *c, const char *reason);
