/* retention: sql/functions/60_reads.sql does it. */
#include "lib/chat/retention.h"
#include "lib/db/db.h"

#define BATCH ((int64_t)100)

int retention_step(struct db *d, int64_t *n, struct err *e)
{
	PGresult *r = NULL;

	if (db_query(d, STMT_retention_sweep, &r, e, "i", BATCH) < 0)
		return -1;
	*n = result_int(r, 0, 0);
	PQclear(r);
	return 0;
}

int retention_run(struct db *d, int64_t *n, struct err *e)
{
	int64_t step;

	*n = 0;
	do {
		if (retention_step(d, &step, e) < 0)
			return -1;
		*n += step;
	} while (step);
	return 0;
}
