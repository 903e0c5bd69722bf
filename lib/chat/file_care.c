/* file_care: what nobody wants any more goes, from the store too. */
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/chat/file.h"
#include "lib/db/db.h"
#include "lib/store/store.h"

#define COLLECTED_AT_ONCE 500
#define DELETED_AT_ONCE 50
#define SETTLED_AT_ONCE 50
#define FAILURES_MAX 3 /* in a row: the store is away, and each takes its time */
#define EACH_MIN_MS 500
#define EACH_MAX_MS 60000

int64_t files_care_each(const struct config *c)
{
	return MAX_OF(MIN_OF(c->files.unattached / 10, (int64_t)EACH_MAX_MS), (int64_t)EACH_MIN_MS);
}

static int one_number(struct db *d, PGresult **r, int rc, int64_t *out)
{
	(void)d;
	*out = rc == 0 && *r ? result_int(*r, 0, 0) : 0;
	PQclear(*r);
	*r = NULL;
	return rc;
}

/* A multipart upload first: what still completes meanwhile is deleted then. */
static int delete_one(struct db *d, const struct store *s, const PGresult *due, int row, struct err *e)
{
	const char *key = result_text(due, row, 1);
	PGresult *r = NULL;
	int rc;

	if (!result_null(due, row, 2) && store_multipart_abort(s, key, result_text(due, row, 2), e) < 0)
		return -1;
	if (store_delete(s, key, e) < 0)
		return -1;
	rc = db_one(d, STMT_files_deleted, &r, e, "i", result_int(due, row, 0));
	PQclear(r);
	return rc;
}

int files_care(struct db *d, const struct config *c, const struct store *s, int64_t pause_ms, struct files_cared *out,
	       struct err *e)
{
	PGresult *r = NULL;
	int64_t forgotten, settled;
	int in_row = 0;

	*out = (struct files_cared){0};
	if (one_number(d, &r,
		       db_one(d, STMT_files_collect, &r, e, "ii", c->files.unattached, (int64_t)COLLECTED_AT_ONCE),
		       &out->collected) < 0)
		return -1;
	if (one_number(d, &r, db_one(d, STMT_copies_settle, &r, e, "i", (int64_t)SETTLED_AT_ONCE), &settled) < 0)
		return -1;
	if (db_query(d, STMT_files_due, &r, e, "ii", pause_ms, (int64_t)DELETED_AT_ONCE) < 0)
		return -1;
	for (int i = 0; i < result_rows(r) && in_row < FAILURES_MAX; i++) {
		struct err why = {0};

		if (delete_one(d, s, r, i, &why) == 0) {
			out->deleted++;
			in_row = 0;
			continue;
		}
		out->failed++;
		in_row++;
		log_warning("files.delete", "file=%s code=%s detail=%s", result_text(r, i, 0), err_name(why.code),
			    log_quote(why.detail));
	}
	out->more = !out->failed && (result_rows(r) == DELETED_AT_ONCE || out->collected == COLLECTED_AT_ONCE ||
				     settled == SETTLED_AT_ONCE);
	PQclear(r);
	r = NULL;
	return one_number(d, &r, db_one(d, STMT_files_forget, &r, e, ""), &forgotten);
}
