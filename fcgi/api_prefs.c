/* api_prefs: what one wants of one's channels, and one's side bar. */
#include "fcgi/handlers.h"
#include "lib/chat/prefs.h"

int handle_prefs_change(struct request *q, struct response *r, struct err *e)
{
	return prefs_change(q->db, q->param[0], q->session.user, q->json, &r->body, e);
}

int handle_sidebar_get(struct request *q, struct response *r, struct err *e)
{
	return sidebar_get(q->db, q->session.user, &r->body, e);
}

int handle_sidebar_set(struct request *q, struct response *r, struct err *e)
{
	return sidebar_set(q->db, q->session.user, q->json, &r->body, e);
}
