/* pooler: a connection pooler in transaction mode between us and the server, noticed by what it breaks. Prepared
 * statements vanish there from one call to the next; statements go without a name from then on, in all of the program,
 * which is slower but works. What cannot work is LISTEN: lib/live/bus.c goes on by reading the log. */
#pragma once
#include "lib/base/base.h"
#include <libpq-fe.h>

/* True where this error shows such a pooler: the statement was not run, and is to be run again without a name. Says so
 * in the log the first time. Any thread. */
bool pooler_noticed(const PGresult *r);
bool pooler_seen(void);
