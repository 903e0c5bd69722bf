/* session settings of our database connections, in one place. */
#pragma once
#include "lib/base/strbuf.h"
struct config;

/* Connection parameters for PQconnectdbParams: the configured dsn, and ours. keywords and values have room for
 * DB_PARAMS. */
#define DB_PARAMS 12
void db_connect_params(const struct config *c, const char *name, const char *keywords[DB_PARAMS],
		       const char *values[DB_PARAMS]);
/* Adds lists of servers (hosts.h) in place of the dsn's. The texts are borrowed. */
void db_connect_to(const char *host, const char *hostaddr, const char *port, const char *keywords[DB_PARAMS],
		   const char *values[DB_PARAMS]);
/* The SET commands that every connection runs first. */
void db_settings(struct strbuf *b, const struct config *c);
