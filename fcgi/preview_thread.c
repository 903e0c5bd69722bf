/* preview_thread: a thread of its own, since a stranger's server may take its time. What waits stands in the database:
 * each process takes from there, and nobody else waits for it. */
#include "fcgi/preview_thread.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/db/db.h"
#include "lib/preview/preview.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define IDLE_MS 1000
#define AFTER_FAILURE_MS 5000

struct preview_thread {
	struct preview_desk desk;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop_cond;
	_Atomic bool stop;
};

static bool go_on(void *arg)
{
	return !((struct preview_thread *)arg)->stop;
}

static void rest(struct preview_thread *t, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	pthread_mutex_lock(&t->lock);
	while (!t->stop && thread_cond_wait_until(&t->stop_cond, &t->lock, until))
		;
	pthread_mutex_unlock(&t->lock);
}

static void *run(void *arg)
{
	struct preview_thread *t = arg;

	t->desk.db = db_new(t->desk.config);
	while (!t->stop) {
		struct err e = {0};
		int done = 0;

		if (preview_step(&t->desk, &done, &e) < 0) {
			log_warning("preview.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
			rest(t, AFTER_FAILURE_MS);
		} else if (!done) {
			rest(t, IDLE_MS);
		}
	}
	db_free(&t->desk.db);
	return NULL;
}

int preview_thread_start(const struct config *c, struct preview_thread **out, struct err *e)
{
	struct preview_thread *t;
	int rc;

	*out = NULL;
	if (!config_previews(c))
		return 0;
	t = xcalloc(1, sizeof(*t));
	t->desk = (struct preview_desk){.config = c, .go_on = go_on, .arg = t};
	if (preview_check(c, &t->desk.guard, e) < 0) {
		free(t);
		return -1;
	}
	pthread_mutex_init(&t->lock, NULL);
	thread_cond_init(&t->stop_cond);
	rc = pthread_create(&t->thread, NULL, run, t);
	if (rc) {
		log_error("preview.start", "errno=%d", rc);
		abort();
	}
	*out = t;
	return 0;
}

bool preview_thread_stop(struct preview_thread **tp, int64_t ms)
{
	struct preview_thread *t = *tp;

	if (!t)
		return true;
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
