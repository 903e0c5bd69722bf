/* pooler: one flag for the program. */
#include "lib/db/pooler.h"
#include "lib/base/log.h"
#include "lib/db/dberr.h"
#include <stdatomic.h>

static _Atomic bool seen;

bool pooler_noticed(const PGresult *r)
{
	/* "prepared statement does not exist", and "already exists": another client's, left behind in the session */
	if (!dberr_is(r, "26000") && !dberr_is(r, "42P05"))
		return false;
	if (!atomic_exchange(&seen, true))
		log_error("db.pooler", "cause=%s",
			  log_quote("a connection pooler in transaction mode: prepared statements and settings do not "
				    "last, notifications do not arrive; let [database] dsn name the server itself, or "
				    "a pool in session mode"));
	return true;
}

bool pooler_seen(void)
{
	return atomic_load_explicit(&seen, memory_order_relaxed);
}
