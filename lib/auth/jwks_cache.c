/* jwks_cache: one key set for all threads, fetched by one of them at a time. */
#include "lib/auth/jwks.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdlib.h>

struct jwks_cache {
	pthread_mutex_t lock;
	pthread_cond_t fetched;
	jwks_fetch fetch;
	void *arg;
	struct jwks *set; /* NULL: none yet */
	int64_t due;	  /* mono ms: when the set is to be fetched anew */
	int64_t last_try; /* mono ms of the last fetch; valid where tried */
	bool tried, fetching;
};

struct jwks_cache *jwks_cache_new(jwks_fetch fetch, void *arg)
{
	struct jwks_cache *c = xcalloc(1, sizeof(*c));

	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->fetched, NULL);
	c->fetch = fetch;
	c->arg = arg;
	return c;
}

void jwks_cache_free(struct jwks_cache **c)
{
	if (!*c)
		return;
	jwks_unref(&(*c)->set);
	pthread_cond_destroy(&(*c)->fetched);
	pthread_mutex_destroy(&(*c)->lock);
	free(*c);
	*c = NULL;
}

static int64_t lifetime(int64_t max_age_ms)
{
	if (max_age_ms < JWKS_AGE_MIN_MS)
		return JWKS_AGE_MIN_MS;
	return MIN_OF(max_age_ms, JWKS_AGE_MAX_MS);
}

/* Fetches, with the lock let go meanwhile. True where there is a new set. */
static bool fetch_now(struct jwks_cache *c, struct err *e)
{
	struct jwks *set;
	int64_t age = -1;

	c->fetching = true;
	pthread_mutex_unlock(&c->lock);
	set = c->fetch(c->arg, &age, e);
	pthread_mutex_lock(&c->lock);
	c->fetching = false;
	c->tried = true;
	c->last_try = clock_mono_ms();
	if (set) {
		jwks_unref(&c->set);
		c->set = set;
		c->due = c->last_try + lifetime(age);
		log_info("jwks.fetched", "keys=%zu", jwks_usable(set));
	} else {
		c->due = c->last_try + JWKS_REFETCH_MS;
	}
	pthread_cond_broadcast(&c->fetched);
	return set != NULL;
}

struct jwks *jwks_cache_get(struct jwks_cache *c, struct err *e)
{
	struct jwks *set = NULL;

	pthread_mutex_lock(&c->lock);
	while (!c->set && c->fetching)
		pthread_cond_wait(&c->fetched, &c->lock);
	/* without any set each login tries: there is nothing to go on with, and nobody gets in anyway */
	if (!c->fetching && (!c->set || clock_mono_ms() >= c->due))
		fetch_now(c, e);
	if (c->set)
		set = jwks_ref(c->set);
	pthread_mutex_unlock(&c->lock);
	return set;
}

struct jwks *jwks_cache_refetch(struct jwks_cache *c, const struct jwks *seen)
{
	struct jwks *set = NULL;
	struct err ignored = {0};

	pthread_mutex_lock(&c->lock);
	while (c->fetching)
		pthread_cond_wait(&c->fetched, &c->lock);
	if (c->set == seen && (!c->tried || clock_mono_ms() - c->last_try >= JWKS_REFETCH_MS))
		fetch_now(c, &ignored);
	if (c->set && c->set != seen)
		set = jwks_ref(c->set);
	pthread_mutex_unlock(&c->lock);
	return set;
}
