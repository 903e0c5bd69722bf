/* custom_emoji: the rules are in sql/functions/89_emoji.sql. */
#include "lib/chat/custom_emoji.h"
#include "lib/base/config.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/chat/picture_file.h"
#include "lib/chat/upload.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <string.h>

bool custom_emoji_name(struct span text, char out[CUSTOM_EMOJI_NAME_CHARS + 1])
{
	if (text.n < 1 || text.n > CUSTOM_EMOJI_NAME_CHARS)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		char ch = text.p[i];

		if (ch >= 'A' && ch <= 'Z')
			ch = (char)(ch - 'A' + 'a');
		if (!ch || !strchr("abcdefghijklmnopqrstuvwxyz0123456789_+-", ch))
			return false;
		out[i] = ch;
	}
	out[text.n] = 0;
	return true;
}

static int bad_name(struct err *e)
{
	return err_set(e, ERR_BAD_FIELD, "name", "must be 1 to %d of a-z, 0-9, _, + and -", CUSTOM_EMOJI_NAME_CHARS);
}

int64_t custom_emoji_max(const struct config *c)
{
	return config_files(c) ? c->emoji.max : 0;
}

int custom_emoji_list(struct db *d, struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_custom_emoji_list, &r, e, "") < 0)
		return -1;
	if (list_begin(r, 0, "emoji", b, p, e) < 0)
		return -1;
	strbuf_addf(b, ",\"version\":%s}", result_text(r, 0, 2));
	PQclear(r);
	return 0;
}

int custom_emoji_add(struct db *d, const struct config *c, const struct store *store, const struct acting *who,
		     const struct jx *o, bool *again, struct strbuf *b, struct err *e)
{
	struct upload_desk desk = {.db = d, .config = c, .store = store, .user = who->user};
	static const char *const names[] = {"name", "file", NULL};
	char name[CUSTOM_EMOJI_NAME_CHARS + 1];
	struct span wish = {0};
	PGresult *r = NULL;
	int64_t file;
	int rc;

	if (jx_only(o, "", names, e) < 0 || jx_string(o, "", "name", JX_REQUIRED, 1, 255, &wish, e) < 0 ||
	    jx_int(o, "", "file", JX_REQUIRED, 1, INT64_MAX, &file, e) < 0)
		return -1;
	if (!custom_emoji_name(wish, name))
		return bad_name(e);
	if (picture_file_check(&desk, file, e) < 0)
		return -1;
	if (db_one(d, STMT_custom_emoji_add, &r, e, "ibtttibii", who->user, who->admin, who->request, who->address,
		   name, file, (int)config_emoji_by_all(c), custom_emoji_max(c), PICTURE_BYTES) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	if (rc == 0) {
		*again = !strcmp(result_text(r, 0, 0), "again");
		strbuf_add(b, result_text(r, 0, 2), result_length(r, 0, 2));
	}
	PQclear(r);
	return rc;
}

int custom_emoji_remove(struct db *d, const struct acting *who, const char *text, struct err *e)
{
	char name[CUSTOM_EMOJI_NAME_CHARS + 1];
	PGresult *r = NULL;

	if (!custom_emoji_name((struct span){text, strlen(text)}, name))
		return bad_name(e);
	if (db_one(d, STMT_custom_emoji_remove, &r, e, "ibttt", who->user, who->admin, who->request, who->address,
		   name) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}
