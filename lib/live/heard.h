/* heard: what the bus tells of presence and read marks while questions about them are under way. It counts more than
 * their answers, which may be older. */
#pragma once
#include "lib/base/base.h"
struct heard_presence;

struct heard_mark { /* as lib/live/focus.h has it of a member */
	int64_t channel, user, seq, delivered;
};

struct heard {         /* zeroed */
	uint64_t news; /* of presence, counted; a question bears the count at which it was asked */
	struct heard_presence *presence;
	struct heard_mark *marks; /* in their order */
	size_t marks_n, marks_cap;
};

void heard_of_presence(struct heard *h, int64_t user);
/* The bus told of the user's presence behind a question that was asked at asked_at. */
bool heard_since(const struct heard *h, int64_t user, uint64_t asked_at);
void heard_of_mark(struct heard *h, const struct heard_mark *m);
void heard_forget(struct heard *h); /* no question is under way any more; the count goes on */
