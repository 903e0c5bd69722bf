/* draft: the rules are in sql/functions/87_drafts.sql. */
#include "lib/chat/draft.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/chat/message.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"

static int set(struct db *d, const struct draft_place *at, int64_t user, const struct span *text, const int64_t *files,
	       size_t n, int64_t reply_to, int64_t version, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_draft_set, &r, e, "iiisIii", at->channel, user, at->thread, text->p, text->n, files, n,
		   reply_to, version) < 0)
		return -1;
	return access_outcome_json(r, NULL, b, e);
}

int draft_put(struct db *d, const struct config *c, const struct draft_place *at, int64_t user, const struct jx *wish,
	      struct strbuf *b, struct err *e)
{
	static const char *const names[] = {"text", "files", "reply_to", "version", NULL};
	int64_t files[MESSAGE_FILES_MAX], version = 0, reply_to = 0;
	struct span text = {0};
	size_t n = 0;
	bool blank;

	if (jx_only(wish, "", names, e) < 0 || message_text(c, wish, "", &text, &blank, e) < 0 ||
	    message_files(c, wish, "", files, &n, e) < 0 || message_reply_to(wish, "", &reply_to, e) < 0 ||
	    jx_int(wish, "", "version", JX_REQUIRED, 0, INT64_MAX, &version, e) < 0)
		return -1;
	return set(d, at, user, &text, files, n, reply_to, version, b, e);
}

int draft_delete(struct db *d, const struct draft_place *at, int64_t user, int64_t version, struct strbuf *b,
		 struct err *e)
{
	const struct span nothing = {"", 0};

	return set(d, at, user, &nothing, NULL, 0, 0, version, b, e);
}

int draft_get(struct db *d, const struct draft_place *at, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	struct access a;
	int rc;

	if (db_one(d, STMT_draft_get, &r, e, "iii", at->channel, user, at->thread) < 0)
		return -1;
	a = access_from_row(r, 0, 0);
	rc = access_read(&a, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 3), result_length(r, 0, 3));
	PQclear(r);
	return rc;
}

int draft_list(struct db *d, int64_t user, const struct draft_place *after, int64_t limit, struct strbuf *b,
	       struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_draft_list, &r, e, "iiii", user, after->channel, after->thread, limit) < 0)
		return -1;
	if (list_begin(r, 0, "drafts", b, p, e) < 0)
		return -1;
	strbuf_addf(b, ",\"next\":%s,\"next_thread\":%s}", result_null(r, 0, 2) ? "null" : result_text(r, 0, 2),
		    result_null(r, 0, 3) ? "null" : result_text(r, 0, 3));
	PQclear(r);
	return 0;
}
