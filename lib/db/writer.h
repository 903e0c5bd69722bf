/* writer: group commit (doc/events.md). Items queue; one batch is under way at a time; what arrives meanwhile forms the
 * next. One call of write_batch() per batch. Knows no loop and no thread: its owner watches the descriptor, and calls
 * everything from one thread. A connection lost during COMMIT is resolved by running the batch again: what was stored
 * answers "again" under its client id. */
#pragma once
#include "lib/db/pgconn.h"
#include "lib/db/write_item.h"
struct config;

struct writer;

/* hooks: only watch is used, with arg. */
struct writer *writer_new(const struct config *c, const char *name, void (*watch)(void *arg, int fd, int events),
			  void *arg);
/* Fails what is queued with ERR_UNAVAILABLE (done is called), then frees. */
void writer_free(struct writer **w);

/* Takes the item over, or ERR_BUSY over the queue's bound and the item stays the caller's. */
MUST_CHECK int writer_submit(struct writer *w, struct write_item *item, struct err *e);
void writer_ready(struct writer *w, int events);
int64_t writer_tick(struct writer *w, int64_t now); /* as pgconn_tick(); call it after a submit too */
bool writer_idle(const struct writer *w);           /* nothing queued, nothing under way: for a graceful stop */
bool writer_is_up(const struct writer *w);

struct writer_stats {
	uint64_t batches, items, retries, failures, deferred;
	size_t queued, queued_bytes;
};
void writer_stats(const struct writer *w, struct writer_stats *out);
