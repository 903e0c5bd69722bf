/* conn: one client's connection: a WebSocket, server-sent events, or one long-poll. What is the same for all: who it
 * is, how it comes into live, when it ends. What it receives is the transport's. Loop thread only. */
#pragma once
#include "lib/live/live.h"
#include "ws/realtime.h"
#include "ws/request.h"
#include "ws/wheel.h"

#define CONN_USER_MAX 100 /* streams of one user in this process */
#define CONN_OPS_MAX 1024 /* ops of one connection under way */

enum close_code { /* doc/protocol.md, section 5; RFC 6455, 7.4.1 */
		  CLOSE_UNSUPPORTED = 1003,
		  CLOSE_BAD_UTF8 = 1007,
		  CLOSE_TOO_LARGE = 1009,
		  CLOSE_RESTART = 1012,
		  CLOSE_OVERLOAD = 1013,
		  CLOSE_SIGNED_OUT = 4001,
		  CLOSE_DEACTIVATED = 4003,
		  CLOSE_TOO_SLOW = 4008,
		  CLOSE_REPLACED = 4009,
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
	/* It is in live; where its client names an instance, an older one of that and of its kind ends. */
	void (*added)(struct conn *c);
	/* Writes what is due, from the loop's flush. */
	void (*flush)(struct conn *c);
	/* All that was written is with the kernel. NULL: never asked for. */
	void (*writeable)(struct conn *c);
	/* It ends; c->close_code and close_reason say why. What is queued may still go out. */
	void (*end)(struct conn *c, int64_t retry_after_ms);
	/* It cannot begin: nothing was sent yet. */
	void (*refuse)(struct conn *c, enum close_code code, const struct err *e);
	void (*due)(struct conn *c, int64_t now); /* its timer */
	void (*hurry)(struct conn *c);            /* its client has sent more behind its request */
	/* What came on a switched connection. NULL: it is none. */
	void (*bytes)(struct conn *c, const char *p, size_t n);
	void (*kill)(struct conn *c); /* ends the TCP connection soon, from anywhere; conn_free() follows */
	void (*release)(struct conn *c);
};

struct op; /* ws/ops.h */
LIST_HEAD(op_list, op);

struct admission;

struct conn {
	/* what each delivery touches, for thousands in a row: together */
	const struct transport *transport;
	struct receiver *receiver;
	struct realtime *rt;
	struct http_conn *http; /* NULL: answered */
	TAILQ_ENTRY(conn) dirty_link;
	enum conn_state state;
	unsigned dirty_turn;
	bool dirty;

	const char *name; /* of its kind, for the log */
	unsigned scopes;
	int64_t user, session;
	int64_t expires_us; /* by clock_mono_us(); 0: never */
	char instance[37];
	bool has_instance;       /* its client has named it */
	struct request *request; /* until it has begun */
	int lookups;             /* of its session so far */
	struct live_place seen;  /* from before the lookup */
	struct pgconn *asked;    /* the question under way, NULL: none */
	uint64_t ask;
	struct admission *admission; /* under way, NULL: none */
	struct wheel_timer timer;
	struct op_list ops;
	size_t ops_n;
	struct caller *caller;
	struct rate_left rate;              /* what the head of its answer tells of its limits */
	struct presence_instance *presence; /* of a stream */
	enum close_code close_code;
	const char *close_reason;
	TAILQ_ENTRY(conn) all;
};

/* Takes request over. size: of the struct that begins with the conn and has its receiver, which the caller sets. */
struct conn *conn_new(struct realtime *rt, const struct transport *t, const char *name, size_t size,
		      struct request *request);
/* The transport is gone: everything about it goes. */
void conn_free(struct conn *c);

/* Looks its session up, then adds it to live, or refuses it. */
void conn_authorise(struct conn *c);
/* Its receiver has begun. */
void conn_began(struct conn *c);
void conn_refuse(struct conn *c, enum close_code code, const struct err *e);
/* Is its session still one? Ends it where not. */
void conn_recheck(struct conn *c);
void conns_recheck(struct realtime *rt);
/* Its session is in use. */
void conn_touch(struct conn *c);

/* The fault point slow_reader: that many connections of a hundred take nothing for two seconds, then others. */
bool conn_is_slow(const struct conn *c);

/* It wants to be flushed. */
void conn_dirty(struct conn *c);

/* Ends it; reason is a constant, for the client and the log. Again is harmless. */
void conn_end(struct conn *c, enum close_code code, const char *reason, int64_t retry_after_ms);
/* The same, as live tells it. */
void conn_ended(struct conn *c, enum live_end why);
/* The cursor that it may be told now. */
const char *conn_cursor(const struct conn *c, char out[CURSOR_TEXT_MAX]);
