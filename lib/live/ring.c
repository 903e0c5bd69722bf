/* ring: a circular array indexed by id, with the newest id of each chain in a hash. */
#include "lib/live/ring.h"
#include "lib/base/strbuf.h"
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define SLOTS_MIN 1024

struct chain {
	int64_t key, last;
	UT_hash_handle hh;
};

struct ring {
	struct ring_entry *slots;
	size_t slots_n; /* a power of two, grows up to events_max */
	size_t events_max, bytes_max, bytes;
	int64_t first, head;
	int64_t last_of_everyone;
	struct chain *channels, *users;
};

static struct ring_entry *slot(const struct ring *r, int64_t id)
{
	return &r->slots[(size_t)id & (r->slots_n - 1)];
}

static size_t weight(const struct line *l)
{
	return sizeof(struct ring_entry) + (l ? sizeof(*l) + l->n : 0);
}

struct ring *ring_new(size_t events_max, size_t bytes_max)
{
	struct ring *r = xcalloc(1, sizeof(*r));

	r->events_max = events_max;
	r->bytes_max = bytes_max;
	r->slots_n = SLOTS_MIN;
	r->slots = xcalloc(r->slots_n, sizeof(*r->slots));
	r->first = 1;
	return r;
}

/* ---- chains */

static int64_t chain_last(struct chain *table, int64_t key)
{
	struct chain *c;

	HASH_FIND(hh, table, &key, sizeof(key), c);
	return c ? c->last : 0;
}

/* Makes id the newest of the chain; returns what was it before. */
static int64_t chain_push(struct chain **table, int64_t key, int64_t id)
{
	struct chain *c;
	int64_t before = 0;

	HASH_FIND(hh, *table, &key, sizeof(key), c);
	if (c) {
		before = c->last;
	} else {
		c = xcalloc(1, sizeof(*c));
		c->key = key;
		HASH_ADD(hh, *table, key, sizeof(c->key), c);
	}
	c->last = id;
	return before;
}

/* Called for the oldest event: where it is the newest of its chain too, the chain is empty. */
static void chain_drop(struct chain **table, int64_t key, int64_t id)
{
	struct chain *c;

	HASH_FIND(hh, *table, &key, sizeof(key), c);
	if (!c || c->last != id)
		return;
	HASH_DEL(*table, c);
	free(c);
}

static void chains_clear(struct chain **table)
{
	struct chain *c, *next;

	HASH_ITER(hh, *table, c, next)
	{
		HASH_DEL(*table, c);
		free(c);
	}
}

/* The user in whose own chain an event is, 0: none. */
static int64_t owner(int64_t audience, int64_t subject, char kind)
{
	if (audience > 0)
		return audience;
	switch (kind) {
	case EVENT_JOIN:
	case EVENT_LEAVE:
	case EVENT_DEACTIVATE:
	case EVENT_GUEST:
	case EVENT_NO_GUEST:
		return subject;
	default:
		return 0;
	}
}

/* ---- the ends */

static void drop_first(struct ring *r)
{
	struct ring_entry *e = slot(r, r->first);
	int64_t user = owner(e->audience, e->subject, e->kind);

	if (e->audience == AUDIENCE_MEMBERS)
		chain_drop(&r->channels, e->channel, e->id);
	else if (e->audience < 0 && r->last_of_everyone == e->id)
		r->last_of_everyone = 0;
	if (user)
		chain_drop(&r->users, user, e->id);
	r->bytes -= weight(e->line);
	line_unref(&e->line);
	r->first++;
}

void ring_start(struct ring *r, int64_t head)
{
	while (r->first <= r->head)
		drop_first(r);
	chains_clear(&r->channels);
	chains_clear(&r->users);
	r->last_of_everyone = 0;
	r->head = head;
	r->first = head + 1;
}

void ring_free(struct ring **r)
{
	if (!*r)
		return;
	ring_start(*r, 0);
	free((*r)->slots);
	free(*r);
	*r = NULL;
}

static void grow(struct ring *r)
{
	size_t n = r->slots_n * 2;
	struct ring_entry *slots = xcalloc(n, sizeof(*slots));

	for (int64_t id = r->first; id <= r->head; id++)
		slots[(size_t)id & (n - 1)] = *slot(r, id);
	free(r->slots);
	r->slots = slots;
	r->slots_n = n;
}

void ring_append(struct ring *r, const struct event *ev, struct line *line)
{
	struct ring_entry *e;
	int64_t user = owner(ev->audience, ev->subject, ev->kind);

	r->bytes += weight(line);
	while (r->first <= r->head && ((size_t)(r->head - r->first + 1) >= r->events_max || r->bytes > r->bytes_max))
		drop_first(r);
	if ((size_t)(r->head - r->first + 1) == r->slots_n)
		grow(r);
	r->head = ev->id;
	e = slot(r, ev->id);
	*e = (struct ring_entry){
		.id = ev->id,
		.channel = ev->channel,
		.audience = ev->audience,
		.subject = ev->subject,
		.kind = ev->kind,
		.line = line ? line_ref(line) : NULL,
	};
	if (ev->kind == EVENT_MISSING)
		return;
	if (ev->audience == AUDIENCE_MEMBERS) {
		e->prev = chain_push(&r->channels, ev->channel, ev->id);
	} else if (ev->audience < 0) {
		e->prev = r->last_of_everyone;
		r->last_of_everyone = ev->id;
	}
	if (user)
		e->prev_own = chain_push(&r->users, user, ev->id);
}

/* ---- reading */

int64_t ring_head(const struct ring *r)
{
	return r->head;
}

int64_t ring_first(const struct ring *r)
{
	return r->first;
}

size_t ring_bytes(const struct ring *r)
{
	return r->bytes;
}

const struct ring_entry *ring_get(const struct ring *r, int64_t id)
{
	return id >= r->first && id <= r->head ? slot(r, id) : NULL;
}

int64_t ring_last_of_channel(const struct ring *r, int64_t channel)
{
	return chain_last(r->channels, channel);
}

int64_t ring_last_of_everyone(const struct ring *r)
{
	return r->last_of_everyone;
}

int64_t ring_last_of_user(const struct ring *r, int64_t user)
{
	return chain_last(r->users, user);
}

/* ---- redaction */

static bool says_message(const struct line *l)
{
	static const char start[] = "{\"type\":\"message";

	return l && l->n > sizeof(start) && !memcmp(l->p, start, sizeof(start) - 1);
}

size_t ring_redact(struct ring *r, int64_t channel, int64_t seq, struct span tail)
{
	size_t changed = 0;

	for (int64_t id = ring_last_of_channel(r, channel); ring_get(r, id); id = slot(r, id)->prev) {
		struct ring_entry *e = slot(r, id);
		size_t keep;
		struct line *tombstone;
		AUTO_STRBUF b = {0};

		if (e->subject != seq || e->kind == EVENT_JOIN || e->kind == EVENT_LEAVE || !says_message(e->line))
			continue;
		keep = event_line_tail((struct span){e->line->p, e->line->n}, NULL);
		if (!keep)
			continue;
		strbuf_add(&b, e->line->p, keep);
		strbuf_add(&b, tail.p, tail.n);
		tombstone = line_new(b.p, b.n);
		r->bytes += tombstone->n;
		r->bytes -= e->line->n;
		line_unref(&e->line);
		e->line = tombstone;
		changed++;
	}
	return changed;
}
