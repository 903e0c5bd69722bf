/* state: what is known of presence, typing and reads, and who has to be told when it changes. Read from the database
 * when the first receiver is interested, then kept up by the lines of the bus. What the bus says while a question is
 * under way counts more than its answer, which may be older. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/chat/interests.h"
#include "lib/chat/message.h"
#include "lib/chat/typing_gate.h"
#include "lib/json/jx.h"
#include "lib/live/live_private.h"
#include <stdlib.h>
#include <string.h>

#define REFRESH_CHANNELS 64 /* read again in one question */
#define REFRESH_PEOPLE 1000
#define DEAF_REFRESH_MS 5000
#define TYPING_MERGE_MS 50
#define TYPED_LOOK_BACK 256 /* events of the channel that are looked at for a typist's newest message */
#define NEWER_MAX 64        /* membership events that are applied on top of an answer */

struct heard { /* presence that the bus told of while a question was under way */
	int64_t user;
	uint64_t at;
	UT_hash_handle hh;
};

struct early { /* likewise of a read mark */
	int64_t channel, user, seq, delivered;
};

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

static void wake_looks(struct live *l, const struct focused *c, int64_t now)
{
	struct look *k;

	LIST_FOREACH(k, &c->looks, link)
	state_wake(l, k->interest, now);
}

static void wake_watchers(struct live *l, const struct watched *p, int64_t now)
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
	LIST_INIT(&s->typing);
	s->wake_at = s->typing_at = INT64_MAX;
	s->gate = typing_gate_new(l->limits.typing.repeat);
	s->out.users = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.channels = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.seqs = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.threads = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	l->state = s;
}

static void forget_heard(struct state *s)
{
	struct heard *h, *next;

	HASH_ITER(hh, s->heard, h, next)
	{
		HASH_DEL(s->heard, h);
		free(h);
	}
	free(s->early);
	s->early = NULL;
	s->early_n = s->early_cap = 0;
}

void state_free(struct live *l)
{
	struct state *s = l->state;

	focus_release(&s->focus);
	forget_heard(s);
	typing_gate_free(&s->gate);
	free(s->people);
	free(s->out.users);
	free(s->out.channels);
	free(s->out.seqs);
	free(s->out.threads);
	free(s);
	l->state = NULL;
}

static struct interest *interest_of(struct live *l, struct receiver *r)
{
	struct interest *i = r->interest;

