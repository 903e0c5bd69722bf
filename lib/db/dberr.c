/* dberr: SQLSTATE to error code (PostgreSQL documentation, appendix A). */
#include "lib/db/dberr.h"
#include "lib/base/log.h"
#include <string.h>

#define DB_RETRY_MS 1000

static const struct {
	const char *prefix;
	enum err_code code;
	const char *detail;
} classes[] = {
	{"22", ERR_BAD_FIELD, "the database refuses this value"},
	{"23", ERR_CONFLICT, "this contradicts what is stored"},
	{"40", ERR_BUSY, "too many changes at once, try again"},
	{"55P03", ERR_BUSY, "someone else is changing this, try again"},
	{"57014", ERR_BUSY, "this took too long, try again"},
	{"57P", ERR_UNAVAILABLE, "the database is not available at the moment"},
	{"08", ERR_UNAVAILABLE, "the database is not available at the moment"},
	{"26000", ERR_UNAVAILABLE,
	 "the database is not available at the moment"}, /* pooler.h: it works the next time */
	{"42P05", ERR_UNAVAILABLE, "the database is not available at the moment"},
	{"53", ERR_UNAVAILABLE, "the database is not available at the moment"},
};

bool dberr_is(const PGresult *r, const char *prefix)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;

	return state && !strncmp(state, prefix, strlen(prefix));
}

int dberr_lost(struct err *e, const char *what, const char *why)
{
	log_warning("db.lost", "in=%s cause=%s", what, log_quote(why));
	return err_retry(e, ERR_UNAVAILABLE, DB_RETRY_MS, "the database is not available at the moment");
}

int dberr_set(struct err *e, const PGconn *c, const PGresult *r, const char *what)
{
	const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
	const char *text = r ? PQresultErrorMessage(r) : PQerrorMessage(c);

	if (!state)
		return dberr_lost(e, what, text);
	/* a check that has no name is not one of ours, but the log's: there is no partition for the next event */
	if (dberr_is(r, "23514") && !PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME)) {
		log_error("db.no_partition", "in=%s cure=%s", what, log_quote("run pulsechat maintain"));
		return err_retry(e, ERR_UNAVAILABLE, DB_RETRY_MS, "nothing can be stored at the moment");
	}
	/* the primary message alone: details quote the data */
	text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	for (size_t i = 0; i < COUNT_OF(classes); i++)
		if (dberr_is(r, classes[i].prefix)) {
			log_warning("db.failed", "in=%s sqlstate=%s cause=%s", what, state, log_quote(text));
			if (classes[i].code == ERR_BUSY || classes[i].code == ERR_UNAVAILABLE)
				return err_retry(e, classes[i].code, DB_RETRY_MS, "%s", classes[i].detail);
			return err_set(e, classes[i].code, NULL, "%s", classes[i].detail);
		}
	log_error("db.failed", "in=%s sqlstate=%s cause=%s", what, state, log_quote(text));
	return err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
}
