/* poll: as a receiver, and its answer. */
#include "lib/live/poll.h"
#include "lib/base/config.h"
#include "lib/live/control.h"
#include <stdlib.h>
#include <string.h>

#define LAST_LINE_BYTES 128
#define WAIT_MAX_S 55

static struct live_poll *poll_of(struct receiver *r)
{
	return (struct live_poll *)r;
}

/* Where it stands now is where its answer ends. Not from inside of live's functions, which may have moved on. */
static void stop(struct live_poll *p)
{
	struct receiver *r = &p->receiver;

	r->position = MAX_OF(live_position(p->live, r), p->queued_id);
	r->state = RECEIVER_OUT;
}

static void queue(struct live_poll *p, struct line *l)
{
	if (p->queue_n == p->queue_cap) {
		p->queue_cap = MAX_OF((size_t)4, p->queue_cap * 2);
		p->queue = xrealloc(p->queue, p->queue_cap * sizeof(*p->queue));
	}
	p->queue[p->queue_n++] = line_ref(l);
	p->queued += l->n;
	p->changed(p);
}

static size_t full(const struct live_poll *p)
{
	return MIN_OF(LIVE_POLL_BYTES, p->queue_bytes);
}

static void on_begin(struct receiver *r)
{
	struct live_poll *p = poll_of(r);

	p->began = true;
	p->started_at = live_position(p->live, r);
	if (p->interests)
		live_interests(p->live, r, p->interests);
	p->interests = NULL;
	p->state_known = !r->interest;
	p->changed(p);
}

static void on_line(struct receiver *r, struct line *l, int64_t id)
{
	struct live_poll *p = poll_of(r);

	if (p->ended || p->superseded)
		return;
	if (!id && p->queued + l->n > p->queue_bytes / 2)
		return;                                        /* a slow reader does without state */
	if (p->queue_n && p->queued + l->n > p->queue_bytes) { /* this one comes with the next poll */
		p->ended = true;
		r->position = p->queued_id ? p->queued_id : p->started_at;
		r->state = RECEIVER_OUT;
		p->changed(p);
		return;
	}
	queue(p, l);
	if (id)
		p->queued_id = id;
}

static size_t on_room(struct receiver *r)
{
	struct live_poll *p = poll_of(r);

	if (p->ended || p->superseded)
		return 0;
	if (p->queued < full(p))
		return full(p) - p->queued;
	p->changed(p); /* that is an answer */
	return 0;
}

static void on_live(struct receiver *r)
{
	struct live_poll *p = poll_of(r);

	p->caught_up = true;
	p->changed(p);
}

static void on_reset(struct receiver *r, const char *reason)
{
	struct live_poll *p = poll_of(r);
	char cursor[CURSOR_TEXT_MAX];
	AUTO_STRBUF b = {0};
	struct line *l;

	if (p->ended || p->superseded)
		return;
	control_reset(&b, cursor_text(cursor, live_mark(p->live), live_position(p->live, r)), reason);
	l = line_new(b.p, b.n);
	queue(p, l);
	line_unref(&l);
	p->queued_id = live_position(p->live, r);
	on_live(r);
}

static void on_refused(struct receiver *r, const struct err *e)
{
	live_poll_refuse(poll_of(r), e);
}

static void on_ended(struct receiver *r, enum live_end why)
{
	/* the next poll is told more */
	live_poll_end(poll_of(r), why == LIVE_DEACTIVATED ? "this account is deactivated" : "signed out", 0);
}

static void on_state(struct receiver *r, bool differs)
{
	struct live_poll *p = poll_of(r);

	p->state_known = true;
	p->state_differs |= differs;
	p->changed(p);
}

static const struct receiver_hooks hooks = {
	.begin = on_begin,
	.line = on_line,
	.room = on_room,
	.live = on_live,
	.reset = on_reset,
	.refused = on_refused,
	.ended = on_ended,
	.state = on_state,
};

int64_t live_poll_wait_max(const struct config *c)
{
	return MAX_OF(c->realtime.poll_hold_max / 1000, (int64_t)WAIT_MAX_S);
}

