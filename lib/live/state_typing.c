/* state_typing: who types in the channels that are looked at, and those who type by this process, told to the others.
 */
#include "lib/base/clock.h"
#include "lib/chat/message.h"
#include "lib/chat/typing_gate.h"
#include "lib/live/state_private.h"
#include <stdlib.h>

#define TYPING_MERGE_MS 50
#define TYPED_LOOK_BACK 256 /* events of the channel that are looked at for a typist's newest message */

void state_typing_start(struct live *l)
{
	struct state *s = l->state;

	LIST_INIT(&s->typing);
	s->typing_at = INT64_MAX;
	s->gate = typing_gate_new(l->limits.typing.repeat);
	s->out.users = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.channels = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.seqs = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
	s->out.threads = xcalloc(TYPING_SEND_MAX, sizeof(int64_t));
}

void state_typing_free(struct state *s)
{
	typing_gate_free(&s->gate);
	free(s->out.users);
	free(s->out.channels);
	free(s->out.seqs);
	free(s->out.threads);
}

/* ---- who types */

static void say_typing(struct live *l, struct focused *c, int64_t now)
{
	c->said_at = now;
	state_wake_looks(l, c, now);
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

void state_typing_line(struct live *l, const struct event *ev, int64_t now)
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

void state_types_no_more(struct live *l, struct focused *c, int64_t user)
{
	if (c->typing.n && typing_drop(&c->typing, user))
		say_typing(l, c, clock_mono_ms());
}

void state_typing_stop(struct focused *c)
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
			state_typing_stop(c);
		else
			s->typing_at = MIN_OF(s->typing_at, typing_next(&c->typing));
	}
}

/* ---- by this process */

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

/* ---- time */

int64_t state_typing_next(const struct state *s)
{
	return MIN_OF(s->typing_at, s->out.n ? s->out.at : INT64_MAX);
}

void state_typing_work(struct live *l, int64_t now)
{
	const struct state *s = l->state;

	if (s->out.n && s->out.at <= now)
		send_typing(l, now);
	if (s->typing_at <= now)
		expire_typing(l, now);
}
