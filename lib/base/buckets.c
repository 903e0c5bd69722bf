/* buckets: for each key one number, the time at which its bucket is full again (GCRA): a token takes window/quota of
 * it. Sets of eight, a lock for each 64th of the table. */
#include "lib/base/buckets.h"
#include "lib/base/rand.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 8, LOCKS = 64 };

struct bucket {
	uint64_t id;
	int64_t full_ns; /* in the past: full, and free for another */
	uint32_t kind;
};

struct buckets {
	uint64_t seed[2]; /* so that nobody chooses who shares a set with whom */
	size_t sets;      /* a power of two */
	pthread_mutex_t lock[LOCKS];
	struct bucket at[];
};

struct buckets *buckets_new(size_t room)
{
	struct buckets *b;
	size_t sets = LOCKS;

	while (sets * WAYS < room)
		sets *= 2;
	b = xcalloc(1, sizeof(*b) + sets * WAYS * sizeof(*b->at));
	b->sets = sets;
	rand_bytes(b->seed, sizeof(b->seed));
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&b->lock[i], NULL);
	return b;
}

void buckets_free(struct buckets **b)
{
	if (!*b)
		return;
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&(*b)->lock[i]);
	free(*b);
	*b = NULL;
}

/* Two rounds of a keyed 128-bit product. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static size_t set_of(const struct buckets *b, struct bucket_key key)
{
	uint64_t h = mix(key.id ^ b->seed[0], b->seed[1] ^ 0x9e3779b97f4a7c15u);

	return (size_t)mix(h ^ key.kind, b->seed[0] | 1) & (b->sets - 1);
}

/* The key's place: its own, or the one that is fullest. */
static struct bucket *place(struct bucket *set, struct bucket_key key, int64_t now_ns)
{
	struct bucket *best = set;

	for (struct bucket *e = set; e < set + WAYS; e++) {
		if (e->id == key.id && e->kind == key.kind)
			return e;
		if (e->full_ns < best->full_ns)
			best = e;
	}
	*best = (struct bucket){key.id, now_ns, key.kind};
	return best;
}

static bool take(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n, bool all,
		 int64_t now_us, struct bucket_left *out)
{
	size_t set = set_of(b, key);
	int64_t now = now_us * 1000, window = window_us * 1000, each = MAX_OF(window / quota, (int64_t)1);
	int64_t most = each * quota, debt;
	struct bucket *e;
	bool ok;

	pthread_mutex_lock(&b->lock[set % LOCKS]);
	e = place(&b->at[set * WAYS], key, now);
	debt = MIN_OF(MAX_OF(e->full_ns - now, (int64_t)0), most);
	ok = n <= quota && debt + n * each <= most;
	if (ok)
		debt += n * each;
	else if (all)
		debt = most;
	e->full_ns = now + debt;
	pthread_mutex_unlock(&b->lock[set % LOCKS]);
	if (out) {
		out->left = (most - debt) / each;
		out->full_us = (debt + 999) / 1000;
		out->wait_us = ok ? 0 : (debt + MIN_OF(n, quota) * each - most + 999) / 1000;
	}
	return ok;
}

bool buckets_take(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n, int64_t now_us,
		  struct bucket_left *out)
{
	return take(b, key, quota, window_us, n, false, now_us, out);
}

void buckets_drain(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n,
		   int64_t now_us)
{
	take(b, key, quota, window_us, n, true, now_us, NULL);
}
