/* cmd_db: migrate, maintain, new-epoch. */
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include "lib/db/maintain.h"
#include "lib/db/migrations.h"
#include "lib/search/indexer.h"
#include <stdio.h>

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

int cmd_maintain(struct cli *c)
{
	struct err e = {0};
	int64_t n;

	if (maintain(c->db, c->config, say, &e) < 0 || indexer_run(c->db, &n, &e) < 0)
		return cli_fail(&e);
	printf("events and messages taken into the search index: %lld\n", (long long)n);
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
