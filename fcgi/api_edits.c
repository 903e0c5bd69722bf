/* api_edits: what becomes of messages that are there: edits and reactions. */
#include "fcgi/handlers.h"
#include "lib/chat/history.h"
#include "lib/chat/message.h"
#include "lib/chat/reaction.h"
#include "lib/preview/preview.h"

int handle_message_edit(struct request *q, struct response *r, struct err *e)
{
	if (message_edit(q->db, q->config, q->json, q->param[0], q->session.user, q->param[1], e) < 0)
		return -1;
	return history_get(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}

int handle_preview_remove(struct request *q, struct response *r, struct err *e)
{
	if (preview_remove(q->db, q->param[0], q->session.user, q->param[1], e) < 0)
		return -1;
	return history_get(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}

int handle_edit_list(struct request *q, struct response *r, struct err *e)
{
	return history_edits(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}

int handle_reaction_list(struct request *q, struct response *r, struct err *e)
{
	return reaction_list(q->db, q->param[0], q->session.user, q->param[1], &r->body, e);
}

int handle_reaction_users(struct request *q, struct response *r, struct err *e)
{
	int64_t after = 0, limit;

	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	return reaction_users(q->db, q->param[0], q->session.user, q->param[1], q->text, after, limit, &r->body, e);
}

int handle_reaction_add(struct request *q, struct response *r, struct err *e)
{
	return reaction_set(q->db, q->param[0], q->session.user, q->param[1], q->text, true, &r->body, e);
}

int handle_reaction_remove(struct request *q, struct response *r, struct err *e)
{
	return reaction_set(q->db, q->param[0], q->session.user, q->param[1], q->text, false, &r->body, e);
}
