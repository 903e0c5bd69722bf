/* api_events: polls (doc/protocol.md, section 5), and what is said to who wants a stream. */
#include "fcgi/app.h"
#include "fcgi/events.h"
#include "fcgi/handlers.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/chat/presence_view.h"
#include "lib/live/plain.h"
#include "lib/live/poll.h"
#include <string.h>
#include <strings.h>

static int read_query(const struct request *q, struct poll_request *asked, struct err *e)
{
	const struct config *c = q->config;
	const char *cursor = request_query(q, "cursor"), *instance = request_query(q, "instance");
	const char *active = request_query(q, "active");
	int64_t wait_s = -1;

	if (cursor && cursor_parse(cursor, strlen(cursor), &asked->cursor, e) < 0)
		return -1;
	asked->has_cursor = cursor != NULL;
	if (instance) {
		if (!uuid_parse(instance, strlen(instance), NULL))
			return err_set(e, ERR_BAD_FIELD, "instance", "must be a UUID in lower case");
		memcpy(asked->instance, instance, sizeof(asked->instance));
		asked->has_instance = true;
	}
	if (interests_parse(request_query(q, "focus"), request_query(q, "watch"), &asked->interests, e) < 0)
		return -1;
	if (active && strcmp(active, "1") != 0)
		return err_set(e, ERR_BAD_FIELD, "active", "must be 1");
	asked->active = active != NULL;
	if (request_query_int(q, "wait", 0, live_poll_wait_max(c), &wait_s, e) < 0)
		return -1;
	asked->reads = asked->drafts = LIVE_NOT_ASKED;
	if (request_query_int(q, "reads", 0, REQUEST_NUMBER_MAX, &asked->reads, e) < 0 ||
	    request_query_int(q, "drafts", 0, REQUEST_NUMBER_MAX, &asked->drafts, e) < 0)
		return -1;
	active = request_query(q, "active");
	if (active && strcmp(active, "1") != 0)
		return err_set(e, ERR_BAD_FIELD, "active", "must be 1");
	asked->active = active != NULL;
	asked->wait_ms = live_poll_hold(c, wait_s);
	return 0;
}

/* A name among the media ranges of Accept. */
static bool accepts(const struct request *q, const char *name)
{
	const char *p = request_env(q, "HTTP_ACCEPT");
	size_t n = strlen(name);

	while (p && *p) {
		p += strspn(p, " \t,");
		if (strcspn(p, ",; \t") == n && !strncasecmp(p, name, n))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

int handle_events(struct request *q, struct response *r, struct err *e)
{
	struct poll_request asked = {0};
	char cursor[CURSOR_TEXT_MAX];

	if (accepts(q, "text/event-stream") && !accepts(q, "application/x-ndjson"))
		return err_set(e, ERR_NOT_ACCEPTABLE, NULL, "no server-sent events here: use long-poll");
	if (read_query(q, &asked, e) < 0)
		return -1;
	if (q->app->events && config_polls_park(q->config) && !q->head)
		return events_reserve(q->app->events, q, &asked, q->seen, &r->parked, e);
	if (live_plain(q->db, q->config, q->session.user, q->session.id, asked.has_cursor ? &asked.cursor : NULL,
		       asked.reads, asked.drafts, &asked.interests, &r->body, cursor, e) < 0)
		return -1;
	if (!q->head && presence_polled(q->db, q->config, q->session.user, asked.active, e) < 0)
		return -1;
	r->type = "application/x-ndjson";
	response_header(r, "PulseChat-Cursor", cursor);
	return 0;
}

int handle_ws(struct request *q, struct response *r, struct err *e)
{
	(void)q;
	(void)r;
	return err_set(e, ERR_UPGRADE_REQUIRED, NULL, "no WebSockets here: use long-poll");
}