	(void)l;
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
	i = interest_of(l, r);
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

/* ---- reading */

static void make_stale(struct live *l, struct focused *c)
{
	if (!c->stale)
		TAILQ_INSERT_TAIL(&l->state->stale, c, stale_link);
	c->stale = true;
}

static void not_stale(struct live *l, struct focused *c)
{
	if (c->stale)
		TAILQ_REMOVE(&l->state->stale, c, stale_link);
	c->stale = false;
}

static void ask_database(struct live *l, struct receiver *r, const int64_t *channels, size_t channels_n,
			 const int64_t *users, size_t users_n)
{
	struct id_list lists[2] = {{channels, channels_n}, {users, users_n}};

	l->state->asking++;
	read_ask_lists(l, READ_STATE, r, STMT_live_state, 2, lists, 3,
		       (int64_t[]){r ? r->user->id : 0, STATE_SMALL_CHANNEL, l->limits.receipts_max},
		       l->state->heard_n);
}

/* What of its interests is not known yet. */
static void ask_for(struct live *l, struct interest *i)
{
	int64_t channels[INTEREST_CHANNELS_MAX], users[INTEREST_USERS_MAX];
	size_t channels_n = 0, users_n = 0;

	for (size_t k = 0; k < i->looks_n; k++) {
		struct focused *c = i->looks[k].channel;

		if (c->load != LOAD_NEW || audience_since(i->receiver->user, c->id) < 0)
			continue;
		c->load = LOAD_ASKED;
		channels[channels_n++] = c->id;
	}
	for (size_t k = 0; k < i->watches_n && !i->judging; k++) {
		if (i->watches[k].state != WATCH_NEW)
			continue;
		i->watches[k].state = WATCH_ASKED;
		users[users_n++] = i->watches[k].person->id;
	}
	if (users_n)
		i->judging = true;
	if (channels_n || users_n)
		ask_database(l, i->receiver, channels, channels_n, users, users_n);
}

/* Reads again what may be out of date. */
static void refresh(struct live *l)
{
	struct state *s = l->state;
	int64_t channels[REFRESH_CHANNELS], users[REFRESH_PEOPLE];
	size_t channels_n = 0, users_n = 0;
	struct focused *c, *next;

	if (s->refreshing || (TAILQ_EMPTY(&s->stale) && !s->people_stale))
		return;
	for (c = TAILQ_FIRST(&s->stale); c && channels_n < REFRESH_CHANNELS; c = next) {
		next = TAILQ_NEXT(c, stale_link);
		if (c->load != LOAD_DONE || c->refreshing)
			continue; /* when its answer has come */
		not_stale(l, c);
		c->refreshing = true;
		channels[channels_n++] = c->id;
	}
	if (s->people_stale) {
		struct watched *p, *after;

		s->people_stale = false;
		HASH_ITER(hh, s->focus.people, p, after)
		{
			if (!p->stale)
				continue;
			if (users_n == REFRESH_PEOPLE) {
				s->people_stale = true;
				break;
			}
			p->stale = false;
			users[users_n++] = p->id;
		}
	}
	if (!channels_n && !users_n)
		return;
	s->refreshing = true;
	ask_database(l, NULL, channels, channels_n, users, users_n);
}

void state_reload(struct live *l)
{
	struct state *s = l->state;
	struct focused *c, *next;
	struct watched *p, *after;

	HASH_ITER(hh, s->focus.channels, c, next)
	{
		if (c->load == LOAD_DONE && LIST_EMPTY(&c->looks)) {
			not_stale(l, c);
			focus_clear_members(&s->focus, c);
			c->load = LOAD_NEW;
		} else if (c->load != LOAD_NEW) {
			make_stale(l, c);
		}
	}
	HASH_ITER(hh, s->focus.people, p, after)
	{
		if (p->channels_n)
			continue;
		p->stale = s->people_stale = true;
	}
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
	forget_heard(s);
	HASH_ITER(hh, s->focus.channels, c, next)
	{
		not_stale(l, c);
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

/* ---- members */

static void joined(struct live *l, struct focused *c, int64_t user)
{
	c->members_all++;
	if (!c->small || focus_member(c, user))
		return;
	focus_add_member(&l->state->focus, c, user)->joined = ++l->state->focus.changes;
	make_stale(l, c); /* his presence and his mark; or it is not small any more */
}

static void left(struct live *l, struct focused *c, int64_t user)
{
	c->members_all--;
	if (c->small)
		focus_remove_member(&l->state->focus, c, user);
	else if (c->members_all <= STATE_SMALL_CHANNEL)
		make_stale(l, c);
}

/* What the ring knows above the answer's head. False: it does not reach back so far. */
static bool apply_newer(struct live *l, struct focused *c)
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

static bool set_mark(struct state *s, const struct focused *c, struct member *m, int64_t seq, int64_t delivered)
{
	int64_t was = m->seq, was_delivered = m->delivered;

	m->seq = seq < 0 ? -1 : MAX_OF(m->seq, seq); /* forward only */
	m->delivered = seq < 0 || !c->direct ? -1 : MAX_OF(m->delivered, delivered);
	if (m->seq == was && m->delivered == was_delivered)
		return false;
	m->marked = ++s->focus.changes;
	return true;
}

/* ---- answers: columns head, mark, what, channel, user_id, seq, delivered, judged, json */

enum { COL_HEAD, COL_MARK, COL_WHAT, COL_CHANNEL, COL_USER, COL_SEQ, COL_DELIVERED, COL_JUDGED, COL_JSON };

static int64_t int_or(const PGresult *r, int row, int col, int64_t none)
{
	return result_null(r, row, col) ? none : result_int(r, row, col);
}

static void channel_row(struct live *l, const PGresult *r, int row)
{
	struct focused *c = focus_channel(&l->state->focus, result_int(r, row, COL_CHANNEL));

	if (!c)
		return;
	c->members_all = result_int(r, row, COL_SEQ);
	c->direct = result_int(r, row, COL_DELIVERED) != 0;
	c->small = c->members_all <= STATE_SMALL_CHANNEL;
}

static void member_row(struct live *l, const PGresult *r, int row)
{
	struct state *s = l->state;
	struct focused *c = focus_channel(&s->focus, result_int(r, row, COL_CHANNEL));
	struct member *m;

	if (!c)
		return;
	m = focus_member(c, result_int(r, row, COL_USER));
	if (!m) {
		m = focus_add_member(&s->focus, c, result_int(r, row, COL_USER));
		if (c->load == LOAD_DONE)
			m->joined = ++s->focus.changes;
	}
	m->pass = s->pass;
	set_mark(s, c, m, int_or(r, row, COL_SEQ, -1), int_or(r, row, COL_DELIVERED, -1));
}

static void presence_row(struct live *l, const struct live_read *q, const PGresult *r, int row, int64_t now)
{
	struct state *s = l->state;
	int64_t user = result_int(r, row, COL_USER);
	struct watched *p = focus_person(&s->focus, user);
	struct heard *h;
	struct watch *w;

	HASH_FIND(hh, s->heard, &user, sizeof(user), h);
	if (p && !(h && h->at > q->stamp && p->json) &&
	    focus_presence(&s->focus, p, result_text(r, row, COL_JSON), result_length(r, row, COL_JSON)))
		wake_watchers(l, p, now);
	if (!result_bool(r, row, COL_JUDGED) || !q->receiver || !q->receiver->interest)
		return;
	w = focus_find_watch(q->receiver->interest, user);
	if (w && w->state == WATCH_ASKED)
		w->state = WATCH_YES;
}

static void channel_done(struct live *l, struct focused *c, int64_t head, int64_t now)
{
	struct state *s = l->state;

	for (size_t i = c->members_n; i-- > 0;)
		if (c->members[i].pass != s->pass)
			focus_remove_member(&s->focus, c, c->members[i].person->id);
	c->load = LOAD_DONE;
	c->refreshing = false;
	c->as_of = head;
	if (!apply_newer(l, c))
		make_stale(l, c);
	for (size_t i = 0; i < s->early_n; i++) {
		const struct early *e = &s->early[i];
		struct member *m = e->channel == c->id ? focus_member(c, e->user) : NULL;

		if (m)
			set_mark(s, c, m, e->seq, e->delivered);
	}
	wake_looks(l, c, now);
}

bool state_rows(struct live *l, const struct live_read *q, const PGresult *r)
{
	struct state *s = l->state;
	int64_t now = clock_mono_ms();
	struct interest *i = q->receiver ? q->receiver->interest : NULL;

	if (result_rows(r) < 1 || strcmp(result_text(r, 0, COL_MARK), l->mark) != 0) {
		l->hooks.doubt(l->arg);
		return false;
	}
	s->pass++;
	for (int row = 0; row < result_rows(r) && !result_null(r, row, COL_WHAT); row++)
		switch (*result_text(r, row, COL_WHAT)) {
		case 'c':
			channel_row(l, r, row);
			break;
		case 'm':
			member_row(l, r, row);
			break;
		default:
			presence_row(l, q, r, row, now);
		}
	for (size_t k = 0; k < q->lists[0].n; k++) {
		struct focused *c = focus_channel(&s->focus, q->lists[0].ids[k]);

		if (c && (c->load == LOAD_ASKED || c->refreshing))
			channel_done(l, c, result_int(r, 0, COL_HEAD), now);
	}
	if (i && q->lists[1].n) {
		i->judging = false;
		for (size_t k = 0; k < q->lists[1].n; k++) {
			struct watch *w = focus_find_watch(i, q->lists[1].ids[k]);

			if (w && w->state == WATCH_ASKED)
				w->state = WATCH_NO;
		}
		state_wake(l, i, now);
	}
	if (!q->params[0])
		s->refreshing = false;
	if (--s->asking == 0)
		forget_heard(s);
	live_saw_head(l, result_int(r, 0, COL_HEAD));
	return true;
}

/* ---- who types */

static void say_typing(struct live *l, struct focused *c, int64_t now)
{
	c->said_at = now;
	wake_looks(l, c, now);
}

static bool has_written_since(const struct live *l, int64_t channel, int64_t user, int64_t seq)
{
	const struct ring_entry *e;
	int64_t id = ring_last_of_channel(l->ring, channel);

	for (int n = 0; n < TYPED_LOOK_BACK && (e = ring_get(l->ring, id)); n++, id = e->prev) {
		if (e->kind != EVENT_MESSAGE)
			continue;
		if (e->subject <= seq)
			return false;
		if (e->line && message_sender((struct span){e->line->p, e->line->n}) == user)
			return true;
	}
	return false;
}

static void typing_line(struct live *l, const struct event *ev, int64_t now)
{
	struct state *s = l->state;
	struct focused *c = focus_channel(&s->focus, ev->channel);
	int64_t until = now + l->limits.typing.last;

	if (!c || (ev->audience > 0 && has_written_since(l, ev->channel, ev->subject, ev->audience)))
		return;
	if (typing_note(&c->typing, ev->subject, event_line_thread(ev->json), until)) {
		say_typing(l, c, now);
	} else if (c->said_at + l->limits.typing.last / 2 <= now) {
		c->said++; /* he goes on: for those who wonder, having heard nothing more */
		say_typing(l, c, now);
	}
	if (!c->types)
		LIST_INSERT_HEAD(&s->typing, c, typing_link);
	c->types = true;
	s->typing_at = MIN_OF(s->typing_at, until);
}

static void types_no_more(struct live *l, struct focused *c, int64_t user)
{
	if (c->typing.n && typing_drop(&c->typing, user))
		say_typing(l, c, clock_mono_ms());
}

static void stop_typing(struct focused *c)
{
	LIST_REMOVE(c, typing_link);
	c->types = false;
}

static void expire_typing(struct live *l, int64_t now)
{
	struct state *s = l->state;
	struct focused *c, *next;

	s->typing_at = INT64_MAX;
	for (c = LIST_FIRST(&s->typing); c; c = next) {
		next = LIST_NEXT(c, typing_link);
		if (typing_expire(&c->typing, now))
			say_typing(l, c, now);
		if (!c->typing.n)
			stop_typing(c);
		else
			s->typing_at = MIN_OF(s->typing_at, typing_next(&c->typing));
	}
}

int live_type(struct live *l, const struct receiver *r, int64_t channel, int64_t thread, int64_t seq, struct err *e)
{
	struct state *s = l->state;
	int64_t now = clock_mono_ms();

	if (!r->user || !r->user->loaded)
		return 0;
	if (audience_since(r->user, channel) < 0)
		return err_set(e, ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel");
	if (s->out.n == TYPING_SEND_MAX || typing_gate_channel(s->gate, channel, now) == TYPING_OFF ||
	    !typing_gate_pass(s->gate, r->user->id, channel, now))
		return 0;
	if (!s->out.n)
		s->out.at = now + TYPING_MERGE_MS;
	s->out.users[s->out.n] = r->user->id;
	s->out.channels[s->out.n] = channel;
	s->out.threads[s->out.n] = thread;
	s->out.seqs[s->out.n++] = seq;
	return 0;
}

static void send_typing(struct live *l, int64_t now)
{
	struct state *s = l->state;
	int64_t judge[TYPING_SEND_MAX];
	size_t n = 0;

	for (size_t i = 0; i < s->out.n; i++)
		if (typing_gate_channel(s->gate, s->out.channels[i], now) == TYPING_UNKNOWN)
			judge[n++] = s->out.channels[i];
	read_ask_lists(l, READ_TYPING, NULL, STMT_typing_send, 5,
		       (struct id_list[]){{s->out.users, s->out.n},
					  {s->out.channels, s->out.n},
					  {s->out.seqs, s->out.n},
					  {s->out.threads, s->out.n},
					  {judge, n}},
		       1, &l->limits.typing.present_max, 0);
	s->out.n = 0;
}

void state_typing_sent(struct live *l, const struct live_read *q, const PGresult *r)
{
	int64_t now = clock_mono_ms();

	for (int row = 0; row < result_rows(r) && (size_t)row < q->lists[1].n; row++) {
		int64_t status = result_int(r, row, 0), channel = q->lists[1].ids[row];

		if (status == TYPING_CROWDED ||
		    (status == TYPING_TOLD && typing_gate_channel(l->state->gate, channel, now) == TYPING_UNKNOWN))
			typing_gate_judged(l->state->gate, channel, status == TYPING_CROWDED, now);
	}
}

/* ---- lines of the bus */

static void presence_line(struct live *l, const struct event *ev, int64_t now)
{
	struct state *s = l->state;
	struct watched *p = focus_person(&s->focus, ev->subject);
	struct heard *h;

	if (s->asking) {
		HASH_FIND(hh, s->heard, &ev->subject, sizeof(ev->subject), h);
		if (!h) {
			h = xcalloc(1, sizeof(*h));
			h->user = ev->subject;
			HASH_ADD(hh, s->heard, user, sizeof(h->user), h);
		}
		h->at = ++s->heard_n;
	}
	if (p && focus_presence(&s->focus, p, ev->json.p, ev->json.n))
		wake_watchers(l, p, now);
}

static void mark_line(struct live *l, const struct event *ev, int64_t now)
{
	struct state *s = l->state;
	struct focused *c = focus_channel(&s->focus, ev->channel);
	struct early got = {.channel = ev->channel, .user = ev->subject, .seq = -1, .delivered = -1};
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
	if (s->asking) {
		if (s->early_n == s->early_cap) {
			s->early_cap = MAX_OF((size_t)16, s->early_cap * 2);
			s->early = xrealloc(s->early, s->early_cap * sizeof(*s->early));
		}
		s->early[s->early_n++] = got;
	}
	m = c->load == LOAD_DONE ? focus_member(c, ev->subject) : NULL;
	if (!m || !set_mark(s, c, m, got.seq, got.delivered))
		return;
	LIST_FOREACH(k, &c->looks, link)
	state_wake(l, k->interest, MAX_OF(now, k->interest->reads_at));
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
		typing_line(l, ev, now);
		break;
	case EVENT_MARK:
		mark_line(l, ev, now);
		break;
	case EVENT_INTEREST:
		interest_line(l, ev);
		break;
	default:
		break;
	}
}

/* ---- events of the log */

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

static void membership(struct live *l, const struct event *ev, int64_t now)
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
		types_no_more(l, c, ev->subject);
	p = focus_person(&l->state->focus, ev->subject); /* not before: he may have been known as a member alone */
	if (p)
		judge_watchers(l, p, join, now);
	for (struct receiver *r = u ? u->receivers : NULL; r; r = r->next)
		if (r->interest)
			judge_own(l, r->interest, c, join, now);
}

void state_event(struct live *l, const struct event *ev, const struct line *line)
{
	struct focused *c;

	if (!l->state->focus.channels && !l->state->focus.people)
		return;
	if (ev->kind != EVENT_MESSAGE) {
		membership(l, ev, clock_mono_ms());
		return;
	}
	c = focus_channel(&l->state->focus, ev->channel);
	if (c && c->typing.n && line)
		types_no_more(l, c, message_sender((struct span){line->p, line->n}));
}

/* ---- time */

static void forget_channel(void *arg, struct focused *c)
{
	struct live *l = arg;

	not_stale(l, c);
	if (c->types)
		stop_typing(c);
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
	ask_for(l, i);
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

	if (s->out.n && s->out.at <= now)
		send_typing(l, now);
	if (s->typing_at <= now)
		expire_typing(l, now);
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
	refresh(l);
}

int64_t live_next(const struct live *l)
{
	const struct state *s = l->state;

	return MIN_OF(MIN_OF(s->wake_at, s->typing_at), s->out.n ? s->out.at : INT64_MAX);
}
