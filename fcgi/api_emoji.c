/* api_emoji: the site's own emoji. */
#include "fcgi/app.h"
#include "fcgi/files_thread.h"
#include "fcgi/handlers.h"
#include "lib/chat/custom_emoji.h"

int handle_emoji_list(struct request *q, struct response *r, struct err *e)
{
	struct page p;

	if (custom_emoji_list(q->db, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_emoji_add(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	bool again = false;

	if (custom_emoji_add(q->db, q->config, q->app->store, &who, q->json, &again, &r->body, e) < 0)
		return -1;
	if (!again)
		r->status = 201;
	return 0;
}

int handle_emoji_remove(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (custom_emoji_remove(q->db, &who, q->text, e) < 0)
		return -1;
	if (q->app->care)
		files_thread_wake(q->app->care); /* its picture is erased */
	r->status = 204;
	return 0;
}
