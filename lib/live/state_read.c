/* state_read: what the database is asked of presence and reads, and its answers. What the bus says while a question is
 * under way counts more than its answer, which may be older. */
#include "lib/base/clock.h"
#include "lib/chat/interests.h"
#include "lib/live/state_private.h"
#include <string.h>

#define REFRESH_CHANNELS 64 /* read again in one question */
#define REFRESH_PEOPLE 1000

/* ---- questions */

void state_stale(struct live *l, struct focused *c)
{
	if (!c->stale)
		TAILQ_INSERT_TAIL(&l->state->stale, c, stale_link);
	c->stale = true;
}

void state_not_stale(struct live *l, struct focused *c)
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
		       l->state->heard.news);
}

void state_ask(struct live *l, struct interest *i)
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

void state_refresh(struct live *l)
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
		state_not_stale(l, c);
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
			state_not_stale(l, c);
			focus_clear_members(&s->focus, c);
			c->load = LOAD_NEW;
		} else if (c->load != LOAD_NEW) {
			state_stale(l, c);
		}
	}
	HASH_ITER(hh, s->focus.people, p, after)
	{
		if (p->channels_n)
			continue;
		p->stale = s->people_stale = true;
	}
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
	state_set_mark(s, c, m, int_or(r, row, COL_SEQ, -1), int_or(r, row, COL_DELIVERED, -1));
}

static void presence_row(struct live *l, const struct live_read *q, const PGresult *r, int row, int64_t now)
{
	struct state *s = l->state;
	int64_t user = result_int(r, row, COL_USER);
	struct watched *p = focus_person(&s->focus, user);
	struct watch *w;

	if (p && !(p->json && heard_since(&s->heard, user, q->stamp)) &&
	    focus_presence(&s->focus, p, result_text(r, row, COL_JSON), result_length(r, row, COL_JSON)))
		state_wake_watchers(l, p, now);
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
	if (!state_catch_up(l, c))
		state_stale(l, c);
	for (size_t i = 0; i < s->heard.marks_n; i++) {
		const struct heard_mark *k = &s->heard.marks[i];
		struct member *m = k->channel == c->id ? focus_member(c, k->user) : NULL;

		if (m)
			state_set_mark(s, c, m, k->seq, k->delivered);
	}
	state_wake_looks(l, c, now);
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
		heard_forget(&s->heard);
	live_saw_head(l, result_int(r, 0, COL_HEAD));
	return true;
}
