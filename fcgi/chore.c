/* chore: a condition to rest at, by the monotonic clock. */
#include "fcgi/chore.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include <stdlib.h>

void chore_start(struct chore *c, const char *name, void *(*run)(void *arg), void *arg)
{
	int rc;

	c->stop = false;
	c->woken = false;
	pthread_mutex_init(&c->lock, NULL);
	thread_cond_init(&c->bell);
	rc = pthread_create(&c->thread, NULL, run, arg);
	if (rc) {
		log_error("chore.start", "name=%s errno=%d", name, rc);
		abort();
	}
}

bool chore_rest(struct chore *c, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	bool stop;

	pthread_mutex_lock(&c->lock);
	while (!c->stop && !c->woken && thread_cond_wait_until(&c->bell, &c->lock, until))
		;
	stop = c->stop;
	c->woken = false;
	pthread_mutex_unlock(&c->lock);
	return stop;
}

bool chore_stopping(const struct chore *c)
{
	return c->stop;
}

void chore_wake(struct chore *c)
{
	pthread_mutex_lock(&c->lock);
	c->woken = true;
	pthread_cond_signal(&c->bell);
	pthread_mutex_unlock(&c->lock);
}

bool chore_stop(struct chore *c, int64_t ms)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->bell);
	pthread_mutex_unlock(&c->lock);
	if (!thread_join_within(c->thread, ms))
		return false;
	pthread_cond_destroy(&c->bell);
	pthread_mutex_destroy(&c->lock);
	return true;
}
