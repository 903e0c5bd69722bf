/* bot: made, found, listed. */
#include "lib/chat/bot.h"
#include "lib/base/utf8.h"
#include "lib/chat/acting.h"
#include "lib/chat/list.h"
#include "lib/chat/user.h"
#include "lib/db/db.h"
#include <string.h>

int bot_add(struct db *d, const struct acting *who, const char *handle, const char *name, int64_t *id, struct err *e)
{
	size_t n = strlen(name);
	PGresult *r = NULL;

	if (user_handle_check(handle, e) < 0)
		return -1;
	if (!utf8_valid(name, n) || utf8_has_control(name, n, "") || utf8_blank(name, n) || utf8_length(name, n) > 80)
		return err_set(e, ERR_BAD_FIELD, "name", "must be 1 to 80 characters of plain text");
	if (user_handle_look(d, handle, e) < 0 || db_one(d, STMT_bot_add, &r, e, "ibtttt", who->user, who->admin,
							 who->request, who->address, handle, name) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_CONFLICT, "handle", "this handle is taken");
	*id = result_int(r, 0, 0);
	PQclear(r);
	return 0;
}

int bot_check(struct db *d, int64_t user, struct err *e)
{
	PGresult *r = NULL;
	bool found;

	if (db_one(d, STMT_bot_find, &r, e, "i", user) < 0)
		return -1;
	found = r != NULL;
	PQclear(r);
	return found ? 0 : err_set(e, ERR_NOT_FOUND, NULL, "there is no such bot");
}

int bot_list(struct db *d, const char *after, int64_t limit, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_bot_list, &r, e, "ti", after, limit) < 0)
		return -1;
	strbuf_adds(b, "{\"bots\":");
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	list_next(r, 1, b);
	strbuf_addc(b, '}');
	PQclear(r);
	return 0;
}
