/* user: lists and one. */
#include "lib/chat/user.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"
#include <ctype.h>
#include <string.h>

bool user_handle_valid(const char *s, size_t n)
{
	if (n == 0 || n > USER_HANDLE_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool inner = c == '.' || c == '_' || c == '-';

		if (!(islower(c) || isdigit(c)) && (i == 0 || !inner))
			return false;
	}
	return true;
}

int user_handle_check(const char *handle, struct err *e)
{
	return user_handle_valid(handle, strlen(handle))
		       ? 0
		       : err_set(e, ERR_BAD_FIELD, "handle",
				 "must be 1 to %d of a-z, 0-9, '.', '_' and '-', and begin with a letter or digit",
				 USER_HANDLE_MAX);
}

int user_handle_look(struct db *d, const char *handle, struct err *e)
{
	PGresult *r = NULL;
	bool reserved;

	if (db_one(d, STMT_handle_look, &r, e, "t", handle) < 0)
		return -1;
	reserved = r && result_bool(r, 0, 0);
	PQclear(r);
	return reserved ? err_set(e, ERR_CONFLICT, "handle", "the handle %s is reserved", handle) : 0;
}

int user_get(struct db *d, int64_t viewer, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_get, &r, e, "ii", user, viewer) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such user");
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

static int render(PGresult *r, struct strbuf *b, struct page *p, struct err *e)
{
	if (list_begin(r, 0, "users", b, p, e) < 0)
		return -1;
	list_next(r, 2, b);
	strbuf_addc(b, '}');
	PQclear(r);
	return 0;
}

int user_list_ids(struct db *d, int64_t viewer, const int64_t *ids, size_t n, struct strbuf *b, struct page *p,
		  struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_list_ids, &r, e, "Ii", ids, n, viewer) < 0)
		return -1;
	return render(r, b, p, e);
}

int user_list(struct db *d, int64_t viewer, const char *wish, const char *after, int64_t limit, struct strbuf *b,
	      struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_user_list, &r, e, "ttii", wish, after, limit, viewer) < 0)
		return -1;
	return render(r, b, p, e);
}
