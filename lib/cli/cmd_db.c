/* cmd_db: migrate, maintain, new-epoch. */
#include "lib/cli/cli.h"
#include "lib/base/config.h"
#include "lib/chat/file.h"
#include "lib/chat/retention.h"
#include "lib/db/db.h"
#include "lib/db/maintain.h"
#include "lib/db/migrations.h"
#include "lib/preview/preview.h"
#include "lib/search/indexer.h"
#include "lib/store/store.h"
#include <stdio.h>

#define LINKS_AT_ONCE 200

static void say(const char *what)
{
	puts(what);
	fflush(stdout);
}

int cmd_migrate(struct cli *c)
{
	struct err e = {0};

	return migrate(c->config, say, &e) < 0 ? cli_fail(&e) : CLI_OK;
}

/* Where no pulsechat-api stays to see to files, this is who does. */
static int care_for_files(struct cli *c, struct err *e)
{
	struct store *store = NULL;
	struct files_cared cared, all = {0};
	int rc;

	if (store_new(c->config, &store, e) < 0)
		return -1;
	if (!store)
		return 0;
	do {
		rc = files_care(c->db, c->config, store, files_care_each(c->config), &cared, e);
		all.collected += cared.collected;
		all.deleted += cared.deleted;
		all.failed += cared.failed;
	} while (rc == 0 && cared.more);
	store_free(&store);
	if (rc == 0)
		printf("files that nobody sent, erased: %lld\nobjects deleted from the store: %lld, failed: %lld\n",
		       (long long)all.collected, (long long)all.deleted, (long long)all.failed);
	return rc;
}

static bool go_on(void *arg)
{
	(void)arg;
	return true;
}

/* For sites without a pulsechat-api that stays: what waits, and no more. */
static int look_at_links(struct cli *c, int64_t *n, struct err *e)
{
	struct preview_desk d = {.db = c->db, .config = c->config, .go_on = go_on};
	int done = 1;

	*n = 0;
	if (!config_previews(c->config))
		return 0;
	if (preview_check(c->config, &d.guard, e) < 0)
		return -1;
	for (; done && *n < LINKS_AT_ONCE; *n += done)
		if (preview_step(&d, &done, e) < 0)
			return -1;
	return 0;
}

int cmd_maintain(struct cli *c)
{
	struct err e = {0};
	int64_t swept, n, links;

	if (maintain(c->db, c->config, say, &e) < 0 || retention_run(c->db, &swept, &e) < 0)
		return cli_fail(&e);
	printf("messages older than their channels keep them, gone through: %lld\n", (long long)swept);
	if (care_for_files(c, &e) < 0 || indexer_run(c->db, &n, &e) < 0 || look_at_links(c, &links, &e) < 0)
		return cli_fail(&e);
	printf("events and messages taken into the search index: %lld\n", (long long)n);
	printf("messages whose links were looked at: %lld\n", (long long)links);
	return CLI_OK;
}

int cmd_new_epoch(struct cli *c)
{
	struct err e = {0};
	PGresult *r = NULL;

	if (db_one(c->db, STMT_stream_open, &r, &e, "b", 1) < 0)
		return cli_fail(&e);
	printf("%s\n", r ? result_text(r, 0, 0) : "");
	PQclear(r);
	return CLI_OK;
}