int64_t live_poll_hold(const struct config *c, int64_t wait_s)
{
	return MIN_OF(wait_s < 0 ? c->realtime.poll_hold : wait_s * 1000, c->realtime.poll_hold_max);
}

void live_poll_init(struct live_poll *p, struct live *live, size_t queue_bytes, void (*changed)(struct live_poll *p))
{
	p->receiver.hooks = &hooks;
	p->live = live;
	p->queue_bytes = queue_bytes;
	p->changed = changed;
}

void live_poll_release(struct live_poll *p)
{
	for (size_t i = 0; i < p->queue_n; i++)
		line_unref(&p->queue[i]);
	free(p->queue);
	free(p->problem);
	strbuf_release(&p->state);
	p->queue = NULL;
	p->problem = NULL;
	p->queue_n = p->queue_cap = p->queued = 0;
}

static bool is_over(const struct live_poll *p)
{
	return p->problem || p->ended;
}

static bool is_urgent(const struct live_poll *p)
{
	return !p->has_cursor || p->superseded || p->hurried || p->queued >= full(p) || p->expired > 1 ||
	       (p->expired && ((p->caught_up && p->state_known) || p->queue_n));
}

bool live_poll_due(const struct live_poll *p)
{
	if (is_over(p))
		return true;
	if (!p->began)
		return false;
	if (is_urgent(p) || !p->caught_up)
		return is_urgent(p);
	return p->waits ? p->queue_n || p->state_differs : p->state_known;
}

bool live_poll_may_gather(const struct live_poll *p)
{
	return !is_over(p) && !is_urgent(p) && p->waits;
}

void live_poll_expire(struct live_poll *p)
{
	p->expired = p->began ? p->expired + 1 : 1;
	p->changed(p);
}

void live_poll_hurry(struct live_poll *p)
{
	p->hurried = true;
	p->changed(p);
}

void live_poll_supersede(struct live_poll *p)
{
	p->superseded = true;
	if (p->began) /* else it begins first: its answer tells where */
		p->receiver.state = RECEIVER_OUT;
	p->changed(p);
}

void live_poll_refuse(struct live_poll *p, const struct err *e)
{
	if (is_over(p))
		return;
	p->receiver.state = RECEIVER_OUT;
	p->problem = xmalloc(sizeof(*p->problem));
	*p->problem = *e;
	p->changed(p);
}

void live_poll_end(struct live_poll *p, const char *why, int64_t retry_after_ms)
{
	if (is_over(p))
		return;
	stop(p);
	p->ended = true;
	p->retry_after_ms = retry_after_ms;
	if (!p->began) { /* it has no place to tell of */
		p->problem = xcalloc(1, sizeof(*p->problem));
		err_retry(p->problem, ERR_UNAVAILABLE, (int)MAX_OF(retry_after_ms, (int64_t)1000), "%s", why);
	}
	p->changed(p);
}

void live_poll_take_state(struct live_poll *p)
{
	if (!p->superseded)
		live_state(p->live, &p->receiver, &p->state, p->digest);
	else if (p->receiver.has_cursor)
		memcpy(p->digest, p->receiver.cursor.digest, sizeof(p->digest));
}

size_t live_poll_size(const struct live_poll *p)
{
	return p->queued + p->queue_n + p->state.n + LAST_LINE_BYTES;
}

void live_poll_render(const struct live_poll *p, struct strbuf *b, char cursor[CURSOR_TEXT_MAX])
{
	int64_t at = p->superseded ? p->started_at : live_position(p->live, &p->receiver);

	strbuf_reserve(b, live_poll_size(p));
	cursor_text_digest(cursor, live_mark(p->live), at, p->digest);
	for (size_t i = 0; i < p->queue_n && !p->superseded; i++) {
		strbuf_add(b, p->queue[i]->p, p->queue[i]->n);
		strbuf_addc(b, '\n');
	}
	if (p->state.n)
		strbuf_add(b, p->state.p, p->state.n);
	control_cursor(b, cursor, p->retry_after_ms);
	strbuf_addc(b, '\n');
}
