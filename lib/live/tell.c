/* tell: what a receiver is told of state. To a stream at most one line of presence a second and one of reads, and who
 * types at once; a poll's owner is told that there is something, at most a second after it came. */
#include "lib/base/codec.h"
#include "lib/live/state_private.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PACE_MS 1000
#define LINE_BYTES ((size_t)16 << 10) /* of a line, about; what is more goes into another one */
#define ASKED_LEN 2 /* characters of the digest that stand for what is asked for; the others for the state */

/* He is a member, and it is known. */
static bool may_see(const struct interest *i, const struct look *k)
{
	return k->channel->load == LOAD_DONE && audience_since(i->receiver->user, k->channel->id) >= 0;
}

/* ---- what there is to tell */

struct people {
	struct watched **p;
	size_t n;
	bool fresh; /* some were never told */
};

static void add_person(struct state *s, struct people *to, struct watched *p)
{
	if (p->pass == s->pass || !p->json)
		return;
	p->pass = s->pass;
	if (to->n == s->people_cap) {
		s->people_cap = MAX_OF((size_t)64, s->people_cap * 2);
		s->people = xrealloc(s->people, s->people_cap * sizeof(struct watched *));
	}
	to->p = s->people;
	to->p[to->n++] = p;
}

/* Whose presence: everyone's (all), or of those who are new or have changed. Never one's own, which is told otherwise.
 */
static void gather(struct live *l, const struct interest *i, bool all, struct people *to)
{
	struct state *s = l->state;
	int64_t self = i->receiver->user->id;

	*to = (struct people){0};
	s->pass++;
	for (size_t k = 0; k < i->looks_n; k++) {
		const struct look *look = &i->looks[k];
		const struct focused *c = look->channel;

		if (!may_see(i, look))
			continue;
		to->fresh |= look->fresh;
		for (size_t m = 0; m < c->members_n; m++)
			if ((all || look->fresh || c->members[m].person->changed > i->told ||
			     c->members[m].joined > i->told) &&
			    c->members[m].person->id != self)
				add_person(s, to, c->members[m].person);
	}
	for (size_t k = 0; k < i->watches_n; k++) {
		const struct watch *w = &i->watches[k];

		if (w->state != WATCH_YES || w->person->id == self)
			continue;
		to->fresh |= w->fresh;
		if (all || w->fresh || w->person->changed > i->told)
			add_person(s, to, w->person);
	}
}

static bool mark_is_due(const struct look *k, const struct member *m, bool all)
{
	if (all || k->fresh)
		return m->seq >= 0;
	return m->marked > k->reads_told;
}

static void add_mark(struct strbuf *b, const struct member *m)
{
	strbuf_addf(b, "{\"user\":%" PRId64, m->person->id);
	if (m->seq < 0)
		strbuf_adds(b, ",\"seq\":null");
	else
		strbuf_addf(b, ",\"seq\":%" PRId64, m->seq);
	if (m->delivered >= 0)
		strbuf_addf(b, ",\"delivered\":%" PRId64, m->delivered);
	strbuf_addc(b, '}');
}

/* False: there is nothing to tell. */
static bool reads_line(struct strbuf *b, const struct look *k, bool all)
{
	const struct focused *c = k->channel;
	bool any = false;

	strbuf_reset(b);
	strbuf_addf(b, "{\"type\":\"reads\",\"channel\":%" PRId64 ",\"reads\":[", c->id);
	for (size_t m = 0; m < c->members_n; m++) {
		if (!mark_is_due(k, &c->members[m], all))
			continue;
		if (any)
			strbuf_addc(b, ',');
		add_mark(b, &c->members[m]);
		any = true;
	}
	strbuf_adds(b, "]}");
	return any;
}

/* As many of people as fit in a line, from *at on. */
static void presence_line(struct strbuf *b, const struct people *to, size_t *at)
{
	strbuf_reset(b);
	strbuf_adds(b, "{\"type\":\"presence\",\"users\":[");
	for (bool first = true; *at < to->n && (first || b->n + to->p[*at]->json_n < LINE_BYTES); first = false) {
		if (!first)
			strbuf_addc(b, ',');
		strbuf_add(b, to->p[*at]->json, to->p[*at]->json_n);
		(*at)++;
	}
	strbuf_adds(b, "]}");
}

/* ---- hashes */

#define FNV_START 1469598103934665603u

static uint64_t hash(uint64_t h, const void *p, size_t n)
{
	for (size_t k = 0; k < n; k++)
		h = (h ^ ((const unsigned char *)p)[k]) * 1099511628211u;
	return h;
}

static uint64_t hash_int(uint64_t h, int64_t v)
{
	char text[24];

	return hash(h, text, (size_t)snprintf(text, sizeof(text), "%" PRId64 " ", v));
}

