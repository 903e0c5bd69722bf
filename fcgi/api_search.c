/* api_search: messages by their words. */
#include "fcgi/handlers.h"
#include "lib/search/search.h"
#include <string.h>

int handle_search(struct request *q, struct response *r, struct err *e)
{
	const char *words = request_query(q, "q"), *sort = request_query(q, "sort");
	enum search_order order = SEARCH_BY_RANK;
	int64_t limit = 20;
	struct page p;

	if (!words)
		return err_set(e, ERR_BAD_FIELD, "q", "is missing");
	if (sort && !strcmp(sort, "date"))
		order = SEARCH_BY_DATE;
	else if (sort && strcmp(sort, "rank") != 0)
		return err_set(e, ERR_BAD_FIELD, "sort", "expected rank or date");
	if (request_query_int(q, "limit", 1, SEARCH_PAGE, &limit, e) < 0)
		return -1;
	if (search_messages(q->db, q->session.user, words, order, request_query(q, "before"), limit, &r->body, &p, e) <
	    0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
