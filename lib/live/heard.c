/* heard: a table of people, and a list of marks. */
#include "lib/live/heard.h"
#include <stdlib.h>
#include <uthash.h>

struct heard_presence {
	int64_t user;
	uint64_t at; /* the newest of his news */
	UT_hash_handle hh;
};

static struct heard_presence *find(const struct heard *h, int64_t user)
{
	struct heard_presence *p;

	HASH_FIND(hh, h->presence, &user, sizeof(user), p);
	return p;
}

void heard_of_presence(struct heard *h, int64_t user)
{
	struct heard_presence *p = find(h, user);

	if (!p) {
		p = xcalloc(1, sizeof(*p));
		p->user = user;
		HASH_ADD(hh, h->presence, user, sizeof(p->user), p);
	}
	p->at = ++h->news;
}

bool heard_since(const struct heard *h, int64_t user, uint64_t asked_at)
{
	const struct heard_presence *p = find(h, user);

	return p && p->at > asked_at;
}

void heard_of_mark(struct heard *h, const struct heard_mark *m)
{
	if (h->marks_n == h->marks_cap) {
		h->marks_cap = MAX_OF((size_t)16, h->marks_cap * 2);
		h->marks = xrealloc(h->marks, h->marks_cap * sizeof(*h->marks));
	}
	h->marks[h->marks_n++] = *m;
}

void heard_forget(struct heard *h)
{
	struct heard_presence *p, *next;

	HASH_ITER(hh, h->presence, p, next)
	{
		HASH_DEL(h->presence, p);
		free(p);
	}
	free(h->marks);
	h->marks = NULL;
	h->marks_n = h->marks_cap = 0;
}
