/* db: one blocking connection with named prepared statements (nameless ones behind a pooler, pooler.h). */
#include "lib/db/db.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/dberr.h"
#include "lib/db/params.h"
#include "lib/db/pooler.h"
#include "lib/db/settings.h"
#include "lib/db/stmt.h"
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DB_ARENA_LIMIT ((size_t)8 << 20)
#define SILENT_MS 3000 /* beyond the statement time-out: it is the connection that is stuck */

struct db {
	const struct config *config;
	PGconn *conn; /* non-blocking: what waits for it is await() */
	struct arena *arena;
	int64_t heard_at;
	bool silent; /* it has been given up */
	bool prepared[STMT_COUNT + 1];
};

/* Since when a connection of this process has been silent that was given up: one that has not been heard since is not
 * trusted either. */
static _Atomic int64_t silent_since;

struct db *db_new(const struct config *c)
{
	struct db *d = xcalloc(1, sizeof(*d));

	d->config = c;
	d->arena = arena_new(DB_ARENA_LIMIT);
	return d;
}

static void drop(struct db *d)
{
	PQfinish(d->conn);
	d->conn = NULL;
	d->silent = false;
	memset(d->prepared, 0, sizeof(d->prepared));
}

void db_free(struct db **d)
{
	if (!*d)
		return;
	drop(*d);
	arena_free(&(*d)->arena);
	free(*d);
	*d = NULL;
}

static bool is_fine(const PGresult *r)
{
	return PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK ||
	       PQresultStatus(r) == PGRES_EMPTY_QUERY;
}

static bool gave_up(struct db *d, int64_t since)
{
	d->silent = true;
	if (silent_since < since)
		silent_since = since;
	return false;
}

/* Waits until libpq has a result, if only that the connection is lost. False: nothing comes, not even that. */
static bool await(struct db *d)
{
	int64_t heard_at = clock_mono_ms();

	for (;;) {
		int unsent = PQflush(d->conn);
		int64_t now = clock_mono_ms(), left;
		struct pollfd p = {.fd = PQsocket(d->conn), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};

		if (unsent < 0 || (unsent == 0 && !PQisBusy(d->conn))) {
			d->heard_at = now;
			return true;
		}
		left = heard_at + d->config->database.statement_timeout + SILENT_MS - now;
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			return gave_up(d, heard_at);
		if (p.revents & ~POLLOUT) {
			if (!PQconsumeInput(d->conn))
				return true;
			heard_at = clock_mono_ms();
		}
	}
}

/* The result of what was sent: the last one, or the first that is a failure. NULL: there is none. */
static PGresult *answer(struct db *d, int sent)
{
	PGresult *r = NULL, *next;

	while (sent) {
		if (!await(d)) {
			PQclear(r);
			return NULL;
		}
		next = PQgetResult(d->conn);
		if (!next)
			break;
		if (r && !is_fine(r)) {
			PQclear(next);
			continue;
		}
		PQclear(r);
		r = next;
	}
	return r;
}

/* Takes the failed result. A connection that is lost is dropped. Always returns -1. */
static int failed(struct db *d, PGresult *r, const char *what, struct err *e)
{
	if (d->silent)
		dberr_lost(e, what, "no answer in time");
	else
		dberr_set(e, d->conn, PQresultErrorField(r, PG_DIAG_SQLSTATE) ? r : NULL, what);
	PQclear(r);
	if (d->silent || PQstatus(d->conn) != CONNECTION_OK)
		drop(d);
	return -1;
}

int db_command(struct db *d, const char *sql, struct err *e)
{
	PGresult *r = answer(d, PQsendQuery(d->conn, sql));

	if (!is_fine(r))
		return failed(d, r, sql, e);
	PQclear(r);
	return 0;
}

/* Notices would go to standard error past the log. */
static void on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	log_debug("db.notice", "text=%s", log_quote(PQresultErrorMessage(r)));
}

