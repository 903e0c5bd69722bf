/* api_users: people. */
#include "fcgi/handlers.h"
#include "lib/base/utf8.h"
#include "lib/chat/user.h"
#include <string.h>

static int list_ids(struct request *q, struct response *r, struct page *p, struct err *e)
{
	int64_t ids[USER_IDS_MAX];
	size_t n;

	if (q->queries > 1)
		return err_set(e, ERR_BAD_FIELD, "ids", "goes with no other parameter");
	if (request_query_ids(q, "ids", ids, COUNT_OF(ids), &n, e) < 0)
		return -1;
	return user_list_ids(q->db, q->session.user, ids, n, &r->body, p, e);
}

int handle_user_list(struct request *q, struct response *r, struct err *e)
{
	const char *ids = request_query(q, "ids"), *wish = request_query(q, "q"), *after = request_query(q, "after");
	struct page p;
	int64_t limit;

	if (ids) {
		if (list_ids(q, r, &p, e) < 0)
			return -1;
	} else {
		if (request_limit(q, 50, &limit, e) < 0)
			return -1;
		if (wish && utf8_length(wish, strlen(wish)) > USER_WISH_CHARS)
			return err_set(e, ERR_BAD_FIELD, "q", "at most %d characters", USER_WISH_CHARS);
		if (after && !user_handle_valid(after, strlen(after)))
			return err_set(e, ERR_BAD_FIELD, "after", "is not a handle");
		if (user_list(q->db, q->session.user, wish ? wish : "", after ? after : "", limit, &r->body, &p, e) < 0)
			return -1;
	}
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_user_get(struct request *q, struct response *r, struct err *e)
{
	return user_get(q->db, q->session.user, q->param[0], &r->body, e);
}
