/* stream: a stream that stays open, as a WebSocket or as server-sent events: its hello, heartbeats, time-outs, writes
 * from the loop's flush, its bound, its goodbye. The members of struct transport that both share. */
#pragma once
#include "ws/conn.h"

#define STREAM_PATIENCE_S 2 /* for a client to answer a close, or to read what is before it */

struct stream;
struct stream_kind {
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
};

struct stream {
	struct conn c; /* first */
	const struct stream_kind *kind;
	int64_t beat_at, touch_at, kill_at, life_due, progress_at; /* mono ms; 0: not set */
	int64_t retry_after_ms;                                    /* as the goodbye says */
	bool ending;                                               /* what is queued is the last */
};

static inline struct stream *stream_of(struct conn *c)
{
	return (struct stream *)c;
}

size_t stream_room(struct conn *c);
void stream_begin(struct conn *c);
void stream_live(struct conn *c);
void stream_flush(struct conn *c);
void stream_writeable(struct conn *c);
void stream_end(struct conn *c, int64_t retry_after_ms);
void stream_refuse(struct conn *c, enum close_code code, const struct err *e);
void stream_overflow(struct conn *c);
void stream_due(struct conn *c, int64_t now);

/* What is queued goes out, then it ends. */
void stream_finish(struct stream *s);
/* Its time-outs have changed. */
void stream_set_timer(struct stream *s);
