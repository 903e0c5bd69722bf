/* db: one blocking connection with named prepared statements (nameless ones behind a pooler, pooler.h). */
#include "lib/db/db.h"
#include "lib/base/arena.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/dberr.h"
#include "lib/db/params.h"
#include "lib/db/pooler.h"
#include "lib/db/settings.h"
#include "lib/db/stmt.h"
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define DB_ARENA_LIMIT ((size_t)8 << 20)

struct db {
	const struct config *config;
	PGconn *conn;
	struct arena *arena;
	bool prepared[STMT_COUNT + 1];
};

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

static int command(struct db *d, const char *sql, struct err *e)
{
	PGresult *r = PQexec(d->conn, sql);
	int rc = 0;

	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_EMPTY_QUERY)
		rc = dberr_set(e, d->conn, PQresultErrorField(r, PG_DIAG_SQLSTATE) ? r : NULL, sql);
	PQclear(r);
	return rc;
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
	db_settings(&settings, d->config);
	if (command(d, strbuf_cstr(&settings), e) < 0) {
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

int db_connect(struct db *d, struct err *e)
{
	if (d->conn && !died_idle(d->conn))
		return 0;
	return open_connection(d, e);
}

PGconn *db_raw(struct db *d)
{
	return d->conn;
}

static bool is_fine(const PGresult *r)
{
	return PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK;
}

/* By its prepared name; the result may be the preparing's failure. */
static PGresult *exec_named(struct db *d, enum stmt_id id, const struct params *p)
{
	if (!d->prepared[id]) {
		PGresult *r = PQprepare(d->conn, stmts[id].name, stmts[id].sql, 0, NULL);

		if (!is_fine(r))
			return r;
		PQclear(r);
		d->prepared[id] = true;
	}
	return PQexecPrepared(d->conn, stmts[id].name, p->n, p->value, p->length, p->format, 0);
}

static PGresult *exec_nameless(struct db *d, enum stmt_id id, const struct params *p)
{
	return PQexecParams(d->conn, stmts[id].sql, p->n, NULL, p->value, p->length, p->format, 0);
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
	dberr_set(e, d->conn, PQresultErrorField(r, PG_DIAG_SQLSTATE) ? r : NULL, stmts[id].name);
	PQclear(r);
	if (PQstatus(d->conn) != CONNECTION_OK)
		drop(d);
	return -1;
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
	return command(d, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", e);
}

int db_commit(struct db *d, struct err *e)
{
	if (!d->conn)
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	return command(d, "COMMIT", e);
}

void db_rollback(struct db *d)
{
	struct err e;

	if (d->conn && PQtransactionStatus(d->conn) != PQTRANS_IDLE && command(d, "ROLLBACK", &e) < 0)
		drop(d);
}

bool db_ping(struct db *d)
{
	struct err e;

	return db_connect(d, &e) == 0 && command(d, "", &e) == 0;
}
