/* api_meta: health, limits, the site, the description of this interface, and who I am. */
#include "fcgi/app.h"
#include "fcgi/events.h"
#include "fcgi/handlers.h"
#include "fcgi/openapi.h"
#include "lib/auth/buttons.h"
#include "lib/auth/local.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/chat/limits.h"
#include "lib/chat/profile.h"
#include "lib/chat/user.h"
#include "lib/db/db.h"
#include <string.h>

#define EVENTS_SPARE_MIN 2 /* partitions of the log; below it nobody has seen to new ones for long */

/* For load balancers and monitors, so it answers as data also when it is bad news. A deaf bus is no reason for the
 * former to ask elsewhere: all is served, a second late. */
int handle_healthz(struct request *q, struct response *r, struct err *e)
{
	PGresult *rows = NULL;
	struct err ignored = {0};
	bool database = db_one(q->db, STMT_health, &rows, &ignored, "") == 0;
	bool writer = q->app->gate->is_up(q->app->gate);
	bool log = !rows || result_int(rows, 0, 0) >= EVENTS_SPARE_MIN;
	enum events_bus bus = q->app->events ? events_bus(q->app->events) : EVENTS_OFF;

	(void)e;
	PQclear(rows);
	if (!database || !log) {
		r->status = 503;
		response_header(r, "Retry-After", "1");
	}
	strbuf_addf(&r->body, "{\"status\":\"%s\",\"database\":\"%s\",\"writer\":\"%s\",\"log\":\"%s\"",
		    !database || !log    ? "unavailable"
		    : bus == EVENTS_DEAF ? "degraded"
					 : "ok",
		    database ? "ok" : "unavailable", writer ? "ok" : "connecting", log ? "ok" : "short of partitions");
	if (bus != EVENTS_OFF)
		strbuf_addf(&r->body, ",\"bus\":\"%s\",\"polls\":%zu", bus == EVENTS_HEARS ? "ok" : "deaf",
			    events_waiting(q->app->events));
	strbuf_addc(&r->body, '}');
	return 0;
}

int handle_limits(struct request *q, struct response *r, struct err *e)
{
	(void)e;
	limits_render(&r->body, q->config);
	r->cache_control = "no-cache";
	response_etag(r, q);
	return 0;
}

static void render_buttons(struct strbuf *b, const char *setting)
{
	struct buttons buttons;
	struct err ignored = {0};

	if (buttons_parse(setting, &buttons, &ignored) < 0)
		return; /* main has refused such a setting, doctor tells of it */
	for (size_t i = 0; i < buttons.n; i++) {
		strbuf_adds(b, i ? ",{\"id\":" : "{\"id\":");
		strbuf_add_json(b, buttons.at[i].id, strlen(buttons.at[i].id));
		strbuf_adds(b, ",\"label\":");
		strbuf_add_json(b, buttons.at[i].label, strlen(buttons.at[i].label));
		strbuf_addc(b, '}');
	}
}

int handle_site(struct request *q, struct response *r, struct err *e)
{
	(void)e;
	strbuf_adds(&r->body, "{\"name\":");
	strbuf_add_json(&r->body, q->config->site.name, strlen(q->config->site.name));
	strbuf_adds(&r->body, ",\"login\":[");
	render_buttons(&r->body, q->config->oidc.buttons);
	strbuf_addf(&r->body,
		    "],\"provider\":%s,\"local\":%s,\"registration\":\"%s\",\"version\":\"" PULSECHAT_VERSION "\"}",
		    q->config->oidc.issuer[0] ? "true" : "false", config_local_accounts(q->config) ? "true" : "false",
		    q->config->registration.mode);
	r->cache_control = "no-cache";
	response_etag(r, q);
	return 0;
}

int handle_openapi(struct request *q, struct response *r, struct err *e)
{
	(void)e;
	strbuf_add(&r->body, openapi_json, openapi_json_n);
	r->cache_control = "no-cache";
	response_etag(r, q);
	return 0;
}

int handle_me(struct request *q, struct response *r, struct err *e)
{
	const struct session *s = &q->session;
	char expires[TIME_TEXT_MAX];
	bool password = false;

	strbuf_adds(&r->body, "{\"user\":");
	if (user_get(q->db, s->user, s->user, &r->body, e) < 0)
		return -1;
	time_text(s->expires_us, expires);
	strbuf_addf(&r->body, ",\"session\":{\"id\":%lld,\"kind\":\"%s\",\"expires_at\":", (long long)s->id,
		    s->is_token ? "token" : "session");
	if (s->expires_us)
		strbuf_addf(&r->body, "\"%s\"", expires);
	else
		strbuf_adds(&r->body, "null");
	strbuf_adds(&r->body, ",\"scopes\":");
	scope_render(&r->body, s->scopes);
	if (config_local_accounts(q->config) && local_has_password(q->db, s->user, &password, e) < 0)
		return -1;
	strbuf_addf(&r->body, "},\"password\":%s,\"profile\":", password ? "true" : "false");
	if (profile_render(q->db, s->user, &r->body, e) < 0)
		return -1;
	strbuf_addc(&r->body, '}');
	return 0;
}
