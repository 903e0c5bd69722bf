/* files_thread: rounds of care, and a bell. */
#include "fcgi/files_thread.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/thread.h"
#include "lib/chat/file.h"
#include "lib/db/db.h"
#include <pthread.h>
#include <stdlib.h>

struct files_thread {
	const struct config *config;
	const struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t bell;
	bool stop, wanted;
};

/* True where the thread is to end. */
static bool rest(struct files_thread *t, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;
	bool stop;

	pthread_mutex_lock(&t->lock);
	while (!t->stop && !t->wanted && thread_cond_wait_until(&t->bell, &t->lock, until))
		;
	stop = t->stop;
	t->wanted = false;
	pthread_mutex_unlock(&t->lock);
	return stop;
}

static void *run(void *arg)
{
	struct files_thread *t = arg;
	struct db *db = db_new(t->config);
	int64_t each = files_care_each(t->config);
	struct files_cared cared;

	do {
		struct err e = {0};

		if (files_care(db, t->config, t->store, each, &cared, &e) < 0)
			log_debug("files.care", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
		else if (cared.collected || cared.deleted)
			log_info("files.care", "collected=%lld deleted=%lld", (long long)cared.collected,
				 (long long)cared.deleted);
	} while (!rest(t, cared.more ? 0 : each + (int64_t)rand_below((uint32_t)(each / 4 + 1))));
	db_free(&db);
	return NULL;
}

struct files_thread *files_thread_start(const struct config *c, const struct store *s)
{
	struct files_thread *t = xcalloc(1, sizeof(*t));
	int rc;

	t->config = c;
	t->store = s;
	pthread_mutex_init(&t->lock, NULL);
	thread_cond_init(&t->bell);
	rc = pthread_create(&t->thread, NULL, run, t);
	if (rc) {
		log_error("files.start", "errno=%d", rc);
		abort();
	}
	return t;
}

void files_thread_wake(struct files_thread *t)
{
	pthread_mutex_lock(&t->lock);
	t->wanted = true;
	pthread_cond_signal(&t->bell);
	pthread_mutex_unlock(&t->lock);
}

bool files_thread_stop(struct files_thread **tp, int64_t ms)
{
	struct files_thread *t = *tp;

	if (!t)
		return true;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->bell);
	pthread_mutex_unlock(&t->lock);
	if (!thread_join_within(t->thread, ms))
		return false;
	pthread_cond_destroy(&t->bell);
	pthread_mutex_destroy(&t->lock);
	free(t);
	*tp = NULL;
	return true;
}
