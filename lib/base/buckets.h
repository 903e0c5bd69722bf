/* buckets: token buckets by key, in a table of a fixed size. A key is a kind and a number; a bucket of `quota` tokens
 * fills up again in `window_us`. What is not in the table has a full bucket. Where its place is taken, the fullest of
 * the few that share it goes: whoever makes up keys without end gets no memory for it, and is forgotten himself first.
 * Any thread, and any process: a table may be of one process, or of all of a user on this host (lib/base/mapped.h).
 * Nobody waits for anybody, so that one who is stopped or killed in the middle of a call holds up and breaks nothing.
 */
#pragma once
#include "lib/base/err.h"

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

#define BUCKETS_WINDOW_MAX_US ((int64_t)3600 * 1000000)

/* Of this process alone. room: how many keys, at least; rounded up to a power of two. */
struct buckets *buckets_new(size_t room);
/* Of all processes that open the same path with the same room. Keys of callers that differ in salt are never the same.
 * NULL: it cannot be had, *e says why. */
struct buckets *buckets_open(const char *path, size_t room, uint64_t salt, struct err *e);
void buckets_free(struct buckets **b);
/* Whether buckets_open() would serve; makes nothing. */
MUST_CHECK int buckets_check(const char *path, size_t room, struct err *e);

/* Takes n tokens (0: only looks). False, and nothing is taken, where there are fewer. quota: 1 to 10^9, a token comes
 * back in a microsecond at least; window_us: BUCKETS_WINDOW_MAX_US at most; n above quota is never there. now_us:
 * clock_mono_us(). */
bool buckets_take(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n, int64_t now_us,
		  struct bucket_left *out);
/* Takes n, or all there is. */
void buckets_drain(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n,
		   int64_t now_us);
