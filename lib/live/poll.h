/* poll: a receiver that gathers the lines of one answer (doc/protocol.md, section 5, long-poll). Knows no transport:
 * its owner adds it by live_add(), answers when it is due (lib/live/polls.h), and removes it. One thread, that of live.
 */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/live/live.h"

#define LIVE_POLL_BYTES ((size_t)256 << 10) /* of an answer's lines, about; what is more comes with the next poll */

struct live_poll {
	struct receiver receiver; /* first */
	struct live *live;
	/* It may be due now. Called from inside of live's functions, so it may only take note. */
	void (*changed)(struct live_poll *p);
	size_t queue_bytes; /* bound of what is queued */
	bool waits;         /* where there is nothing yet; else it is answered as soon as that is known */
	bool has_cursor;    /* without one it only learns where the log stands */
	const struct interests *interests; /* until it has begun; NULL: none */

	bool began, caught_up, superseded, ended, hurried;
	bool state_known, state_differs; /* what it is interested in: has been read; is worth an answer */
	int expired;                     /* since it began; 1 before */
	struct err *problem;             /* it cannot begin, or not go on: this is the answer; NULL: none */
	int64_t started_at;              /* the log's id that it began from */
	int64_t queued_id;               /* of the last event queued */
	int64_t retry_after_ms;
	struct strbuf state; /* lines that the answer bears beside */
	char digest[CURSOR_DIGEST_LEN + 1];
	struct line **queue;
	size_t queue_n, queue_cap, queued;
	/* of lib/live/polls.c */
	struct instance *instance;
	int64_t arrived, gather_until; /* mono ms */
	bool gathers;
	TAILQ_ENTRY(live_poll) gather_link;
};

struct config;

/* The most seconds that a poll may ask to wait: what the protocol has, or more where the site holds them for longer. */
int64_t live_poll_wait_max(const struct config *c);
/* ms that one is held which asks for so many seconds, -1: says nothing of it; no longer than the site wants. */
int64_t live_poll_hold(const struct config *c, int64_t wait_s);

/* p is zeroed. */
void live_poll_init(struct live_poll *p, struct live *live, size_t queue_bytes, void (*changed)(struct live_poll *p));
/* It is not in live any more. */
void live_poll_release(struct live_poll *p);

/* Time to answer. */
bool live_poll_due(const struct live_poll *p);
/* It is due for its lines alone, and more of them would be welcome. */
bool live_poll_may_gather(const struct live_poll *p);

/* Its wait is over; where it is still on its way to now with nothing to give, it goes on until the second call. */
void live_poll_expire(struct live_poll *p);
void live_poll_hurry(struct live_poll *p);     /* what it has is wanted now */
void live_poll_supersede(struct live_poll *p); /* a newer one of its instance has come */
/* It cannot go on: this is its answer. */
void live_poll_refuse(struct live_poll *p, const struct err *e);
/* Ends it from here on; what it has is answered, or why where it has not begun. */
void live_poll_end(struct live_poll *p, const char *why, int64_t retry_after_ms);

/* Takes what it is interested in, as it is now, for the answer that follows. */
void live_poll_take_state(struct live_poll *p);
/* Bytes that live_poll_render() adds at most. */
size_t live_poll_size(const struct live_poll *p);
/* The body of its answer, and the cursor that goes with it. Not where there is a problem. */
void live_poll_render(const struct live_poll *p, struct strbuf *b, char cursor[CURSOR_TEXT_MAX]);
