/* typing: who types in a channel now, in its line or in a thread, by what was heard of late. Not stored, never
 * replayed. One thread. */
#pragma once
#include "lib/base/strbuf.h"

#define TYPING_MAX 256    /* of a channel */
#define TYPING_SHOWN 5    /* named in a list; the others are counted */
#define TYPING_THREADS 16 /* with a list of their own */

struct typist {
	int64_t user, thread; /* thread: its root's seq; 0: in the channel's line */
	int64_t until;        /* mono ms */
};

struct typing {             /* zeroed */
	struct typist *all; /* in the order in which they began */
	size_t n, cap;
};

void typing_clear(struct typing *t);
/* He types there, and no more where he did before, until then unless he goes on. True where the list has changed. */
bool typing_note(struct typing *t, int64_t user, int64_t thread, int64_t until);
bool typing_drop(struct typing *t, int64_t user);
bool typing_expire(struct typing *t, int64_t now);
int64_t typing_next(const struct typing *t); /* when the first of them expires; INT64_MAX: none */

/* As one of them sees it, who is never in it himself. */
struct typing_view {
	size_t n; /* 1 at least: the first is the channel's line, and stays where nobody types there */
	struct typing_list {
		int64_t thread;
		size_t n, count;
		int64_t users[TYPING_SHOWN];
	} lists[1 + TYPING_THREADS];
};
void typing_see(const struct typing *t, int64_t viewer, struct typing_view *out);
bool typing_quiet(const struct typing_view *v); /* nobody types */
/* The line for clients. */
void typing_render(struct strbuf *b, int64_t channel, const struct typing_view *v);