static int open_connection(struct db *d, struct err *e)
{
	const char *keywords[DB_PARAMS], *values[DB_PARAMS];
	AUTO_STRBUF settings = {0};

	drop(d);
	db_connect_params(d->config, "pulsechat", keywords, values);
	d->conn = PQconnectdbParams(keywords, values, 1);
	if (PQstatus(d->conn) != CONNECTION_OK) {
		dberr_set(e, d->conn, NULL, "connect");
		drop(d);
		return -1;
	}
	PQsetNoticeReceiver(d->conn, on_notice, NULL);
	PQsetnonblocking(d->conn, 1);
	db_settings(&settings, d->config);
	if (db_command(d, strbuf_cstr(&settings), e) < 0) {
		drop(d);
		return -1;
	}
	return 0;
}

/* An idle connection has nothing to read but notices; an end of file on it means that the server has gone. Its farewell
 * is read first, so one look is not enough. */
static bool died_idle(PGconn *conn)
{
	struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};

	if (PQtransactionStatus(conn) == PQTRANS_IDLE)
		while (poll(&p, 1, 0) > 0)
			if (!PQconsumeInput(conn) || PQstatus(conn) != CONNECTION_OK)
				return true;
	return PQstatus(conn) != CONNECTION_OK;
}

static bool is_trusted(const struct db *d)
{
	return PQtransactionStatus(d->conn) != PQTRANS_IDLE || d->heard_at > silent_since;
}

int db_connect(struct db *d, struct err *e)
{
	if (d->conn && !died_idle(d->conn) && is_trusted(d))
		return 0;
	return open_connection(d, e);
}

PGconn *db_raw(struct db *d)
{
	return d->conn;
}

/* By its prepared name; the result may be the preparing's failure. */
static PGresult *exec_named(struct db *d, enum stmt_id id, const struct params *p)
{
	if (!d->prepared[id]) {
		PGresult *r = answer(d, PQsendPrepare(d->conn, stmts[id].name, stmts[id].sql, 0, NULL));

		if (!is_fine(r))
			return r;
		PQclear(r);
		d->prepared[id] = true;
	}
	return answer(d, PQsendQueryPrepared(d->conn, stmts[id].name, p->n, p->value, p->length, p->format, 0));
}

static PGresult *exec_nameless(struct db *d, enum stmt_id id, const struct params *p)
{
	return answer(d, PQsendQueryParams(d->conn, stmts[id].sql, p->n, NULL, p->value, p->length, p->format, 0));
}

static int run(struct db *d, enum stmt_id id, PGresult **out, struct err *e, const char *types, va_list ap)
{
	struct params p;
	PGresult *r;

	if (db_connect(d, e) < 0)
		return -1;
	arena_reset(d->arena);
	params_build(&p, d->arena, types, ap);
	if (pooler_seen()) {
		r = exec_nameless(d, id, &p);
	} else {
		r = exec_named(d, id, &p);
		if (pooler_noticed(r) && PQtransactionStatus(d->conn) == PQTRANS_IDLE) {
			PQclear(r);
			r = exec_nameless(d, id, &p);
		}
	}
	if (is_fine(r)) {
		*out = r;
		return 0;
	}
	return failed(d, r, stmts[id].name, e);
}

int db_query(struct db *d, enum stmt_id stmt, PGresult **out, struct err *e, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = run(d, stmt, out, e, types, ap);
	va_end(ap);
	return rc;
}

int db_one(struct db *d, enum stmt_id stmt, PGresult **out, struct err *e, const char *types, ...)
{
	va_list ap;
	int rc;

	va_start(ap, types);
	rc = run(d, stmt, out, e, types, ap);
	va_end(ap);
	if (rc == 0 && PQntuples(*out) == 0) {
		PQclear(*out);
		*out = NULL;
	}
	return rc;
}

int db_begin_snapshot(struct db *d, struct err *e)
{
	if (db_connect(d, e) < 0)
		return -1;
	return db_command(d, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
}

int db_commit(struct db *d, struct err *e)
{
	if (!d->conn)
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	return db_command(d, "COMMIT", e);
}

void db_rollback(struct db *d)
{
	struct err e;

	if (d->conn && PQtransactionStatus(d->conn) != PQTRANS_IDLE && db_command(d, "ROLLBACK", &e) < 0)
		drop(d);
}

bool db_ping(struct db *d)
{
	struct err e;

	return db_connect(d, &e) == 0 && db_command(d, "", &e) == 0;
}
