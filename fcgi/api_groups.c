/* api_groups: groups of people, and how many a mention would reach. Guests know of no groups. */
#include "fcgi/handlers.h"
#include "lib/chat/group.h"
#include "lib/chat/mention.h"
#include "lib/chat/user.h"
#include <string.h>

static int check_guest(const struct request *q, struct err *e)
{
	if (strcmp(q->session.role, "guest") != 0)
		return 0;
	return err_set(e, ERR_FORBIDDEN, NULL, "guests know of no groups, and name people alone");
}

int handle_group_list(struct request *q, struct response *r, struct err *e)
{
	const char *after = request_query(q, "after");
	struct acting who = request_acting(q);
	int64_t limit;
	struct page p;

	if (check_guest(q, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	if (after && !user_handle_valid(after, strlen(after)))
		return err_set(e, ERR_BAD_FIELD, "after", "is not a handle");
	if (group_list(q->db, q->config, &who, after ? after : "", limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_group_get(struct request *q, struct response *r, struct err *e)
{
	return check_guest(q, e) < 0 ? -1 : group_get(q->db, q->param[0], &r->body, e);
}

int handle_group_make(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 201;
	return group_make(q->db, q->config, &who, q->json, &r->body, e);
}

int handle_group_change(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	return group_change(q->db, q->config, &who, q->param[0], q->json, &r->body, e);
}

int handle_group_delete(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return group_delete(q->db, q->config, &who, q->param[0], e);
}

int handle_reach(struct request *q, struct response *r, struct err *e)
{
	const char *of = request_query(q, "of");
	struct mentions m;

	if (!of)
		return err_set(e, ERR_BAD_FIELD, "of", "is missing");
	if (mentions_parse(of, "of", &m, e) < 0)
		return -1;
	if (m.calls_n && check_guest(q, e) < 0)
		return -1;
	return mentions_reach(q->db, q->param[0], q->session.user, &m, &r->body, e);
}
