/* http: HTTP/1.1 on the loop: connections, one request at a time, an answer that may come later or never end. It reads
 * no bodies. A connection may be switched to another protocol, whose bytes it then carries. Loop thread. */
#pragma once
#include "lib/base/base.h"
#include "ws/http_head.h"
#include <uv.h>

struct http;
struct http_conn;

/* owner: of the request that is not answered yet, as it was given to http_own(). */
struct http_hooks {
	/* A request. Inside, it is answered (http_answer), owned (http_own) or switched (http_switch). head is gone
	 * after. */
	void (*request)(void *arg, struct http_conn *h, const struct http_head *head);
	/* A request that cannot be read; the same is to be done. */
	void (*broken)(void *arg, struct http_conn *h, enum http_parsed why);
	/* The client has gone, or has half closed: nobody waits any more. The owner kills it. */
	void (*gone)(void *owner);
	/* The client has sent more behind its request. */
	void (*more)(void *owner);
	/* What came on a switched connection. */
	void (*bytes)(void *owner, const char *p, size_t n);
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

/* The other end's address, as it was when it connected; NULL: a Unix socket. */
const char *http_peer(const struct http_conn *h);
/* The request is answered later. */
void http_own(struct http_conn *h, void *owner);
/* The whole answer, head and body; it has no owner any more. close: the connection ends with it. */
void http_answer(struct http_conn *h, const char *p, size_t n, bool close);

/* The connection speaks another protocol from here on: p is the answer that says so. -1: it is broken: kill it. */
MUST_CHECK int http_switch(struct http_conn *h, void *owner, const char *p, size_t n);

/* A part of an answer without an end, or of another protocol. What the kernel does not take waits here, and what is
 * written meanwhile behind it: the caller bounds that. -1: the connection is broken: kill it. */
MUST_CHECK int http_write(struct http_conn *h, const char *p, size_t n);
/* Some of what was written is still here. */
bool http_is_pending(const struct http_conn *h);
/* Tries to write that now: the kernel tells of room late, when a good part of its own is free. True: some of it left,
 * or it broke; writeable() may have been called. */
bool http_push(struct http_conn *h);
/* It ends, in order. closed() follows. */
void http_finish(struct http_conn *h);
/* It ends at once, from anywhere. closed() follows, later. */
void http_kill(struct http_conn *h);
