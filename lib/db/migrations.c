/* migrations: brings a database up to the schema this program was built for. */
#include "lib/db/migrations.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/base/strbuf.h"
#include "lib/db/dberr.h"
#include "lib/db/settings.h"
#include "lib/db/stmt.h"
#include "gen/stmt_ids.h"
#include <stdlib.h>
#include <string.h>

static int exec(PGconn *c, const char *sql, const char *what, struct err *e)
{
	PGresult *r = PQexec(c, sql);
	ExecStatusType s = PQresultStatus(r);
	int rc = 0;

	if (s != PGRES_COMMAND_OK && s != PGRES_TUPLES_OK) {
		dberr_set(NULL, c, r, what);
		rc = err_set(e, ERR_INTERNAL, NULL, "%s: %s", what, PQerrorMessage(c));
	}
	PQclear(r);
	return rc;
}

/* The recorded checksum of what, or "" where it is not recorded. */
static int recorded(PGconn *c, const char *what, char out[65], struct err *e)
{
	PGresult *r = PQexecParams(c, stmts[STMT_schema_recorded].sql, 1, NULL, &what, NULL, NULL, 0);

	out[0] = 0;
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		err_set(e, ERR_INTERNAL, NULL, "schema_history: %s", PQerrorMessage(c));
		PQclear(r);
		return -1;
	}
	if (PQntuples(r) && PQgetlength(r, 0, 0) == 64)
		memcpy(out, PQgetvalue(r, 0, 0), 65);
	PQclear(r);
	return 0;
}

static int record(PGconn *c, const char *what, const char *checksum, struct err *e)
{
	const char *values[] = {what, checksum};
	PGresult *r = PQexecParams(c, stmts[STMT_schema_record].sql, 2, NULL, values, NULL, NULL, 0);
	int rc = 0;

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		rc = err_set(e, ERR_INTERNAL, NULL, "schema_history: %s", PQerrorMessage(c));
	PQclear(r);
	return rc;
}

/* Notices ("already exists, skipping") would go to standard error past the log. */
static void on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	log_debug("db.notice", "text=%s", log_quote(PQresultErrorMessage(r)));
}

static bool is_migration(const struct sql_file *f)
{
	return !strncmp(f->path, "sql/migrations/", 15);
}

static void checksum_of(const char *sql, char out[65])
{
	unsigned char h[32];

	sha256(sql, strlen(sql), h);
	hex_encode(out, h, sizeof(h));
}

static int apply(PGconn *c, const struct sql_file *f, void (*say)(const char *), struct err *e)
{
	char have[65], want[65];

	checksum_of(f->sql, want);
	if (recorded(c, f->path, have, e) < 0)
		return -1;
	if (!strcmp(have, want))
		return 0;
	if (have[0] && is_migration(f))
		return err_set(e, ERR_CONFLICT, NULL,
			       "%s has been changed since it was applied; a migration is never edited, add a new one",
			       f->path);
	if (say)
		say(f->path);
	if (exec(c, "BEGIN", "begin", e) < 0)
		return -1;
	if (exec(c, f->sql, f->path, e) < 0 || record(c, f->path, want, e) < 0) {
		struct err ignored;

		(void)exec(c, "ROLLBACK", "rollback", &ignored);
		return -1;
	}
	return exec(c, "COMMIT", "commit", e);
}

int migrate(const struct config *cfg, void (*say)(const char *step), struct err *e)
{
	const char *keywords[DB_PARAMS], *values[DB_PARAMS];
	PGconn *c;
	int rc = -1;

	db_connect_params(cfg, "pulsechat-migrate", keywords, values);
	c = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(c) != CONNECTION_OK) {
		err_set(e, ERR_UNAVAILABLE, NULL, "%s", PQerrorMessage(c));
		goto out;
	}
	PQsetNoticeReceiver(c, on_notice, NULL);
	/* one at a time, whoever else is migrating; the lock goes with the connection */
	if (exec(c, stmts[STMT_schema_lock].sql, "schema_lock", e) < 0 ||
	    exec(c, stmts[STMT_schema_history].sql, "schema_history", e) < 0)
		goto out;
	for (const struct sql_file *f = sql_files; f->path; f++)
		if (apply(c, f, say, e) < 0)
			goto out;
	if (exec(c, stmts[STMT_schema_stream].sql, "schema_stream", e) < 0)
		goto out;
	rc = 0;
out:
	PQfinish(c);
	return rc;
}
