/* buckets: token buckets by key, in a table of a fixed size. A key is a kind and a number; a bucket of `quota` tokens
 * fills up again in `window_us`. What is not in the table has a full bucket. Where its place is taken, the fullest of
 * the few that share it goes: whoever makes up keys without end gets no memory for it, and is forgotten himself first.
 * Any thread. */
#pragma once
#include "lib/base/base.h"

struct buckets;

struct bucket_key {
	uint32_t kind;
	uint64_t id;
};

struct bucket_left {
	int64_t left;    /* tokens */
	int64_t full_us; /* until the bucket is full */
	int64_t wait_us; /* until what was asked for is there; 0: it was taken */
};

/* room: how many keys, at least; rounded up to a power of two. */
struct buckets *buckets_new(size_t room);
void buckets_free(struct buckets **b);

/* Takes n tokens (0: only looks). False, and nothing is taken, where there are fewer. quota: 1 to 10^9; n above it is
 * never there. now_us: clock_mono_us(). */
bool buckets_take(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n, int64_t now_us,
		  struct bucket_left *out);
/* Takes n, or all there is. */
void buckets_drain(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n,
		   int64_t now_us);
