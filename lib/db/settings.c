/* settings: what every connection of ours is opened with. */
#include "lib/db/settings.h"
#include "lib/base/config.h"

void db_connect_params(const struct config *c, const char *name, const char *keywords[DB_PARAMS],
		       const char *values[DB_PARAMS])
{
	const struct {
		const char *keyword, *value;
	} given[] = {
		{"dbname", c->database.dsn}, /* a whole connection string, expanded by libpq */
		{"fallback_application_name", name},
		{"client_encoding", "UTF8"},
		{"connect_timeout", "5"},
		/* a server that vanished without a word is noticed in about 10 s */
		{"keepalives_idle", "5"},
		{"keepalives_interval", "2"},
		{"keepalives_count", "3"},
		{"tcp_user_timeout", "10000"},
	};
	size_t i;

	for (i = 0; i < COUNT_OF(given); i++) {
		keywords[i] = given[i].keyword;
		values[i] = given[i].value;
	}
	keywords[i] = values[i] = NULL;
}

void db_connect_to(const char *host, const char *hostaddr, const char *port, const char *keywords[DB_PARAMS],
		   const char *values[DB_PARAMS])
{
	const char *const given[][2] = {{"host", host}, {"hostaddr", hostaddr}, {"port", port}};
	size_t i = 0;

	while (keywords[i])
		i++;
	for (size_t k = 0; k < COUNT_OF(given); k++, i++) {
		keywords[i] = given[k][0]; /* the last one counts; libpq passes over one that is empty */
		values[i] = given[k][1];
	}
	keywords[i] = values[i] = NULL;
}

void db_settings(struct strbuf *b, const struct config *c)
{
	strbuf_addf(b,
		    "SET statement_timeout = %lld; SET lock_timeout = 5000; SET idle_in_transaction_session_timeout = "
		    "5000; "
		    "SET default_transaction_isolation = 'read committed'; SET TimeZone = 'UTC'; "
		    "SET IntervalStyle = 'postgres'; SET DateStyle = 'ISO'; SET jit = off",
		    (long long)c->database.statement_timeout);
}
