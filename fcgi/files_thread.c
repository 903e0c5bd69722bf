/* files_thread: rounds of care. */
#include "fcgi/files_thread.h"
#include "fcgi/chore.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/chat/file.h"
#include "lib/db/db.h"
#include <stdlib.h>

struct files_thread {
	const struct config *config;
	const struct store *store;
	struct chore chore;
};

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
	} while (!chore_rest(&t->chore, cared.more ? 0 : each + (int64_t)rand_below((uint32_t)(each / 4 + 1))));
	db_free(&db);
	return NULL;
}

struct files_thread *files_thread_start(const struct config *c, const struct store *s)
{
	struct files_thread *t = xcalloc(1, sizeof(*t));

	t->config = c;
	t->store = s;
	chore_start(&t->chore, "files", run, t);
	return t;
}

void files_thread_wake(struct files_thread *t)
{
	chore_wake(&t->chore);
}

bool files_thread_stop(struct files_thread **tp, int64_t ms)
{
	struct files_thread *t = *tp;

	if (!t)
		return true;
	if (!chore_stop(&t->chore, ms))
		return false;
	free(t);
	*tp = NULL;
	return true;
}
