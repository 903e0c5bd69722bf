/* focus: two hashes that know each other by the members of small channels. */
#include "lib/live/focus.h"
#include <stdlib.h>
#include <string.h>

void focus_init(struct focus *f)
{
	memset(f, 0, sizeof(*f));
	TAILQ_INIT(&f->idle);
}

struct focused *focus_channel(const struct focus *f, int64_t id)
{
	struct focused *c;

	HASH_FIND(hh, f->channels, &id, sizeof(id), c);
	return c;
}

struct watched *focus_person(const struct focus *f, int64_t id)
{
	struct watched *p;

	HASH_FIND(hh, f->people, &id, sizeof(id), p);
	return p;
}

/* ---- people */

static struct watched *hold_person(struct focus *f, int64_t id)
{
	struct watched *p = focus_person(f, id);

	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->id = id;
		LIST_INIT(&p->watches);
		HASH_ADD(hh, f->people, id, sizeof(p->id), p);
	}
	p->refs++;
	return p;
}

static void drop_person(struct focus *f, struct watched *p)
{
	if (--p->refs)
		return;
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(f->people, p);
	free(p->channels);
	free(p->json);
	free(p);
}

bool focus_presence(struct focus *f, struct watched *p, const char *json, size_t n)
{
	p->stale = false;
	if (p->json && p->json_n == n && !memcmp(p->json, json, n))
		return false;
	p->json = xrealloc(p->json, n + 1);
	memcpy(p->json, json, n);
	p->json[n] = 0;
	p->json_n = n;
	p->changed = ++f->changes;
	return true;
}

/* ---- members */

static size_t member_place(const struct focused *c, int64_t user)
{
	size_t low = 0, high = c->members_n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (c->members[mid].person->id < user)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct member *focus_member(const struct focused *c, int64_t user)
{
	size_t at = member_place(c, user);

	return at < c->members_n && c->members[at].person->id == user ? &c->members[at] : NULL;
}

struct member *focus_add_member(struct focus *f, struct focused *c, int64_t user)
{
	size_t at = member_place(c, user);
	struct watched *p;

	if (at < c->members_n && c->members[at].person->id == user)
		return &c->members[at];
	if (c->members_n == c->members_cap) {
		c->members_cap = MAX_OF((size_t)8, c->members_cap * 2);
		c->members = xrealloc(c->members, c->members_cap * sizeof(*c->members));
	}
	p = hold_person(f, user);
	if (p->channels_n == p->channels_cap) {
		p->channels_cap = MAX_OF((size_t)4, p->channels_cap * 2);
		p->channels = xrealloc(p->channels, p->channels_cap * sizeof(struct focused *));
	}
	p->channels[p->channels_n++] = c;
	memmove(&c->members[at + 1], &c->members[at], (c->members_n - at) * sizeof(*c->members));
	c->members[at] = (struct member){.person = p, .seq = -1, .delivered = -1};
	c->members_n++;
	return &c->members[at];
}

static void remove_at(struct focus *f, struct focused *c, size_t at)
{
	struct watched *p = c->members[at].person;

	for (size_t i = 0; i < p->channels_n; i++)
		if (p->channels[i] == c) {
			p->channels[i] = p->channels[--p->channels_n];
			break;
		}
	c->members_n--;
	memmove(&c->members[at], &c->members[at + 1], (c->members_n - at) * sizeof(*c->members));
	drop_person(f, p);
}

void focus_remove_member(struct focus *f, struct focused *c, int64_t user)
{
	size_t at = member_place(c, user);

	if (at < c->members_n && c->members[at].person->id == user)
		remove_at(f, c, at);
}

void focus_clear_members(struct focus *f, struct focused *c)
{
	while (c->members_n)
		remove_at(f, c, c->members_n - 1);
	free(c->members);
	c->members = NULL;
	c->members_cap = 0;
}

/* ---- looks */

static void leave_channel(struct focus *f, struct look *l, int64_t now)
{
	struct focused *c = l->channel;

	LIST_REMOVE(l, link);
	if (!LIST_EMPTY(&c->looks))
		return;
	c->idle_since = now;
	TAILQ_INSERT_TAIL(&f->idle, c, idle);
	f->idle_n++;
}

static struct focused *enter_channel(struct focus *f, struct look *l, int64_t id)
{
	struct focused *c = focus_channel(f, id);

	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->id = id;
		LIST_INIT(&c->looks);
		HASH_ADD(hh, f->channels, id, sizeof(c->id), c);
	} else if (LIST_EMPTY(&c->looks)) {
		TAILQ_REMOVE(&f->idle, c, idle);
		f->idle_n--;
	}
	LIST_INSERT_HEAD(&c->looks, l, link);
	return c;
}

void focus_look(struct focus *f, struct interest *i, const int64_t *ids, size_t n, int64_t now)
{
	for (size_t k = 0; k < i->looks_n; k++)
		leave_channel(f, &i->looks[k], now);
	free(i->looks);
	i->looks = n ? xcalloc(n, sizeof(*i->looks)) : NULL;
	i->looks_n = n;
	for (size_t k = 0; k < n; k++) {
		i->looks[k].interest = i;
		i->looks[k].fresh = true;
		i->looks[k].channel = enter_channel(f, &i->looks[k], ids[k]);
	}
}

static void forget_channel(struct focus *f, struct focused *c)
{
	TAILQ_REMOVE(&f->idle, c, idle);
	f->idle_n--;
	focus_clear_members(f, c);
	typing_clear(&c->typing);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(f->channels, c);
	free(c);
}

void focus_sweep(struct focus *f, int64_t now, void (*forget)(void *arg, struct focused *c), void *arg)
{
	struct focused *c;

	while ((c = TAILQ_FIRST(&f->idle)) &&
	       (f->idle_n > FOCUS_LINGER_MAX || c->idle_since + FOCUS_LINGER_MS <= now)) {
		forget(arg, c);
		forget_channel(f, c);
	}
}

void focus_release(struct focus *f)
{
	while (!TAILQ_EMPTY(&f->idle))
		forget_channel(f, TAILQ_FIRST(&f->idle));
}

/* ---- watches */

static size_t watch_place(const struct interest *i, int64_t user)
{
	size_t low = 0, high = i->watches_n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (i->watches[mid].person->id < user)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct watch *focus_find_watch(const struct interest *i, int64_t user)
{
	size_t at = watch_place(i, user);

	return at < i->watches_n && i->watches[at].person->id == user ? &i->watches[at] : NULL;
}

void focus_watch(struct focus *f, struct interest *i, const int64_t *ids, size_t n)
{
	struct watch *all = n ? xcalloc(n, sizeof(*all)) : NULL;

	for (size_t k = 0; k < n; k++) {
		const struct watch *before = focus_find_watch(i, ids[k]);

		all[k] = (struct watch){.interest = i,
					.person = hold_person(f, ids[k]),
					.state = before ? before->state : WATCH_NEW,
					.fresh = true};
	}
	for (size_t k = 0; k < i->watches_n; k++) {
		LIST_REMOVE(&i->watches[k], link);
		drop_person(f, i->watches[k].person);
	}
	free(i->watches);
	i->watches = all;
	i->watches_n = n;
	for (size_t k = 0; k < n; k++)
		LIST_INSERT_HEAD(&all[k].person->watches, &all[k], link);
}
