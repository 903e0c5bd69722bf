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

static void remove_at(struct typing *t, size_t at)
{
	t->n--;
	memmove(&t->all[at], &t->all[at + 1], (t->n - at) * sizeof(*t->all));
	if (!t->n)
		typing_clear(t); /* most channels are quiet most of the time */
}

bool typing_note(struct typing *t, int64_t user, int64_t thread, int64_t until)
{
	size_t at = find(t, user);

	if (at < t->n && t->all[at].thread == thread) {
		t->all[at].until = until;
		return false;
	}
	if (at < t->n)
		remove_at(t, at);
	if (t->n == TYPING_MAX)
		return false;
	if (t->n == t->cap) {
		t->cap = MAX_OF((size_t)4, t->cap * 2);
		t->all = xrealloc(t->all, t->cap * sizeof(*t->all));
	}
	t->all[t->n++] = (struct typist){user, thread, until};
	return true;
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

/* NULL: of too many. */
static struct typing_list *list_of(struct typing_view *v, int64_t thread)
{
	size_t i = 0;

	while (i < v->n && v->lists[i].thread != thread)
		i++;
	if (i == COUNT_OF(v->lists))
		return NULL;
	if (i == v->n)
		v->lists[v->n++] = (struct typing_list){.thread = thread};
	return &v->lists[i];
}

void typing_see(const struct typing *t, int64_t viewer, struct typing_view *out)
{
	out->n = 1;
	out->lists[0] = (struct typing_list){0};
	for (size_t i = 0; i < t->n; i++) {
		struct typing_list *list = t->all[i].user != viewer ? list_of(out, t->all[i].thread) : NULL;

		if (!list)
			continue;
		if (list->n < TYPING_SHOWN)
			list->users[list->n++] = t->all[i].user;
		list->count++;
	}
}

bool typing_quiet(const struct typing_view *v)
{
	return v->n == 1 && !v->lists[0].count;
}

static void render_list(struct strbuf *b, const struct typing_list *list)
{
	strbuf_adds(b, "\"users\":[");
	for (size_t i = 0; i < list->n; i++)
		strbuf_addf(b, i ? ",%" PRId64 : "%" PRId64, list->users[i]);
	strbuf_addf(b, "],\"count\":%zu", list->count);
}

void typing_render(struct strbuf *b, int64_t channel, const struct typing_view *v)
{
	strbuf_addf(b, "{\"type\":\"typing\",\"channel\":%" PRId64 ",", channel);
	render_list(b, &v->lists[0]);
	for (size_t i = 1; i < v->n; i++) {
		strbuf_addf(b, "%s{\"thread\":%" PRId64 ",", i == 1 ? ",\"threads\":[" : ",", v->lists[i].thread);
		render_list(b, &v->lists[i]);
		strbuf_addc(b, '}');
	}
	strbuf_adds(b, v->n > 1 ? "]}" : "}");
}
