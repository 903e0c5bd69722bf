/* stream: the transport that stays open, as a WebSocket or as server-sent events: its hello, heartbeats, time-outs,
 * what is queued for it, writes from the loop's flush, its bound, its goodbye. */
#pragma once
#include "ws/conn.h"

#define STREAM_PATIENCE_S 2 /* for a client to answer a close, or to read what is before it */

struct stream;
/* What differs. */
struct stream_kind {
	const char *name;
	enum request_kind request;
	size_t write_bytes; /* of joined lines in one write; a longer line is one of its own */
	/* Whether it takes a write now. */
	bool (*may_write)(const struct stream *s);
	/* Asks for transport_writeable(). */
	void (*want_write)(struct stream *s);
	/* Writes the first n lines of the queue. -1: it failed. */
	int (*write)(struct stream *s, size_t n);
	/* It ends, and all before it is written or waits to be: goodbye, once. */
	void (*finish)(struct stream *s);
	/* It has been too slow; its queue is empty. */
	void (*cut)(struct stream *s);
	/* Asks for a sign of life, behind a heartbeat. NULL: none is to be had. */
	void (*ping)(struct stream *s, int64_t now);
	/* Its hello is queued. NULL: nothing to do. */
	void (*begun)(struct stream *s);
	/* What was written is with the kernel; lines follow. NULL: nothing to do. */
	void (*writeable)(struct stream *s);
	/* As of struct transport. NULL: nothing to do. */
	void (*bytes)(struct conn *c, const char *p, size_t n);
	void (*release)(struct conn *c);
};

struct stream {
	struct conn c; /* first */
	struct line **queue, *few[2];
	size_t queue_n, queue_cap, queue_bytes;
	const struct stream_kind *kind;
	uint64_t sent;       /* logged events so far */
	int64_t progress_at; /* mono ms, as the next ones; 0: not set */
	struct receiver receiver;
	int64_t beat_at, touch_at, kill_at, life_due;
	int64_t waiting_since;     /* since when something has waited, without a break; where something does */
	int64_t drain_due;         /* fell behind in a burst: by then some of what waits must have left */
	int64_t retry_after_ms;    /* as the goodbye says */
	struct instance *instance; /* NULL: its client names none */
	bool ending;               /* what is queued is the last */
	bool doubted;              /* life_due has passed once: the socket is read once more before it counts */
};

static inline struct stream *stream_of(struct conn *c)
{
	return (struct stream *)c;
}

/* As conn_new(). size: of the struct that begins with the stream. */
struct stream *stream_new(struct realtime *rt, const struct stream_kind *kind, size_t size, struct request *request);
/* Queues a line of its own, behind what is there. */
void stream_queue_text(struct stream *s, const char *p, size_t n);
/* What is queued goes out, then it ends. */
void stream_finish(struct stream *s);
