/* maintain_thread: what is due, each thing by its own clock. */
#include "fcgi/maintain_thread.h"
#include "fcgi/chore.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/chat/presence_view.h"
#include "lib/chat/retention.h"
#include "lib/db/db.h"
#include "lib/db/maintain.h"
#include "lib/search/indexer.h"
#include <stdlib.h>

#define EACH_S 3600
#define AFTER_FAILURE_S 60
#define AFTER_FAILURE_MS 5000
#define RETENTION_MS 10000     /* between looks for messages that are older than they are kept */
#define RETENTION_AGAIN_MS 200 /* after a full batch: others write meanwhile */
#define WHOLE_EACH 3           /* of the looks at what has run out of presence */

struct maintain_thread {
	const struct config *config;
	struct chore chore;
	unsigned sweeps;
	struct indexer_pace pace;
};

static void say(const char *what)
{
	log_debug("maintain", "what=%s", log_quote(what));
}

/* Presence in between, a whole look each few times. */
static void sweep(struct maintain_thread *t, struct db *db)
{
	struct err e = {0};

	if (presence_sweep(db, t->config, t->sweeps++ % WHOLE_EACH == 0, &e) < 0)
		log_debug("presence.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
}

/* A batch of the search index; how long it is to the next one. */
static int64_t index_messages(struct maintain_thread *t, struct db *db)
{
	struct err e = {0};
	int64_t ms = AFTER_FAILURE_MS;

	if (indexer_step(db, &t->pace, &ms, &e) < 0) {
		log_warning("index.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
		ms = AFTER_FAILURE_MS;
	}
	return ms;
}

/* A batch of messages that are older than their channel keeps them; how long it is to the next one. */
static int64_t erase_old(struct db *db)
{
	struct err e = {0};
	int64_t swept;

	if (retention_step(db, &swept, &e) < 0) {
		log_warning("retention.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
		return RETENTION_MS;
	}
	return swept ? RETENTION_AGAIN_MS : RETENTION_MS;
}

static void *run(void *arg)
{
	struct maintain_thread *t = arg;
	struct db *db = db_new(t->config);
	int64_t next = 0, next_sweep = 0, next_index = 0, next_erase = 0, each = presence_sweep_each(t->config), now;

	do {
		struct err e = {0};
		bool ok;

		if (next <= clock_mono_ms()) {
			ok = maintain(db, t->config, say, &e) == 0;
			if (!ok)
				log_warning("maintain.failed", "code=%s detail=%s", err_name(e.code),
					    log_quote(e.detail));
			next = clock_mono_ms() + ((ok ? EACH_S : AFTER_FAILURE_S) + (int64_t)rand_below(30)) * 1000;
		}
		if (next_sweep <= clock_mono_ms()) {
			sweep(t, db);
			next_sweep = clock_mono_ms() + each + (int64_t)rand_below((uint32_t)(each / 4 + 1));
		}
		if (next_index <= clock_mono_ms())
			next_index = index_messages(t, db) + clock_mono_ms();
		if (next_erase <= clock_mono_ms())
			next_erase = erase_old(db) + clock_mono_ms();
		now = clock_mono_ms();
	} while (!chore_rest(&t->chore, MAX_OF(MIN_OF(MIN_OF(next_sweep, next_index), next_erase) - now, (int64_t)1)));
	db_free(&db);
	return NULL;
}

struct maintain_thread *maintain_thread_start(const struct config *c)
{
	struct maintain_thread *t = xcalloc(1, sizeof(*t));

	t->config = c;
	chore_start(&t->chore, "maintain", run, t);
	return t;
}

bool maintain_thread_stop(struct maintain_thread **tp, int64_t ms)
{
	struct maintain_thread *t = *tp;

	if (!chore_stop(&t->chore, ms))
		return false;
	free(t);
	*tp = NULL;
	return true;
}
