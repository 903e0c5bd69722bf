/* buckets: for each key one number, the time at which its bucket is full again (GCRA): a token takes window/quota of
 * it. Sets of eight, in a cache line.
 *
 * A bucket is one word of 64 bits: 40 of that time in microseconds, which go round in twelve days, and above them 24 of
 * the key's hash, whose others choose the set. So whatever happens to it (tokens are taken, the key gives way to
 * another) is one compare-and-swap, which has happened or has not wherever its process is killed; with key and time in
 * two words there would be a between, and a lock would stay locked, or have the event loop wait for a process that is
 * stopped. Two keys among n in the table have one bucket together with a probability of n^2 / 2^38; the hash is keyed,
 * so nobody finds out which. A time that nobody can have set (garbage, or one of six days ago and more) is a full
 * bucket. */
#include "lib/base/buckets.h"
#include "lib/base/rand.h"
#include "lib/base/mapped.h"
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#define KIND "buckets 1"
#define WAYS 8
#define SETS_MIN 64
#define TIME_BITS 40
#define TIME_MASK (((uint64_t)1 << TIME_BITS) - 1)
#define TRIES_MAX 65536 /* others were quicker so often: only where somebody writes without end */

typedef _Atomic uint64_t word;

struct buckets {
	uint64_t key[2];
	size_t sets; /* a power of two */
	word *at;
	struct mapped mapped;
};

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && sizeof(word) == 8, "words are swapped without a lock");
_Static_assert(BUCKETS_WINDOW_MAX_US < (int64_t)(TIME_MASK / 4), "a debt is told from a time that has gone round");

_Static_assert(sizeof(uint64_t[2]) == crypto_shorthash_KEYBYTES && sizeof(uint64_t) == crypto_shorthash_BYTES,
	       "SipHash");

/* Keyed, since strangers choose the numbers. */
static uint64_t hash_of(const uint64_t key[2], uint64_t a, uint64_t b)
{
	const uint64_t in[2] = {a, b};
	uint64_t out;

	crypto_shorthash((unsigned char *)&out, (const unsigned char *)in, sizeof(in), (const unsigned char *)key);
	return out;
}

static size_t sets_for(size_t room)
{
	size_t sets = SETS_MIN;

	while (sets * WAYS < room)
		sets *= 2;
	return sets;
}

struct buckets *buckets_new(size_t room)
{
	struct buckets *b = xcalloc(1, sizeof(*b));

	b->sets = sets_for(room);
	b->at = xcalloc(b->sets * WAYS, sizeof(*b->at));
	rand_bytes(b->key, sizeof(b->key));
	return b;
}

struct buckets *buckets_open(const char *path, size_t room, uint64_t salt, struct err *e)
{
	struct buckets *b = xcalloc(1, sizeof(*b));

	b->sets = sets_for(room);
	if (mapped_open(path, KIND, b->sets * WAYS * sizeof(*b->at), &b->mapped, e) < 0) {
		free(b);
		return NULL;
	}
	b->at = b->mapped.at;
	b->key[0] = hash_of(b->mapped.secret, salt, 0);
	b->key[1] = hash_of(b->mapped.secret, salt, 1);
	return b;
}

void buckets_free(struct buckets **b)
{
	if (!*b)
		return;
	if (!(*b)->mapped.at)
		free((void *)(*b)->at);
	mapped_close(&(*b)->mapped);
	free(*b);
	*b = NULL;
}

int buckets_check(const char *path, size_t room, struct err *e)
{
	return mapped_check(path, KIND, sets_for(room) * WAYS * sizeof(word), e);
}

/* ---- one set */

struct place {
	word *at;
	uint64_t seen; /* what stood there */
	int64_t debt;  /* microseconds until it is full; below 0: full for so long */
	bool mine;     /* the key's own; else that of another one, the fullest */
};

static int64_t debt_of(uint64_t w, uint64_t now)
{
	uint64_t ahead = (w - now) & TIME_MASK;

	if (ahead <= (uint64_t)BUCKETS_WINDOW_MAX_US)
		return (int64_t)ahead;
	return ahead > TIME_MASK / 2 ? (int64_t)ahead - (int64_t)TIME_MASK - 1 : INT64_MIN;
}

static struct place find(word *set, uint64_t tag, uint64_t now)
{
	struct place best = {.debt = INT64_MAX};

	for (word *w = set; w < set + WAYS; w++) {
		uint64_t seen = atomic_load_explicit(w, memory_order_relaxed);
		int64_t debt = seen ? debt_of(seen, now) : INT64_MIN;

		if (seen >> TIME_BITS == tag)
			return (struct place){w, seen, debt, true};
		if (debt < best.debt)
			best = (struct place){w, seen, debt, false};
	}
	return best;
}

static bool take(struct buckets *b, struct bucket_key key, int64_t quota, int64_t window_us, int64_t n, bool all,
		 int64_t now_us, struct bucket_left *out)
{
	uint64_t hash = hash_of(b->key, key.id, key.kind), tag = hash >> TIME_BITS, now = (uint64_t)now_us;
	int64_t each = MAX_OF(window_us / quota, (int64_t)1), most = each * quota, debt = 0, left = 0;
	word *set = &b->at[(hash & (b->sets - 1)) * WAYS];
	bool ok = false;

	tag += !tag; /* a word of zero is nobody's */
	for (int tries = 0; tries < TRIES_MAX; tries++) {
		struct place p = find(set, tag, now);
		uint64_t next;

		debt = p.mine ? MIN_OF(MAX_OF(p.debt, (int64_t)0), most) : 0;
		ok = n <= quota && debt + n * each <= most;
		left = ok ? debt + n * each : all ? most : debt;
		if (left == debt)
			break; /* nothing changes */
		next = tag << TIME_BITS | ((now + (uint64_t)left) & TIME_MASK);
		if (atomic_compare_exchange_strong_explicit(p.at, &p.seen, next, memory_order_relaxed,
							    memory_order_relaxed))
			break;
	}
	if (out) {
		out->left = (most - left) / each;
		out->full_us = left;
		out->wait_us = ok ? 0 : left + MIN_OF(n, quota) * each - most;
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
