/* typing_gate: two hashes in the order of their last change, so that what is over is found at their front. */
#include "lib/chat/typing_gate.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#define JUDGED_MS 10000 /* that a channel is crowded, or not, is believed for so long */
#define ENTRIES_MAX 20000

struct key {
	int64_t user, channel; /* user 0: the channel's judgement */
};

struct entry {
	struct key key;
	int64_t until;
	bool off;
	UT_hash_handle hh;
};

struct typing_gate {
	pthread_mutex_t lock;
	int64_t repeat_ms;
	struct entry *passed, *judged;
};

struct typing_gate *typing_gate_new(int64_t repeat_ms)
{
	struct typing_gate *g = xcalloc(1, sizeof(*g));

	pthread_mutex_init(&g->lock, NULL);
	g->repeat_ms = repeat_ms;
	return g;
}

/* Forgets what is over by now, and the oldest where there are too many. */
static void sweep(struct entry **table, int64_t now)
{
	struct entry *first;

	while ((first = *table) && (first->until <= now || HASH_COUNT(*table) > ENTRIES_MAX)) {
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
		HASH_DEL(*table, first);
		free(first);
	}
}

void typing_gate_free(struct typing_gate **g)
{
	if (!*g)
		return;
	sweep(&(*g)->passed, INT64_MAX);
	sweep(&(*g)->judged, INT64_MAX);
	pthread_mutex_destroy(&(*g)->lock);
	free(*g);
	*g = NULL;
}

static struct entry *find(struct entry *table, const struct key *key)
{
	struct entry *e;

	// NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): both numbers are set
	HASH_FIND(hh, table, key, sizeof(*key), e);
	return e;
}

static void put(struct entry **table, const struct key *key, bool off, int64_t until)
{
	struct entry *e = find(*table, key);

	if (e)
		HASH_DEL(*table, e);
	else
		e = xcalloc(1, sizeof(*e));
	e->key = *key;
	e->off = off;
	e->until = until;
	HASH_ADD(hh, *table, key, sizeof(e->key), e);
}

bool typing_gate_pass(struct typing_gate *g, int64_t user, int64_t channel, int64_t now)
{
	struct key key = {user, channel};
	bool pass;

	pthread_mutex_lock(&g->lock);
	sweep(&g->passed, now);
	pass = !find(g->passed, &key);
	if (pass && g->repeat_ms)
		put(&g->passed, &key, false, now + g->repeat_ms);
	pthread_mutex_unlock(&g->lock);
	return pass;
}

enum typing_channel typing_gate_channel(struct typing_gate *g, int64_t channel, int64_t now)
{
	struct key key = {0, channel};
	enum typing_channel known = TYPING_UNKNOWN;
	struct entry *e;

	pthread_mutex_lock(&g->lock);
	sweep(&g->judged, now);
	e = find(g->judged, &key);
	if (e)
		known = e->off ? TYPING_OFF : TYPING_ON;
	pthread_mutex_unlock(&g->lock);
	return known;
}

void typing_gate_judged(struct typing_gate *g, int64_t channel, bool off, int64_t now)
{
	struct key key = {0, channel};

	pthread_mutex_lock(&g->lock);
	put(&g->judged, &key, off, now + JUDGED_MS);
	pthread_mutex_unlock(&g->lock);
}