static uint64_t hash_typing(uint64_t h, const struct typing_view *v)
{
	for (size_t k = 0; k < v->n; k++) {
		const struct typing_list *list = &v->lists[k];

		if (list->thread)
			h = hash_int(h, list->thread);
		h = hash_int(h, (int64_t)list->count);
		for (size_t u = 0; u < list->n; u++)
			h = hash_int(h, list->users[u]);
	}
	return h;
}

/* ---- streams */

/* The same bytes are one line for all who get them, so that frames are shared too. */
static void tell(struct live *l, struct receiver *r, const struct strbuf *b)
{
	struct state *s = l->state;
	struct line *line = NULL;

	for (size_t k = 0; k < s->lines_n && !line; k++)
		if (s->lines[k]->n == b->n && !memcmp(s->lines[k]->p, b->p, b->n))
			line = line_ref(s->lines[k]);
	if (!line) {
		line = line_new(b->p, b->n);
		if (s->lines_n < COUNT_OF(s->lines))
			s->lines[s->lines_n++] = line_ref(line);
	}
	l->stats.delivered++;
	r->hooks->line(r, line, 0);
	line_unref(&line);
}

static void tell_presence(struct live *l, struct interest *i, struct strbuf *b, int64_t now)
{
	struct people to;

	gather(l, i, false, &to);
	if (to.n && !to.fresh && now < i->presence_at) {
		state_wake(l, i, i->presence_at);
		return;
	}
	i->told = l->state->focus.changes;
	for (size_t k = 0; k < i->watches_n; k++)
		if (i->watches[k].state == WATCH_YES)
			i->watches[k].fresh = false;
	if (!to.n)
		return;
	i->presence_at = now + PACE_MS;
	for (size_t at = 0; at < to.n;) {
		presence_line(b, &to, &at);
		tell(l, i->receiver, b);
	}
}

static void tell_reads(struct live *l, struct interest *i, struct strbuf *b, int64_t now)
{
	bool told = false;

	for (size_t k = 0; k < i->looks_n; k++) {
		struct look *look = &i->looks[k];

		if (!may_see(i, look))
			continue;
		if (reads_line(b, look, false)) {
			if (!look->fresh && now < i->reads_at) {
				state_wake(l, i, i->reads_at);
				continue;
			}
			told = true;
			tell(l, i->receiver, b);
		}
		look->reads_told = l->state->focus.changes;
		look->fresh = false;
	}
	if (told)
		i->reads_at = now + PACE_MS;
}

static void tell_typing(struct live *l, struct interest *i, struct strbuf *b)
{
	for (size_t k = 0; k < i->looks_n; k++) {
		struct look *look = &i->looks[k];
		struct typing_view view;
		uint64_t seen;

		if (audience_since(i->receiver->user, look->channel->id) < 0)
			continue;
		typing_see(&look->channel->typing, i->receiver->user->id, &view);
		seen = typing_quiet(&view) ? 0 : hash_typing(FNV_START, &view);
		if (seen != look->typing_told || (seen && look->said_told != look->channel->said)) {
			strbuf_reset(b);
			typing_render(b, look->channel->id, &view);
			tell(l, i->receiver, b);
		}
		look->typing_told = seen;
		look->said_told = look->channel->said;
	}
}

void tell_stream(struct live *l, struct interest *i, int64_t now)
{
	struct receiver *r = i->receiver;
	AUTO_STRBUF b = {0};

	if (r->hooks->takes_state && !r->hooks->takes_state(r)) {
		state_wake(l, i, now + PACE_MS); /* then, as it is then */
		return;
	}
	tell_presence(l, i, &b, now);
	tell_reads(l, i, &b, now); /* after presence, since a look is fresh until both are told */
	tell_typing(l, i, &b);
}

/* ---- polls */

/* What changes without being told to anyone must not make two processes differ. */
static uint64_t hash_presence(uint64_t h, const struct watched *p)
{
	static const char name[] = "\"last_active\":";
	const char *at = memmem(p->json, p->json_n, name, sizeof(name) - 1);
	size_t before = at ? (size_t)(at - p->json) : p->json_n, behind = before;

	while (behind < p->json_n && p->json[behind] != ',' && p->json[behind] != '}')
		behind++;
	h = hash(h, p->json, before);
	return hash(h, p->json + behind, p->json_n - behind);
}

static void letters(char *out, uint64_t h, int n)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

	h ^= h >> 29;
	for (int k = 0; k < n; k++)
		out[k] = alphabet[h >> (5 * k) & 31];
	out[n] = 0;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = (*(struct watched *const *)a)->id, y = (*(struct watched *const *)b)->id;

	return x < y ? -1 : x > y;
}

