/* ring: the newest events of the log in memory, ids without a hole. Each is chained to the one before it of the same
 * channel, of everyone's, and of the same user, so that a reader who was away walks his own events only. One thread. */
#pragma once
#include "lib/bus/payload.h"
#include "lib/live/line.h"

struct ring_entry {
	int64_t id, channel, audience, subject;
	int64_t prev;      /* in its channel (audience 0) or among everyone's (-1, -2); 0: none */
	int64_t prev_own;  /* of the user whom it goes to or is about, wherever it stands beside */
	struct line *line; /* NULL where the log does not hold the event any more */
	char kind;
};

struct ring;

/* Bounded by both: events and bytes of lines (with what keeping one costs). The newest event is always kept. */
struct ring *ring_new(size_t events_max, size_t bytes_max);
void ring_free(struct ring **r);
/* Forgets everything; the next event is head + 1. */
void ring_start(struct ring *r, int64_t head);

int64_t ring_head(const struct ring *r);  /* the last id */
int64_t ring_first(const struct ring *r); /* the oldest id held, head + 1 where there is none */
size_t ring_bytes(const struct ring *r);

/* ev->id must be ring_head() + 1. Takes a reference on line (NULL with EVENT_MISSING alone). */
void ring_append(struct ring *r, const struct event *ev, struct line *line);
/* NULL where id is not held. Valid until the next append. */
const struct ring_entry *ring_get(const struct ring *r, int64_t id);

/* The newest id of a chain, 0 where nothing of it is held. Walk on by prev (prev_own) while ring_get() knows it. */
int64_t ring_last_of_channel(const struct ring *r, int64_t channel);
int64_t ring_last_of_everyone(const struct ring *r);
int64_t ring_last_of_user(const struct ring *r, int64_t user);

/* Puts the tail of a message's tombstone (behind `"cursor":"…",`) in place of what its lines say, under their ids.
 * Returns how many were changed. What a connection has queued already is another matter: it is on its way. */
size_t ring_redact(struct ring *r, int64_t channel, int64_t seq, struct span tail);
