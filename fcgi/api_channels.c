/* api_channels: channels, joining and leaving them. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/chat/access.h"
#include "lib/chat/channel.h"
#include "lib/chat/member.h"
#include <string.h>

int handle_channel_list(struct request *q, struct response *r, struct err *e)
{
	const char *scope = request_query(q, "scope"), *wish = request_query(q, "q");
	bool mine = !scope || !strcmp(scope, "mine");
	int64_t after = 0, limit;
	struct page p;

	if (!mine && strcmp(scope, "public") != 0)
		return err_set(e, ERR_BAD_FIELD, "scope", "expected mine or public");
	if (request_query_int(q, "after", 0, REQUEST_NUMBER_MAX, &after, e) < 0 || request_limit(q, 100, &limit, e) < 0)
		return -1;
	if (!mine && access_join(q->session.role, e) < 0)
		return -1;
	if (mine && wish)
		return err_set(e, ERR_BAD_FIELD, "q", "only with scope=public");
	if ((mine ? channel_list(q->db, q->session.user, after, limit, &r->body, &p, e)
		  : channel_browse(q->db, q->session.user, wish ? wish : "", after, limit, &r->body, &p, e)) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_channel_create(struct request *q, struct response *r, struct err *e)
{
	int64_t *ids = arena_alloc(q->arena, CHANNEL_INVITED_MAX * sizeof(*ids));
	struct channel_wish wish;
	int64_t channel = 0;
	bool created = false;

	if (channel_wish(q->json, ids, &wish, e) < 0)
		return -1;
	if (channel_make(q->db, q->config, q->session.user, q->session.role, &wish, &channel, &created, e) < 0)
		return -1;
	if (created) { /* with 200 a Location would be a CGI's redirect inside the server (RFC 3875, 6.2.2) */
		r->status = 201;
		response_headerf(r, "Location", "/api/v1/channels/%lld", (long long)channel);
	}
	return channel_get(q->db, channel, q->session.user, &r->body, e);
}

int handle_channel_get(struct request *q, struct response *r, struct err *e)
{
	return channel_get(q->db, q->param[0], q->session.user, &r->body, e);
}

int handle_channel_join(struct request *q, struct response *r, struct err *e)
{
	int64_t me = q->session.user;
	bool again;

	if (access_join(q->session.role, e) < 0 || member_add(q->db, q->config, q->param[0], me, me, &again, e) < 0)
		return -1;
	return channel_get(q->db, q->param[0], me, &r->body, e);
}

int handle_channel_leave(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	r->status = 204;
	return member_remove(q->db, &who, q->param[0], who.user, "", e);
}
