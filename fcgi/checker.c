/* checker: a bounded queue, and a few threads that each have a database connection and a libmagic of their own. */
#include "fcgi/checker.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/thread.h"
#include "lib/chat/upload.h"
#include "lib/db/db.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#define THREADS 2
#define JOBS_MAX 64
#define BUSY_RETRY_MS 2000

/* Whoever lets go of it last frees it: the thread, or who waits for it. */
struct job {
	STAILQ_ENTRY(job) queue;
	int64_t user, upload, checks;
	int refs;
	bool over;
	int rc;
	struct err e;
};

struct checker {
	const struct config *config;
	const struct store *store;
	pthread_mutex_t lock;
	pthread_cond_t more, over; /* a job is there, or it is to end; one is over */
	STAILQ_HEAD(, job) jobs;
	size_t jobs_n;               /* those under way too */
	size_t waiting, waiting_max; /* workers that wait for an outcome */
	_Atomic bool draining;
	bool stopping;
	pthread_t threads[THREADS];
	bool running[THREADS];
};

static void unref_locked(struct job *j)
{
	if (--j->refs == 0)
		free(j);
}

static bool go_on(void *arg)
{
	return !((struct checker *)arg)->draining;
}

static void finish(struct checker *c, struct job *j)
{
	pthread_mutex_lock(&c->lock);
	c->jobs_n--;
	j->over = true;
	unref_locked(j);
	pthread_cond_broadcast(&c->over);
	pthread_mutex_unlock(&c->lock);
}

static struct job *next(struct checker *c)
{
	struct job *j;

	pthread_mutex_lock(&c->lock);
	while (!c->stopping && STAILQ_EMPTY(&c->jobs))
		pthread_cond_wait(&c->more, &c->lock);
	j = STAILQ_FIRST(&c->jobs);
	if (j)
		STAILQ_REMOVE_HEAD(&c->jobs, queue);
	pthread_mutex_unlock(&c->lock);
	return j;
}

static void *run(void *arg)
{
	struct checker *c = arg;
	struct media_sniffer *m = NULL; /* with the first file: most processes of a quiet site never need it */
	struct db *db = db_new(c->config);
	struct job *j;

	while ((j = next(c))) {
		struct upload_desk d = {.db = db, .config = c->config, .store = c->store, .user = j->user};

		if (!m)
			m = media_sniffer_new();
		if (go_on(c)) {
			j->rc = upload_check(&d, m, j->upload, j->checks, go_on, c, &j->e);
		} else {
			upload_unclaim(&d, j->upload, j->checks);
			j->rc = err_retry(&j->e, ERR_UNAVAILABLE, 1000, "the server is stopping");
		}
		finish(c, j);
	}
	media_sniffer_free(&m);
	db_free(&db);
	return NULL;
}

struct checker *checker_start(const struct config *config, const struct store *store)
{
	struct checker *c = xcalloc(1, sizeof(*c));

	c->config = config;
	c->store = store;
	c->waiting_max = MAX_OF((size_t)config->api.threads / 2, (size_t)1);
	STAILQ_INIT(&c->jobs);
	pthread_mutex_init(&c->lock, NULL);
	thread_cond_init(&c->more);
	thread_cond_init(&c->over);
	for (size_t i = 0; i < THREADS; i++) {
		int rc = pthread_create(&c->threads[i], NULL, run, c);

		if (rc) {
			log_error("checker.start", "errno=%d", rc);
			abort();
		}
		c->running[i] = true;
	}
	return c;
}

int checker_run(struct checker *c, int64_t user, int64_t upload, int64_t checks, int64_t wait_ms, struct err *e)
{
	int64_t until = clock_mono_ms() + wait_ms;
	struct job *j;
	bool waits;
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	if (c->jobs_n == JOBS_MAX || c->draining) {
		pthread_mutex_unlock(&c->lock);
		return err_retry(e, ERR_BUSY, BUSY_RETRY_MS, "too many files are being checked, try again");
	}
	j = xcalloc(1, sizeof(*j));
	j->user = user;
	j->upload = upload;
	j->checks = checks;
	j->refs = 2;
	STAILQ_INSERT_TAIL(&c->jobs, j, queue);
	c->jobs_n++;
	pthread_cond_signal(&c->more);
	waits = c->waiting < c->waiting_max;
	c->waiting += waits;
	while (waits && !j->over && thread_cond_wait_until(&c->over, &c->lock, until))
		;
	c->waiting -= waits;
	if (j->over) {
		rc = j->rc;
		if (rc < 0)
			*e = j->e;
	}
	unref_locked(j);
	pthread_mutex_unlock(&c->lock);
	return rc;
}

void checker_drain(struct checker *c)
{
	if (c)
		c->draining = true;
}

bool checker_stop(struct checker **cp, int64_t ms)
{
	struct checker *c = *cp;
	int64_t until = clock_mono_ms() + ms;

	if (!c)
		return true;
	checker_drain(c);
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < THREADS; i++) {
		if (c->running[i] && !thread_join_within(c->threads[i], MAX_OF(until - clock_mono_ms(), (int64_t)0)))
			return false;
		c->running[i] = false;
	}
	pthread_cond_destroy(&c->more);
	pthread_cond_destroy(&c->over);
	pthread_mutex_destroy(&c->lock);
	free(c);
	*cp = NULL;
	return true;
}
