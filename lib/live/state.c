/* state: what is known of presence, typing and reads, and who has to be told when it changes. Read from the database
 * when the first receiver is interested, then kept up by the lines of the bus. */
#include "lib/live/state.h"
#include "lib/base/clock.h"
#include "lib/chat/interests.h"
#include "lib/chat/message.h"
#include "lib/live/state_private.h"
#include <stdlib.h>
#include <string.h>

#define DEAF_REFRESH_MS 5000

/* ---- who has to be told */

void state_wake(struct live *l, struct interest *i, int64_t at)
{
	struct state *s = l->state;

	if (i->wakes && i->wake_at <= at)
		return;
	if (!i->wakes)
		TAILQ_INSERT_TAIL(&s->waking, i, wake);
	i->wakes = true;
	i->wake_at = at;
	s->wake_at = MIN_OF(s->wake_at, at);
}

void state_wake_looks(struct live *l, const struct focused *c, int64_t now)
{
	struct look *k;

	LIST_FOREACH(k, &c->looks, link)
	state_wake(l, k->interest, now);
}

void state_wake_watchers(struct live *l, const struct watched *p, int64_t now)
{
	struct watch *w;
	struct look *k;

	for (size_t i = 0; i < p->channels_n; i++) {
		LIST_FOREACH(k, &p->channels[i]->looks, link)
		state_wake(l, k->interest, MAX_OF(now, k->interest->presence_at));
	}
	LIST_FOREACH(w, &p->watches, link)
	state_wake(l, w->interest, MAX_OF(now, w->interest->presence_at));
}

/* ---- from start to end */

void state_start(struct live *l)
{
	struct state *s = xcalloc(1, sizeof(*s));

	focus_init(&s->focus);
	TAILQ_INIT(&s->waking);
	TAILQ_INIT(&s->stale);
	s->wake_at = INT64_MAX;
	l->state = s;
	state_typing_start(l);
}

void state_free(struct live *l)
{
	struct state *s = l->state;

	focus_release(&s->focus);
	heard_forget(&s->heard);
	state_typing_free(s);
	free(s->people);
	free(s);
	l->state = NULL;
}

static struct interest *interest_of(struct receiver *r)
{
	struct interest *i = r->interest;

	if (!i) {
		i = xcalloc(1, sizeof(*i));
		i->receiver = r;
		r->interest = i;
	}
	return i;
}

void live_interests(struct live *l, struct receiver *r, const struct interests *wanted)
{
	int64_t now = clock_mono_ms();
	struct interest *i;

	if (!r->user || (!r->interest && !wanted->channels_n && !wanted->users_n))
		return;
	i = interest_of(r);
	if (wanted->focus)
		focus_look(&l->state->focus, i, wanted->channels, wanted->channels_n, now);
	if (wanted->watch)
		focus_watch(&l->state->focus, i, wanted->users, wanted->users_n);
	tell_asked(i, now);
	state_wake(l, i, now);
}

void state_forget(struct live *l, struct receiver *r)
{
	struct interest *i = r->interest;

	if (!i)
		return;
	focus_look(&l->state->focus, i, NULL, 0, clock_mono_ms());
	focus_watch(&l->state->focus, i, NULL, 0);
	if (i->wakes)
		TAILQ_REMOVE(&l->state->waking, i, wake);
	free(i);
	r->interest = NULL;
}

void state_live(struct live *l, struct receiver *r)
{
	if (r->interest)
		state_wake(l, r->interest, clock_mono_ms());
}

void state_user(struct live *l, const struct live_user *u)
{
	for (struct receiver *r = u->receivers; r; r = r->next)
		state_live(l, r);
}

static void begin_anew(struct live *l, struct interest *i)
{
	i->judging = false;
	for (size_t k = 0; k < i->watches_n; k++) {
		i->watches[k].state = WATCH_NEW;
		i->watches[k].fresh = true;
	}
	for (size_t k = 0; k < i->looks_n; k++) {
		i->looks[k].fresh = true;
		memset(&i->looks[k].typing_told, 0, sizeof(i->looks[k].typing_told));
	}
	state_wake(l, i, clock_mono_ms());
}

