/* state_member: who is in the channels that are looked at, what he has read there, and who may watch whom, as the bus
 * and the log say. */
#include "lib/base/clock.h"
#include "lib/json/jx.h"
#include "lib/live/state_private.h"
#include <string.h>

#define NEWER_MAX 64 /* membership events that are applied on top of an answer */

/* ---- joins and leaves of the log */

static void joined(struct live *l, struct focused *c, int64_t user)
{
	c->members_all++;
	if (!c->small || focus_member(c, user))
		return;
	focus_add_member(&l->state->focus, c, user)->joined = ++l->state->focus.changes;
	state_stale(l, c); /* his presence and his mark; or it is not small any more */
}

static void left(struct live *l, struct focused *c, int64_t user)
{
	c->members_all--;
	if (c->small)
		focus_remove_member(&l->state->focus, c, user);
	else if (c->members_all <= STATE_SMALL_CHANNEL)
		state_stale(l, c);
}

bool state_catch_up(struct live *l, struct focused *c)
{
	const struct ring_entry *e;
	int64_t newer[NEWER_MAX];
	size_t n = 0;

	if (c->as_of < ring_head(l->ring) && c->as_of + 1 < ring_first(l->ring))
		return false;
	for (int64_t id = ring_last_of_channel(l->ring, c->id); id > c->as_of && (e = ring_get(l->ring, id));
	     id = e->prev) {
		if (e->kind != EVENT_JOIN && e->kind != EVENT_LEAVE)
			continue;
		if (n == NEWER_MAX)
			return false;
		newer[n++] = id;
	}
	while (n) {
		e = ring_get(l->ring, newer[--n]);
		if (e->kind == EVENT_JOIN)
			joined(l, c, e->subject);
		else
			left(l, c, e->subject);
	}
	return true;
}

/* Whether he may watch is to be judged again. */
static bool judge_again(struct watch *w, bool join)
{
	enum watch_state before = w->state;

	if (before == WATCH_ASKED || before == (join ? WATCH_NO : WATCH_YES))
		w->state = WATCH_NEW;
	if (w->state != before && !join)
		w->fresh = true; /* he is told all where it turns out that he may */
	return w->state != before;
}

static void judge_watchers(struct live *l, struct watched *p, bool join, int64_t now)
{
	struct watch *w;

	LIST_FOREACH(w, &p->watches, link)
	if (judge_again(w, join))
		state_wake(l, w->interest, now);
}

static void judge_own(struct live *l, struct interest *i, const struct focused *c, bool join, int64_t now)
{
	for (size_t k = 0; k < i->watches_n; k++)
		if (judge_again(&i->watches[k], join))
			state_wake(l, i, now);
	for (size_t k = 0; k < i->looks_n; k++)
		if (i->looks[k].channel == c) { /* in again, he is told all of it */
			i->looks[k].fresh = true;
			memset(&i->looks[k].typing_told, 0, sizeof(i->looks[k].typing_told));
			state_wake(l, i, now);
		}
}

void state_membership(struct live *l, const struct event *ev, int64_t now)
{
	struct focused *c = focus_channel(&l->state->focus, ev->channel);
	const struct live_user *u = audience_find(l->audience, ev->subject);
	bool join = ev->kind == EVENT_JOIN;
	struct watched *p;

	if (c && c->load == LOAD_DONE && ev->id > c->as_of) {
		if (join)
			joined(l, c, ev->subject);
		else
			left(l, c, ev->subject);
	}
	if (c && !join)
		state_types_no_more(l, c, ev->subject);
	p = focus_person(&l->state->focus, ev->subject); /* not before: he may have been known as a member alone */
	if (p)
		judge_watchers(l, p, join, now);
	for (struct receiver *r = u ? u->receivers : NULL; r; r = r->next)
		if (r->interest)
			judge_own(l, r->interest, c, join, now);
}

/* ---- read marks */

bool state_set_mark(struct state *s, const struct focused *c, struct member *m, int64_t seq, int64_t delivered)
{
	int64_t was = m->seq, was_delivered = m->delivered;

	m->seq = seq < 0 ? -1 : MAX_OF(m->seq, seq); /* forward only */
	m->delivered = seq < 0 || !c->direct ? -1 : MAX_OF(m->delivered, delivered);
	if (m->seq == was && m->delivered == was_delivered)
		return false;
	m->marked = ++s->focus.changes;
	return true;
}

void state_mark_line(struct live *l, const struct event *ev, int64_t now)
{
	struct state *s = l->state;
	struct focused *c = focus_channel(&s->focus, ev->channel);
	struct heard_mark got = {.channel = ev->channel, .user = ev->subject, .seq = -1, .delivered = -1};
	const struct jx *seq, *delivered;
	struct err e = {0};
	struct jx *o = NULL;
	struct member *m;
	struct look *k;

	if (!c || c->load == LOAD_NEW || jx_parse(ev->json.p, ev->json.n, &o, &e) < 0)
		return;
	seq = jx_get(o, "seq"); /* null: he shows it no more */
	delivered = jx_get(o, "delivered");
	if (jx_is(seq, JX_INT))
		got.seq = jx_number(seq);
	if (jx_is(delivered, JX_INT))
		got.delivered = jx_number(delivered);
	jx_free(&o);
	if (s->asking)
		heard_of_mark(&s->heard, &got);
	m = c->load == LOAD_DONE ? focus_member(c, ev->subject) : NULL;
	if (!m || !state_set_mark(s, c, m, got.seq, got.delivered))
		return;
	LIST_FOREACH(k, &c->looks, link)
	state_wake(l, k->interest, MAX_OF(now, k->interest->reads_at));
}
