/* session_cache: a hash, and a list in the order of age. */
#include "ws/session_cache.h"
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#define KEPT_MAX 20000
#define KEY_LEN (SESSION_HASH_MAX - 1)

struct entry {
	struct session session;
	struct live_place seen;
	int64_t at;
	UT_hash_handle hh;
	TAILQ_ENTRY(entry) age;
	char hash[SESSION_HASH_MAX];
};

struct session_cache {
	struct entry *all;
	TAILQ_HEAD(, entry) age; /* oldest first */
};

struct session_cache *session_cache_new(void)
{
	struct session_cache *c = xcalloc(1, sizeof(*c));

	TAILQ_INIT(&c->age);
	return c;
}

static void forget(struct session_cache *c, struct entry *e)
{
	TAILQ_REMOVE(&c->age, e, age);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(c->all, e);
	free(e);
}

void session_cache_free(struct session_cache **c)
{
	struct entry *e;

	if (!*c)
		return;
	while ((e = TAILQ_FIRST(&(*c)->age)))
		forget(*c, e);
	free(*c);
	*c = NULL;
}

/* A part of what is a hash already. */
static unsigned value_of(const char *hash)
{
	unsigned value;

	HASH_VALUE(hash, KEY_LEN / 4, value);
	return value;
}

static struct entry *find(struct session_cache *c, const char *hash)
{
	struct entry *e;

	HASH_FIND_BYHASHVALUE(hh, c->all, hash, KEY_LEN, value_of(hash), e);
	return e;
}

void session_cache_drop(struct session_cache *c, const char hash[SESSION_HASH_MAX])
{
	struct entry *e = find(c, hash);

	if (e)
		forget(c, e);
}

void session_cache_ended(struct session_cache *c, int64_t session)
{
	struct entry *e, *next;

	HASH_ITER(hh, c->all, e, next)
	{
		if (e->session.id == session)
			forget(c, e);
	}
}

void session_cache_put(struct session_cache *c, const char hash[SESSION_HASH_MAX], const struct session *s,
		       struct live_place seen, int64_t now)
{
	struct entry *e;

	session_cache_drop(c, hash);
	while ((e = TAILQ_FIRST(&c->age)) && (e->at + SESSION_KEPT_MS <= now || HASH_COUNT(c->all) >= KEPT_MAX))
		forget(c, e);
	if (s->state != SESSION_LIVE)
		return;
	e = xcalloc(1, sizeof(*e));
	e->session = *s;
	e->session.stale = false; /* it has been touched by now */
	e->seen = seen;
	e->at = now;
	memcpy(e->hash, hash, sizeof(e->hash));
	HASH_ADD_BYHASHVALUE(hh, c->all, hash, KEY_LEN, value_of(hash), e);
	TAILQ_INSERT_TAIL(&c->age, e, age);
}

bool session_cache_get(struct session_cache *c, const char hash[SESSION_HASH_MAX], int64_t now, struct session *s,
		       struct live_place *seen)
{
	struct entry *e = find(c, hash);

	if (!e)
		return false;
	if (e->at + SESSION_KEPT_MS <= now || (e->session.left_ms && e->at + e->session.left_ms <= now)) {
		forget(c, e);
		return false;
	}
	*s = e->session;
	if (s->left_ms)
		s->left_ms -= now - e->at;
	*seen = e->seen;
	return true;
}
