/* typing: a short array. */
#include "lib/live/typing.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void typing_clear(struct typing *t)
{
	free(t->all);
	memset(t, 0, sizeof(*t));
}

static size_t find(const struct typing *t, int64_t user)
{
	size_t i = 0;

	while (i < t->n && t->all[i].user != user)
		i++;
	return i;
}

bool typing_note(struct typing *t, int64_t user, int64_t until)
{
	size_t at = find(t, user);

	if (at < t->n) {
		t->all[at].until = until;
		return false;
	}
	if (t->n == TYPING_MAX)
		return false;
	if (t->n == t->cap) {
		t->cap = MAX_OF((size_t)4, t->cap * 2);
		t->all = xrealloc(t->all, t->cap * sizeof(*t->all));
	}
	t->all[t->n++] = (struct typist){user, until};
	return true;
}

static void remove_at(struct typing *t, size_t at)
{
	t->n--;
	memmove(&t->all[at], &t->all[at + 1], (t->n - at) * sizeof(*t->all));
	if (!t->n)
		typing_clear(t); /* most channels are quiet most of the time */
}

bool typing_drop(struct typing *t, int64_t user)
{
	size_t at = find(t, user);

	if (at == t->n)
		return false;
	remove_at(t, at);
	return true;
}

bool typing_expire(struct typing *t, int64_t now)
{
	size_t before = t->n;

	for (size_t i = t->n; i-- > 0;)
		if (t->all[i].until <= now)
			remove_at(t, i);
	return t->n != before;
}

int64_t typing_next(const struct typing *t)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < t->n; i++)
		next = MIN_OF(next, t->all[i].until);
	return next;
}

void typing_see(const struct typing *t, int64_t viewer, struct typing_view *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < t->n; i++) {
		if (t->all[i].user == viewer)
			continue;
		if (out->n < TYPING_SHOWN)
			out->users[out->n++] = t->all[i].user;
		out->count++;
	}
}

bool typing_same(const struct typing_view *a, const struct typing_view *b)
{
	return a->n == b->n && a->count == b->count && !memcmp(a->users, b->users, a->n * sizeof(a->users[0]));
}

void typing_render(struct strbuf *b, int64_t channel, const struct typing_view *v)
{
	strbuf_addf(b, "{\"type\":\"typing\",\"channel\":%" PRId64 ",\"users\":[", channel);
	for (size_t i = 0; i < v->n; i++)
		strbuf_addf(b, i ? ",%" PRId64 : "%" PRId64, v->users[i]);
	strbuf_addf(b, "],\"count\":%zu}", v->count);
}
