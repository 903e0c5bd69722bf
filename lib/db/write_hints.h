/* write_hints: the newest seq of channels that this writer has stored, by this connection: a hint for write_batch(),
 * since others may have stored more. In a header as it is done for each item. */
#pragma once
#include "lib/base/clock.h"

#define WRITE_HINTS_MAX 4096  /* channels; a power of 2 */
#define WRITE_OTHERS_MS 10000 /* for so long after another writer's message was seen, more are expected */

struct write_hints {          /* zeroed */
	int64_t others_until; /* mono ms: so long they are not likely the newest */
	struct write_hint {
		int64_t channel, seq;
	} all[WRITE_HINTS_MAX]; /* by the channel's lowest bits; another one takes the place */
};

static inline size_t write_hint_place(int64_t channel)
{
	return (uint64_t)channel % WRITE_HINTS_MAX;
}

static inline int64_t write_hint_of(const struct write_hints *h, int64_t channel) /* 0: none */
{
	const struct write_hint *k = &h->all[write_hint_place(channel)];

	return k->channel == channel ? k->seq : 0;
}

/* Its channel's newest seq is known now. Where it is not the next one of what was known, others write there too. */
static inline void write_hint_learn(struct write_hints *h, int64_t channel, int64_t seq)
{
	struct write_hint *k = &h->all[write_hint_place(channel)];

	if (k->channel == channel && k->seq + 1 != seq)
		h->others_until = clock_mono_ms() + WRITE_OTHERS_MS;
	*k = (struct write_hint){channel, seq};
}
