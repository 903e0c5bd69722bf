/* http: HTTP/1.1 on the loop: connections, one request at a time, an answer that may come later or never end. It reads
 * no bodies. What libwebsockets 4.1.6 would do as well, at half its price for each poll and with its traps around
 * parked requests left out; a connection that becomes a WebSocket is handed on. Loop thread. */
#pragma once
#include "lib/base/base.h"
#include "ws/http_head.h"
#include <uv.h>

struct http;
struct http_conn;

/* owner: of the request that is not answered yet, as it was given to http_own(). */
struct http_hooks {
	/* A request. Inside, it is answered (http_answer), owned (http_own) or taken (http_take). head is gone after.
	 */
	void (*request)(void *arg, struct http_conn *h, const struct http_head *head);
	/* A request that cannot be read; the same is to be done. */
	void (*broken)(void *arg, struct http_conn *h, enum http_parsed why);
	/* The client has gone, or has half closed: nobody waits any more. The owner kills it. */
	void (*gone)(void *owner);
	/* The client has sent more behind its request. */
	void (*more)(void *owner);
	/* All that http_write() took is with the kernel. */
	void (*writeable)(void *owner);
	/* The connection is closed, and the owner with it. */
	void (*closed)(void *owner);
};

struct http *http_new(uv_loop_t *loop, const struct http_hooks *hooks, void *arg);
/* Takes a listening, non-blocking socket over. */
void http_listen(struct http *s, int fd);
/* Time-outs. now: mono ms. */
void http_tick(struct http *s, int64_t now);
/* Closes all: owners are told at once, handles close in the loop's next turns; http_free() after these. */
void http_close(struct http *s);
void http_free(struct http **s);

int http_fd(const struct http_conn *h);
/* The request is answered later. */
void http_own(struct http_conn *h, void *owner);
/* The whole answer, head and body; it has no owner any more. close: the connection ends with it. */
void http_answer(struct http_conn *h, const char *p, size_t n, bool close);

/* A part of an answer without an end. -1: the connection is broken: kill it. */
MUST_CHECK int http_write(struct http_conn *h, const char *p, size_t n);
/* Some of what was written is still here: nothing more may be. */
bool http_is_pending(const struct http_conn *h);
/* It ends, in order. closed() follows. */
void http_finish(struct http_conn *h);
/* It ends at once, from anywhere. closed() follows, later. */
void http_kill(struct http_conn *h);

/* The caller has the socket now; h is none any more. */
int http_take(struct http_conn *h);
