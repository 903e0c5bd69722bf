/* file: one statement each; the rules are in sql/functions/80_files.sql. */
#include "lib/chat/file.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/chat/media.h"
#include "lib/chat/message.h"
#include "lib/db/db.h"
#include "lib/store/store.h"
#include <stdio.h>

#define ERASED_AT_ONCE 200 /* in one transaction, which holds the channels that they are of */

int file_address(struct db *d, const struct store *s, int64_t reader, int64_t file, bool download, struct strbuf *url,
		 int64_t *lasts_s, struct err *e)
{
	PGresult *r = NULL;
	struct store_get g;
	int rc;

	if (db_one(d, STMT_file_get, &r, e, "ii", reader, file) < 0)
		return -1;
	if (!r || !s) {
		PQclear(r);
		return err_set(e, ERR_NOT_FOUND, NULL, "no such file");
	}
	g = (struct store_get){.key = result_text(r, 0, 0),
			       .name = result_text(r, 0, 1),
			       .type = media_served(result_text(r, 0, 2)),
			       .show = !download && media_shown(result_text(r, 0, 2)),
			       .steady = result_bool(r, 0, 3)};
	rc = store_get_url(s, &g, url, lasts_s, e);
	PQclear(r);
	return rc;
}

int file_erase(struct db *d, const struct acting *who, int64_t file, bool loose, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_file_erase, &r, e, "ibttib", who->user, who->admin, who->request, who->address, file,
		   loose) < 0)
		return -1;
	rc = access_code(r ? result_text(r, 0, 0) : "", NULL, e);
	if (rc == 0 && !result_null(r, 0, 1)) {
		strbuf_addc(b, '{');
		message_render_row(b, r, 0, 1);
		strbuf_addc(b, '}');
	}
	PQclear(r);
	return rc;
}

int files_erase_all(struct db *d, const struct acting *who, int64_t person, struct err *e)
{
	int64_t erased;
	int rc;

	do {
		PGresult *r = NULL;

		if (db_one(d, STMT_files_erase_some, &r, e, "ibttii", who->user, who->admin, who->request, who->address,
			   person, (int64_t)ERASED_AT_ONCE) < 0)
			return -1;
		rc = access_code(r ? result_text(r, 0, 0) : "", NULL, e);
		erased = r ? result_int(r, 0, 1) : 0;
		PQclear(r);
	} while (rc == 0 && erased);
	return rc;
}

int file_list(struct db *d, int64_t person, int64_t before, int64_t limit, struct strbuf *b, struct page *p,
	      struct err *e)
{
	enum { CURSOR, FILES, NEXT, BYTES, FOUND };
	PGresult *r = NULL;

	if (db_one(d, STMT_file_list, &r, e, "iii", person, before, limit) < 0)
		return -1;
	if (!r || !result_bool(r, 0, FOUND)) {
		PQclear(r);
		return access_code("no_user", NULL, e);
	}
	snprintf(p->cursor, sizeof(p->cursor), "%s", result_text(r, 0, CURSOR));
	strbuf_adds(b, "{\"files\":");
	strbuf_add(b, result_text(r, 0, FILES), result_length(r, 0, FILES));
	strbuf_addf(b, ",\"bytes\":%s,\"next\":%s}", result_text(r, 0, BYTES),
		    result_null(r, 0, NEXT) ? "null" : result_text(r, 0, NEXT));
	PQclear(r);
	return 0;
}

int file_list_channel(struct db *d, int64_t channel, int64_t reader, int64_t before, int64_t limit, const char *which,
		      struct strbuf *b, struct page *p, struct err *e)
{
	enum { KIND, CURSOR = 3 };
	PGresult *r = NULL;
	struct access a;

	if (db_one(d, STMT_channel_files, &r, e, "iiiit", channel, reader, before, limit, which) < 0)
		return -1;
	a = access_from_row(r, 0, KIND);
	if (access_read(&a, e) < 0) {
		PQclear(r);
		return -1;
	}
	return list_render(r, CURSOR, "files", b, p, e);
}
