/* maintain: under an advisory lock, each step by itself, so that an interrupted run is simply gone on with. */
#include "lib/db/maintain.h"
#include "lib/base/config.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

static void tell(void (*say)(const char *), const char *what, int64_t n)
{
	char line[160];

	if (!say)
		return;
	snprintf(line, sizeof(line), "%s: %lld", what, (long long)n);
	say(line);
}

/* A statement of one row with one number. */
static int one_number(struct db *d, enum stmt_id stmt, int64_t *out, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, stmt, &r, e, "") < 0)
		return -1;
	*out = r ? result_int(r, 0, 0) : 0;
	PQclear(r);
	return 0;
}

static int exec(struct db *d, const char *sql, struct err *e)
{
	return db_connect(d, e) < 0 ? -1 : db_command(d, sql, e);
}

static int drop_outdated(struct db *d, const struct config *c, void (*say)(const char *), struct err *e)
{
	PGresult *r = NULL;
	int rc = 0;

	if (db_query(d, STMT_events_outdated, &r, e, "i", c->events.retention) < 0)
		return -1;
	for (int i = 0; rc == 0 && i < result_rows(r); i++) {
		if (!result_null(r, i, 1))
			rc = exec(d, result_text(r, i, 1), e);
		if (rc == 0)
			rc = exec(d, result_text(r, i, 2), e);
	}
	if (rc == 0)
		tell(say, "partitions of the log older than the retention, dropped", result_rows(r));
	PQclear(r);
	return rc;
}

static int work(struct db *d, const struct config *c, void (*say)(const char *), struct err *e)
{
	PGresult *r = NULL;
	int64_t n;

	/* a restored dump is noticed here too, not only when a realtime process starts */
	if (db_one(d, STMT_stream_open, &r, e, "b", 0) < 0)
		return -1;
	PQclear(r);
	if (one_number(d, STMT_events_extend, &n, e) < 0)
		return -1;
	tell(say, "partitions of the log free ahead", n);
	if (drop_outdated(d, c, say, e) < 0)
		return -1;
	if (db_one(d, STMT_drafts_forget, &r, e, "i", c->events.retention) < 0)
		return -1;
	tell(say, "drafts of threads that say nothing any more, forgotten", r ? result_int(r, 0, 0) : 0);
	PQclear(r);
	if (one_number(d, STMT_login_attempts_sweep, &n, e) < 0)
		return -1;
	tell(say, "log-ins that nobody finished, deleted", n);
	if (one_number(d, STMT_sessions_sweep, &n, e) < 0)
		return -1;
	tell(say, "sessions that ended long ago, deleted", n);
	if (one_number(d, STMT_logout_tokens_sweep, &n, e) < 0)
		return -1;
	tell(say, "logout tokens of the provider, out of date, deleted", n);
	if (one_number(d, STMT_previews_sweep, &n, e) < 0)
		return -1;
	tell(say, "pages that previews were made of, out of date, deleted", n);
	return 0;
}

int maintain(struct db *d, const struct config *c, void (*say)(const char *what), struct err *e)
{
	PGresult *r = NULL;
	bool locked;
	int rc;

	if (db_one(d, STMT_maintain_lock, &r, e, "") < 0)
		return -1;
	locked = r && result_bool(r, 0, 0);
	PQclear(r);
	if (!locked) {
		if (say)
			say("another process is at it");
		return 0;
	}
	rc = work(d, c, say, e);
	r = NULL;
	if (db_one(d, STMT_maintain_unlock, &r, rc < 0 ? NULL : e, "") < 0)
		rc = -1;
	PQclear(r);
	return rc;
}
