/* request: what a client asks for: its path, query, credential, judged before anything is opened. Nothing here blocks.
 */
#pragma once
#include "lib/auth/session.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/bus/cursor.h"
#include "lib/chat/interests.h"
#include "ws/callers.h"
#include "ws/http.h"
#include "ws/realtime.h"

#define REQUEST_ID_MAX 33

enum request_kind { REQUEST_SOCKET, REQUEST_SSE, REQUEST_POLL };

struct request {
	enum request_kind kind;
	bool has_cursor, has_instance, has_reads;
	bool has_credential; /* a stream without one is accepted, to be told 4001 */
	bool close;          /* the connection ends with the answer */
	struct cursor cursor;
	int64_t reads;              /* the sum of read_versions that the client knows of */
	char instance[37];          /* made here where the client names none */
	int64_t wait_ms;            /* of a poll */
	bool active;                /* … it brings input */
	struct interests interests; /* of a poll and of server-sent events */
	char secret_hash[SESSION_HASH_MAX];
	char *jwt;                        /* a provider's access token, until it has been looked at; NULL: none */
	char address[CALLER_ADDRESS_MAX]; /* of the client, "" where unknown */
	char id[REQUEST_ID_MAX];
};

/* Reads and judges; peer: http_peer(). -1: *out is NULL, *e says what to answer. */
MUST_CHECK int request_read(struct realtime *rt, const struct http_head *head, const char *peer, enum request_kind kind,
			    struct request **out, struct err *e);
void request_free(struct request **r); /* NULL is fine */
void request_drop_jwt(struct request *q);

/* True where Accept names text/event-stream. */
bool request_wants_sse(const struct http_head *head);
/* The whole WebSocket handshake but for the query: version, subprotocol, key. */
MUST_CHECK int request_check_handshake(const struct http_head *head, struct err *e);

/* Answers at once with problem+json (doc/protocol.md, section 2). head: NULL where there is none that could be read.
 * close: the connection does not go on. */
void request_problem(struct http_conn *h, const struct http_head *head, const struct err *e, bool close);

void request_new_id(char out[REQUEST_ID_MAX]);
/* The head of a problem answer and its body into b, for those who write it themselves. */
void problem_text(struct strbuf *b, const struct err *e, const char *request_id, bool close);
