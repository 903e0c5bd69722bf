/* request: what a client asks for: its path, query, credential, judged before anything is opened. Nothing here blocks.
 */
#pragma once
#include "lib/auth/rate.h"
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
	bool has_cursor, has_instance;
	bool has_credential; /* a stream without one is accepted, to be told 4001 */
	bool close;          /* the connection ends with the answer */
	struct cursor cursor;
	int64_t reads, drafts;       /* as of receiver_asks() */
	char instance[37];           /* made here where the client names none */
	int64_t wait_ms;             /* of a poll */
	bool active;                 /* … it brings input */
	struct interests *interests; /* of a poll and of server-sent events; NULL: it names none */
	char secret_hash[SESSION_HASH_MAX];
	char *jwt;                        /* a provider's access token, until it has been looked at; NULL: none */
	char address[CALLER_ADDRESS_MAX]; /* of the client, "" where unknown */
	char id[REQUEST_ID_MAX];
	struct rate_left rate; /* which of its limits the answer tells of */
};

/* Reads and judges, the whole WebSocket handshake too. NULL: it is answered already. */
struct request *request_take(struct realtime *rt, struct http_conn *h, const struct http_head *head,
			     enum request_kind kind);
void request_free(struct request **r); /* NULL is fine */
void request_drop_jwt(struct request *q);

/* True where Accept names text/event-stream. */
bool request_wants_sse(const struct http_head *head);

/* Answers at once with problem+json (doc/protocol.md, section 2). head: NULL where there is none that could be read.
 * close: the connection does not go on. */
void request_problem(struct http_conn *h, const struct http_head *head, const struct err *e, bool close);

void request_new_id(char out[REQUEST_ID_MAX]);
/* The head of a problem answer and its body into b, for those who write it themselves. */
void problem_text(struct strbuf *b, const struct err *e, const char *request_id, const struct rate_left *rate,
		  bool close);