void tell_asked(struct interest *i, int64_t now)
{
	uint64_t h = FNV_START;

	for (size_t k = 0; k < i->looks_n; k++)
		h = hash_int(h, i->looks[k].channel->id);
	h = hash(h, ";", 1);
	for (size_t k = 0; k < i->watches_n; k++)
		h = hash_int(h, i->watches[k].person->id);
	letters(i->asked, h, ASKED_LEN);
	i->since = now;
}

static bool is_known(const struct interest *i)
{
	for (size_t k = 0; k < i->looks_n; k++)
		if (i->looks[k].channel->load != LOAD_DONE &&
		    audience_since(i->receiver->user, i->looks[k].channel->id) >= 0)
			return false;
	for (size_t k = 0; k < i->watches_n; k++)
		if (i->watches[k].state == WATCH_NEW || i->watches[k].state == WATCH_ASKED)
			return false;
	return true;
}

/* All of it, in an order that is the same everywhere. */
static void take_all(struct live *l, const struct interest *i, struct people *to)
{
	gather(l, i, true, to);
	if (to->n)
		qsort(to->p, to->n, sizeof(struct watched *), by_id);
}

static void digest_of(const struct live *l, const struct interest *i, const struct people *to,
		      char out[CURSOR_DIGEST_LEN + 1])
{
	uint64_t h = FNV_START;

	(void)l;
	for (size_t k = 0; k < to->n; k++)
		h = hash_presence(h, to->p[k]);
	for (size_t k = 0; k < i->looks_n; k++) {
		const struct look *look = &i->looks[k];
		struct typing_view view;

		if (!may_see(i, look))
			continue;
		h = hash_int(h, look->channel->id);
		typing_see(&look->channel->typing, i->receiver->user->id, &view);
		h = hash_typing(h, &view);
		for (size_t m = 0; m < look->channel->members_n; m++) {
			const struct member *one = &look->channel->members[m];

			if (one->seq < 0)
				continue;
			h = hash_int(h, one->person->id);
			h = hash_int(h, one->seq);
			h = hash_int(h, one->delivered);
		}
	}
	memcpy(out, i->asked, ASKED_LEN);
	letters(out + ASKED_LEN, h, CURSOR_DIGEST_LEN - ASKED_LEN);
}

/* What it has, as its cursor says; all of it readable. */
static const char *given(const struct receiver *r)
{
	static const char none[CURSOR_DIGEST_LEN + 1];

	return r->has_cursor ? r->cursor.digest : none;
}

void tell_poll(struct live *l, struct interest *i, int64_t now)
{
	struct receiver *r = i->receiver;
	char digest[CURSOR_DIGEST_LEN + 1];
	bool differs, first = !i->known;
	struct people to;

	if (!is_known(i))
		return;
	take_all(l, i, &to);
	digest_of(l, i, &to, digest);
	differs = strcmp(digest, given(r)) != 0;
	/* What was asked for before is told a second after it was asked at the earliest: so it is at most once a
	 * second, however many processes the polls of an instance reach. */
	if (differs && !memcmp(given(r), i->asked, ASKED_LEN) && now < i->since + PACE_MS) {
		state_wake(l, i, i->since + PACE_MS);
		differs = false;
	}
	if (!first && (!differs || i->differs))
		return;
	i->known = true;
	i->differs = differs;
	r->hooks->state(r, differs);
}

void live_state(const struct live *l, const struct receiver *r, struct strbuf *b, char digest[CURSOR_DIGEST_LEN + 1])
{
	const struct interest *i = r->interest;
	AUTO_STRBUF line = {0};
	struct people to;

	memset(digest, 0, CURSOR_DIGEST_LEN + 1);
	if (!i || (!i->looks_n && !i->watches_n))
		return;
	memcpy(digest, given(r), CURSOR_DIGEST_LEN);
	if (r->state != RECEIVER_LIVE || !r->user->loaded || !is_known(i))
		return;
	/* only marks of who has been met are changed */
	take_all((struct live *)(uintptr_t)l, i, &to);
	digest_of(l, i, &to, digest);
	if (!strcmp(digest, given(r)))
		return;
	for (size_t at = 0; at < to.n;) {
		presence_line(&line, &to, &at);
		strbuf_add(b, line.p, line.n);
		strbuf_addc(b, '\n');
	}
	for (size_t k = 0; k < i->looks_n; k++) {
		const struct look *look = &i->looks[k];
		struct typing_view view;

		if (!may_see(i, look))
			continue;
		if (reads_line(&line, look, true)) {
			strbuf_add(b, line.p, line.n);
			strbuf_addc(b, '\n');
		}
		typing_see(&look->channel->typing, r->user->id, &view);
		typing_render(b, look->channel->id, &view);
		strbuf_addc(b, '\n');
	}
}