void state_restart(struct live *l)
{
	struct state *s = l->state;
	struct focused *c, *next;
	struct live_user *u = NULL;

	s->asking = 0;
	s->refreshing = false;
	s->out.n = 0;
	heard_forget(&s->heard);
	HASH_ITER(hh, s->focus.channels, c, next)
	{
		state_not_stale(l, c);
		focus_clear_members(&s->focus, c);
		typing_clear(&c->typing);
		c->load = LOAD_NEW;
		c->refreshing = false;
	}
	while ((u = audience_next(l->audience, u)))
		for (struct receiver *r = u->receivers; r; r = r->next)
			if (r->interest)
				begin_anew(l, r->interest);
}

/* ---- lines of the bus */

static void presence_line(struct live *l, const struct event *ev, int64_t now)
{
	struct state *s = l->state;
	struct watched *p = focus_person(&s->focus, ev->subject);

	if (s->asking)
		heard_of_presence(&s->heard, ev->subject);
	if (p && focus_presence(&s->focus, p, ev->json.p, ev->json.n))
		state_wake_watchers(l, p, now);
}

static void interest_line(struct live *l, const struct event *ev)
{
	struct live_user *u = audience_find(l->audience, ev->audience);
	struct interests wanted;
	char instance[37];

	if (!u || !u->receivers || !interests_from_notice(ev->json, instance, &wanted))
		return;
	for (struct receiver *r = u->receivers; r; r = r->next)
		if (r->instance && r->state != RECEIVER_OUT && !strcmp(r->instance, instance))
			live_interests(l, r, &wanted);
}

void state_line(struct live *l, const struct event *ev)
{
	int64_t now = clock_mono_ms();

	switch (ev->kind) {
	case EVENT_PRESENCE:
		presence_line(l, ev, now);
		break;
	case EVENT_TYPING:
		state_typing_line(l, ev, now);
		break;
	case EVENT_MARK:
		state_mark_line(l, ev, now);
		break;
	case EVENT_INTEREST:
		interest_line(l, ev);
		break;
	default:
		break;
	}
}

/* ---- events of the log */

void state_event(struct live *l, const struct event *ev, const struct line *line)
{
	struct focused *c;

	if (!l->state->focus.channels && !l->state->focus.people)
		return;
	if (ev->kind != EVENT_MESSAGE) {
		state_membership(l, ev, clock_mono_ms());
		return;
	}
	c = focus_channel(&l->state->focus, ev->channel);
	if (c && c->typing.n && line)
		state_types_no_more(l, c, message_sender((struct span){line->p, line->n}));
}

/* ---- time */

static void forget_channel(void *arg, struct focused *c)
{
	struct live *l = arg;

	state_not_stale(l, c);
	if (c->types)
		state_typing_stop(c);
}

void state_tick(struct live *l, int64_t now)
{
	struct state *s = l->state;

	focus_sweep(&s->focus, now, forget_channel, l);
	if (l->hears || s->refresh_at > now || !l->mark[0])
		return;
	s->refresh_at = now + DEAF_REFRESH_MS;
	state_reload(l);
}

static void attend(struct live *l, struct interest *i, int64_t now)
{
	struct receiver *r = i->receiver;

	if (r->state == RECEIVER_OUT || !r->user->loaded)
		return; /* state_user() wakes it */
	state_ask(l, i);
	if (r->state != RECEIVER_LIVE)
		return; /* state_live() does */
	if (r->hooks->state)
		tell_poll(l, i, now);
	else
		tell_stream(l, i, now);
}

void state_work(struct live *l, int64_t now)
{
	struct state *s = l->state;
	struct interest_list all = TAILQ_HEAD_INITIALIZER(all);
	struct interest *i;

	state_typing_work(l, now);
	if (s->wake_at <= now) {
		s->wake_at = INT64_MAX;
		TAILQ_CONCAT(&all, &s->waking, wake);
		while ((i = TAILQ_FIRST(&all))) {
			TAILQ_REMOVE(&all, i, wake);
			i->wakes = false;
			if (i->wake_at > now)
				state_wake(l, i, i->wake_at);
			else
				attend(l, i, now);
		}
		for (size_t k = 0; k < s->lines_n; k++)
			line_unref(&s->lines[k]);
		s->lines_n = 0;
	}
	state_refresh(l);
}

int64_t live_next(const struct live *l)
{
	return MIN_OF(l->state->wake_at, state_typing_next(l->state));
}
