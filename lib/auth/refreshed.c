/* refreshed: a mutex, a condition, one fetch at a time. */
#include "lib/auth/refreshed.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdlib.h>

struct refreshed {
	const char *name; /* for the log */
	refreshed_fetch fetch;
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t done;
	struct shared *doc; /* NULL: none yet */
	int64_t due;        /* mono ms: when it is to be fetched anew */
	int64_t last_newer; /* mono ms of the last fetch by refreshed_newer() */
	uint64_t fetches, newer;
	struct err failure; /* of the last fetch */
	bool fetching;
};

struct shared *shared_ref(struct shared *s)
{
	atomic_fetch_add(&s->refs, 1);
	return s;
}

void shared_unref(struct shared *s)
{
	if (s && atomic_fetch_sub(&s->refs, 1) == 1)
		s->destroy(s);
}

struct refreshed *refreshed_new(const char *name, refreshed_fetch fetch, void *arg)
{
	struct refreshed *r = xcalloc(1, sizeof(*r));

	r->name = name;
	r->fetch = fetch;
	r->arg = arg;
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->done, NULL);
	return r;
}

void refreshed_free(struct refreshed **r)
{
	if (!*r)
		return;
	shared_unref((*r)->doc);
	pthread_cond_destroy(&(*r)->done);
	pthread_mutex_destroy(&(*r)->lock);
	free(*r);
	*r = NULL;
}

static int64_t lifetime(int64_t max_age_ms)
{
	if (max_age_ms < REFRESHED_AGE_MIN_MS)
		return REFRESHED_AGE_MIN_MS;
	return MIN_OF(max_age_ms, REFRESHED_AGE_MAX_MS);
}

/* Fetches, with the lock let go meanwhile. */
static void fetch_now(struct refreshed *r, bool newer)
{
	struct shared *doc, *old = NULL;
	struct err e = {0};
	int64_t age = -1, now;

	r->fetching = true;
	pthread_mutex_unlock(&r->lock);
	doc = r->fetch(r->arg, newer, &age, &e);
	pthread_mutex_lock(&r->lock);
	r->fetching = false;
	r->fetches++;
	now = clock_mono_ms();
	if (doc) {
		old = r->doc;
		r->doc = doc;
		r->due = now + lifetime(age);
		log_info("oidc.fetched", "what=%s", r->name);
	} else {
		r->failure = e;
		r->due = now + REFRESHED_RETRY_MS;
		log_warning("oidc.not_fetched", "what=%s why=%s", r->name, log_quote(e.detail));
	}
	pthread_cond_broadcast(&r->done);
	shared_unref(old);
}

struct shared *refreshed_get(struct refreshed *r, struct err *e)
{
	struct shared *doc = NULL;
	uint64_t before;

	pthread_mutex_lock(&r->lock);
	before = r->fetches;
	while (!r->doc && r->fetching)
		pthread_cond_wait(&r->done, &r->lock);
	if (!r->fetching && (r->doc ? clock_mono_ms() >= r->due : r->fetches == before))
		fetch_now(r, false);
	if (r->doc)
		doc = shared_ref(r->doc);
	else if (e)
		*e = r->failure;
	pthread_mutex_unlock(&r->lock);
	return doc;
}

struct shared *refreshed_newer(struct refreshed *r, const struct shared *seen)
{
	struct shared *doc = NULL;

	pthread_mutex_lock(&r->lock);
	while (r->fetching)
		pthread_cond_wait(&r->done, &r->lock);
	if (r->doc == seen && (!r->newer || clock_mono_ms() - r->last_newer >= REFRESHED_RETRY_MS)) {
		r->newer++;
		r->last_newer = clock_mono_ms();
		fetch_now(r, true);
	}
	if (r->doc && r->doc != seen)
		doc = shared_ref(r->doc);
	pthread_mutex_unlock(&r->lock);
	return doc;
}
