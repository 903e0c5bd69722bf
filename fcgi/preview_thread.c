/* preview_thread: a thread of its own, since a stranger's server may take its time. What waits stands in the database:
 * each process takes from there, and nobody else waits for it. */
#include "fcgi/preview_thread.h"
#include "fcgi/chore.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/db.h"
#include "lib/preview/preview.h"
#include <stdlib.h>

#define IDLE_MS 1000
#define AFTER_FAILURE_MS 5000

struct preview_thread {
	struct preview_desk desk;
	struct chore chore;
};

static bool go_on(void *arg)
{
	return !chore_stopping(&((struct preview_thread *)arg)->chore);
}

static void *run(void *arg)
{
	struct preview_thread *t = arg;

	t->desk.db = db_new(t->desk.config);
	while (!chore_stopping(&t->chore)) {
		struct err e = {0};
		int done = 0;

		if (preview_step(&t->desk, &done, &e) < 0) {
			log_warning("preview.failed", "code=%s detail=%s", err_name(e.code), log_quote(e.detail));
			chore_rest(&t->chore, AFTER_FAILURE_MS);
		} else if (!done) {
			chore_rest(&t->chore, IDLE_MS);
		}
	}
	db_free(&t->desk.db);
	return NULL;
}

int preview_thread_start(const struct config *c, struct preview_thread **out, struct err *e)
{
	struct preview_thread *t;

	*out = NULL;
	if (!config_previews(c))
		return 0;
	t = xcalloc(1, sizeof(*t));
	t->desk = (struct preview_desk){.config = c, .go_on = go_on, .arg = t};
	if (preview_check(c, &t->desk.guard, e) < 0) {
		free(t);
		return -1;
	}
	chore_start(&t->chore, "preview", run, t);
	*out = t;
	return 0;
}

bool preview_thread_stop(struct preview_thread **tp, int64_t ms)
{
	struct preview_thread *t = *tp;

	if (!t)
		return true;
	if (!chore_stop(&t->chore, ms))
		return false;
	free(t);
	*tp = NULL;
	return true;
}
