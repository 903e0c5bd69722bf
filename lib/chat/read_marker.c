/* read_marker: one statement, judged in the same snapshot. */
#include "lib/chat/read_marker.h"
#include "lib/chat/access.h"
#include "lib/db/db.h"

int read_marker_move(struct db *d, int64_t channel, int64_t reader, int64_t seq, int64_t *out, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_read_marker_move, &r, e, "iii", channel, reader, seq) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	/* removed between the statement's snapshot and the marker's update: as if a moment before */
	a.member = a.member && !result_null(r, 0, 3);
	rc = access_read(&a, e);
	if (rc == 0)
		*out = result_int(r, 0, 3);
	PQclear(r);
	return rc;
}

int read_marker_moved(const PGresult *r, int64_t *seq, struct err *e)
{
	if (result_rows(r) < 1 || result_null(r, 0, 0))
		return err_set(e, ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel");
	*seq = result_int(r, 0, 0);
	return 0;
}
