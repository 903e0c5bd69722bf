/* request: what a client asks for: its path, query, credential, judged before anything is opened. Nothing here blocks.
 */
#pragma once
#include "lib/auth/session.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/bus/cursor.h"
#include "ws/callers.h"
#include "ws/realtime.h"
struct lws;

#define REQUEST_ID_MAX 33

enum request_kind { REQUEST_SOCKET, REQUEST_SSE, REQUEST_POLL };

struct request {
	enum request_kind kind;
	bool has_cursor, has_instance;
	bool has_credential; /* a stream without one is accepted, to be told 4001 */
	bool close;          /* the connection ends with the answer */
	struct cursor cursor;
	char instance[37]; /* made here where the client names none */
	int64_t wait_ms;   /* of a poll */
	char secret_hash[SESSION_HASH_MAX];
	char address[CALLER_ADDRESS_MAX]; /* of the client, "" where unknown */
	char id[REQUEST_ID_MAX];
};

/* Reads and judges. -1: *out is NULL, *e says what to answer; allow (where set) is for the header of that name. */
MUST_CHECK int request_read(struct realtime *rt, struct lws *wsi, enum request_kind kind, struct request **out,
			    struct err *e);
void request_free(struct request **r); /* NULL is fine */

/* True where the path is that of kind. */
bool request_path_is(struct lws *wsi, const char *path);
/* True where Accept names text/event-stream. */
bool request_wants_sse(struct lws *wsi);
/* The whole WebSocket handshake but for the query: version, subprotocol, key. */
MUST_CHECK int request_check_handshake(struct lws *wsi, struct err *e);

/* Answers at once with problem+json (doc/protocol.md, section 2). close: the connection does not go on. Returns what an
 * HTTP callback is to return. */
int request_problem(struct lws *wsi, const struct err *e, const char *request_id, bool close);

void request_new_id(char out[REQUEST_ID_MAX]);
/* The head of a problem answer and its body into b, for those who write it themselves. */
void problem_text(struct strbuf *b, const struct err *e, const char *request_id, bool close);
