/* typing: who types in a channel now, by what was heard of late. Not stored, never replayed. One thread. */
#pragma once
#include "lib/base/strbuf.h"

#define TYPING_MAX 256 /* of a channel */
#define TYPING_SHOWN 5 /* named in a line; the others are counted */

struct typist {
	int64_t user, until; /* mono ms */
};

struct typing {             /* zeroed */
	struct typist *all; /* in the order in which they began */
	size_t n, cap;
};

void typing_clear(struct typing *t);
/* He types, until then unless he goes on. True where the list has changed. */
bool typing_note(struct typing *t, int64_t user, int64_t until);
bool typing_drop(struct typing *t, int64_t user);
bool typing_expire(struct typing *t, int64_t now);
int64_t typing_next(const struct typing *t); /* when the first of them expires; INT64_MAX: none */

/* The list as one of them sees it, who is never in it himself. */
struct typing_view {
	size_t n, count;
	int64_t users[TYPING_SHOWN];
};
void typing_see(const struct typing *t, int64_t viewer, struct typing_view *out);
bool typing_same(const struct typing_view *a, const struct typing_view *b);
/* The line for clients. */
void typing_render(struct strbuf *b, int64_t channel, const struct typing_view *v);
