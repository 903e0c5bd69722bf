/* db: one blocking connection with named prepared statements, for worker threads and commands. One thread at a time.
 * It opens itself at the first use and again after a loss: a query that finds the connection dead before it was sent is
 * run again once on a new one; a loss while a query is under way is ERR_UNAVAILABLE (a write may have happened:
 * callers make writes idempotent). So is a server that gives no answer for 3 s beyond the statement time-out; then
 * every connection of the process that has not been heard since is opened anew before its next query. */
#pragma once
#include "lib/base/err.h"
#include "lib/db/result.h"
#include "gen/stmt_ids.h"
struct config;

struct db;

struct db *db_new(const struct config *c); /* does not connect yet */
void db_free(struct db **d);

/* Runs one statement in its own transaction (or in the one begun). types and arguments: params.h. *out: PQclear() it.
 * Errors: ERR_UNAVAILABLE, ERR_BUSY (lock or statement time-out), ERR_BAD_FIELD (data the database refuses),
 * ERR_INTERNAL. */
MUST_CHECK int db_query(struct db *d, enum stmt_id stmt, PGresult **out, struct err *e, const char *types, ...);
/* The same for one row at most: *out is NULL where there is none. */
MUST_CHECK int db_one(struct db *d, enum stmt_id stmt, PGresult **out, struct err *e, const char *types, ...);

/* A repeatable-read, read-only transaction, for answers of several statements that bear one cursor. */
MUST_CHECK int db_begin_snapshot(struct db *d, struct err *e);
MUST_CHECK int db_commit(struct db *d, struct err *e);
void db_rollback(struct db *d); /* harmless outside a transaction */

bool db_ping(struct db *d);   /* for /healthz */
PGconn *db_raw(struct db *d); /* non-blocking; NULL where there is no connection */
MUST_CHECK int db_connect(struct db *d, struct err *e);
/* SQL that is no named statement and has no rows, on a connection that is open. */
MUST_CHECK int db_command(struct db *d, const char *sql, struct err *e);
