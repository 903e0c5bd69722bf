/* request: one request as its handler sees it: decoded, bounded, checked. Made from the CGI variables that FastCGI and
 * plain CGI share; routed by REQUEST_URI alone (PATH_INFO and SCRIPT_NAME differ from server to server). Lives in the
 * worker's arena. */
#pragma once
#include "lib/auth/origin.h"
#include "lib/auth/session.h"
#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/auth/rate.h"
#include "lib/chat/acting.h"
#include "lib/http/peer.h"
#include "lib/http/uri.h"
#include "lib/live/live.h"
struct app;
struct config;
struct db;
struct jx;
struct parked;

#define REQUEST_URI_MAX ((size_t)8192)
#define REQUEST_SEGMENTS_MAX 12
#define REQUEST_QUERY_MAX 32
#define REQUEST_PARAMS_MAX 3
#define REQUEST_ID_MAX 24
#define REQUEST_NUMBER_MAX (((int64_t)1 << 53) - 1) /* what a JSON number holds exactly */

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_OPTIONS, METHOD_OTHER };

/* Where the body comes from and the answer goes to: a FastCGI stream, or stdin and stdout. */
struct io {
	long (*read)(void *ctx, char *p, size_t n); /* bytes, 0 at the end, -1 where the connection broke */
	void (*write)(void *ctx, const char *p, size_t n);
	/* Takes p over, to answer it later. NULL: cannot be, and no request is parked. */
	void (*park)(void *ctx, struct parked *p);
	void *ctx;
};

struct request {
	/* the worker's */
	struct app *app;
	const struct config *config;
	struct db *db;
	struct arena *arena;
	const struct io *io;
	char **env; /* NAME=value, ends with NULL */

	char id[REQUEST_ID_MAX]; /* PulseChat-Request-Id */
	enum method method;
	const char *method_name;                   /* as sent */
	bool head;                                 /* HEAD: a GET without a body in the answer */
	const char *path;                          /* as sent, without the query */
	const char *segment[REQUEST_SEGMENTS_MAX]; /* decoded, valid UTF-8 */
	size_t segments;
	struct uri_pair query[REQUEST_QUERY_MAX]; /* decoded, valid UTF-8, no name twice */
	size_t queries;
	int64_t param[REQUEST_PARAMS_MAX]; /* the {ids} of the pattern in their order */
	const char *text;                  /* its {=text}; NULL: it has none */
	char client[PEER_MAX];             /* the client's address, "" where unknown */
	bool client_known;                 /* it is the client's own, not a proxy's (lib/http/peer.h) */
	struct live_place seen;            /* of the log, when the request came (fcgi/events.h) */

	/* after the router: who asks (NEED_USER) and with what */
	struct session session;
	bool by_cookie;
	struct rate_left rate; /* which of its limits the answer tells of */
	struct span body;      /* INPUT_RAW, INPUT_LINES: as sent */
	struct jx *json;       /* INPUT_JSON: an object */
};

/* Fills q (zeroed but for the worker's members) from q->env. -1: ERR_BAD_REQUEST, q->id and q->method are set all the
 * same. */
MUST_CHECK int request_parse(struct request *q, struct err *e);
void request_release(struct request *q); /* what is not in the arena */

/* A CGI variable, NULL where absent; headers are HTTP_… ("HTTP_USER_AGENT"). */
const char *request_env(const struct request *q, const char *name);
/* A query parameter, NULL where absent. */
const char *request_query(const struct request *q, const char *name);
/* The same as a number; *out stays as it is where absent. ERR_BAD_FIELD. */
MUST_CHECK int request_query_int(const struct request *q, const char *name, int64_t min, int64_t max, int64_t *out,
				 struct err *e);
/* The same as ids with commas between, max at most; none where absent. */
MUST_CHECK int request_query_ids(const struct request *q, const char *name, int64_t *ids, size_t max, size_t *n,
				 struct err *e);
/* `limit`: 1 to the configured page size. */
MUST_CHECK int request_limit(const struct request *q, int64_t initial, int64_t *out, struct err *e);

/* Reads the body into q->body, at most limit bytes. ERR_TOO_LARGE, or ERR_BAD_REQUEST where it is cut short. */
MUST_CHECK int request_read_body(struct request *q, size_t limit, struct err *e);
/* The client's address where limits may go by it, else "". */
const char *request_address(const struct request *q);

/* Who acts by it, for what the audit log keeps. Valid as long as q. */
struct acting request_acting(const struct request *q);
/* What origin_check() wants to know. */
struct origin_request request_origin(const struct request *q, enum origin_kind kind);
