/* maintain_thread: a clock and a condition to be stopped by. */
#include "fcgi/maintain_thread.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/thread.h"
#include "lib/db/db.h"
#include "lib/db/maintain.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define EACH_S 3600
#define AFTER_FAILURE_S 60

struct maintain_thread {
	const struct config *config;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop_cond;
	bool stop;
};

static void say(const char *what)
{
	log_debug("maintain", "what=%s", log_quote(what));
}

/* True where the thread is to end. */
static bool rest(struct maintain_thread *t, uint32_t seconds)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&t->lock);
	while (!t->stop && pthread_cond_timedwait(&t->stop_cond, &t->lock, &until) != ETIMEDOUT)
		;
	stop = t->stop;
	pthread_mutex_unlock(&t->lock);
	return stop;
}

static void *run(void *arg)
{
	struct maintain_thread *t = arg;
	struct db *db = db_new(t->config);
	bool ok;

	do {
		struct err e = {0};

		ok = maintain(db, t->config, say, &e) == 0;
		if (!ok)
			log_warning("maintain.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
	} while (!rest(t, (ok ? EACH_S : AFTER_FAILURE_S) + rand_below(30)));
	db_free(&db);
	return NULL;
}

struct maintain_thread *maintain_thread_start(const struct config *c)
{
	struct maintain_thread *t = xcalloc(1, sizeof(*t));
	pthread_condattr_t attr;
	int rc;

	t->config = c;
	pthread_mutex_init(&t->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* the wall clock may be set */
	pthread_cond_init(&t->stop_cond, &attr);
	pthread_condattr_destroy(&attr);
	rc = pthread_create(&t->thread, NULL, run, t);
	if (rc) {
		log_error("maintain.start", "errno=%d", rc);
		abort();
	}
	return t;
}

bool maintain_thread_stop(struct maintain_thread **tp, int64_t ms)
{
	struct maintain_thread *t = *tp;

	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->stop_cond);
	pthread_mutex_unlock(&t->lock);
	if (!thread_join_within(t->thread, ms))
		return false;
	pthread_cond_destroy(&t->stop_cond);
	pthread_mutex_destroy(&t->lock);
	free(t);
	*tp = NULL;
	return true;
}
