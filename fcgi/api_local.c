/* api_local: signing in by a password that this site keeps, where that is switched on (doc/signin.md). The session is
 * one like any other. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/auth/cookie.h"
#include "lib/auth/local.h"
#include "lib/auth/oidc.h"
#include "lib/auth/password.h"
#include "lib/auth/rate.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/json/jx.h"
#include <ctype.h>
#include <string.h>

#define NAME_CHARS_MAX 80

/* What all that is done at the door begins with. */
static int may_come(struct request *q, struct err *e)
{
	struct origin_request origin = request_origin(q, ORIGIN_PAGE);

	if (!config_local_accounts(q->config))
		return err_set(e, ERR_NOT_FOUND, NULL, "no such path");
	if (rate_address(q->app->rate, RATE_LOGIN, request_address(q), &q->rate, e) < 0)
		return -1;
	/* with or without a cookie: another site's page must not sign anybody in here as somebody else */
	origin.by_cookie = true;
	return origin_check(q->config, &origin, e);
}

static int read_password(struct request *q, const char *name, struct span *out, struct err *e)
{
	return jx_string(q->json, "", name, JX_REQUIRED, 1, PASSWORD_CHARS_MAX, out, e);
}

/* Handles are in lower case, however they are typed. */
static const char *lower(struct request *q, const char *typed)
{
	char *handle = arena_strdup(q->arena, typed);

	for (char *p = handle; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return handle;
}

/* Into a session like any other. */
static int let_in(struct request *q, struct response *r, int64_t user, struct span wish, struct err *e)
{
	char current[SESSION_SECRET_MAX], return_to[RETURN_TO_MAX];
	struct login_done done = {0};
	int rc;

	return_to_check(wish.p, return_to);
	cookie_find(q->config, COOKIE_SESSION, request_env(q, "HTTP_COOKIE"), current);
	rc = login_session(q->db, q->config, user, NULL, NULL, current[0] ? current : NULL,
			   request_env(q, "HTTP_USER_AGENT"), &done, e);
	if (rc == 0) {
		log_info("login.done", "user=%lld session=%lld renewed=%d", (long long)done.user,
			 (long long)done.session, done.renewed);
		response_cookie(r, q->config, COOKIE_SESSION, done.secret, q->config->session.absolute);
		response_lead(r, return_to);
	}
	secret_wipe(&done, sizeof(done));
	secret_wipe(current, sizeof(current));
	return rc;
}

int handle_auth_local(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"name", "password", "return_to", NULL};
	struct span name, password, wish = {.p = "/", .n = 1};
	int64_t user;
	int rc;

	if (may_come(q, e) < 0 || jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "name", JX_REQUIRED, 1, NAME_CHARS_MAX, &name, e) < 0 ||
	    read_password(q, "password", &password, e) < 0 ||
	    jx_string(q->json, "", "return_to", JX_OPTIONAL, 0, RETURN_TO_MAX, &wish, e) < 0 ||
	    oidc_enter(q->app->oidc, e) < 0) /* memory and time: as many at once as by the provider */
		return -1;
	rc = local_verify(q->db, lower(q, name.p), password.p, &user, e);
	oidc_leave(q->app->oidc);
	if (rc < 0) {
		log_info("login.failed", "step=password code=%s", err_name(e->code));
		return -1;
	}
	return let_in(q, r, user, wish, e);
}

int handle_auth_join(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"invite", "handle", "name", "password", "return_to", NULL};
	struct span invite, handle, name, password, wish = {.p = "/", .n = 1};
	struct local_wish w;
	int64_t user = 0;
	int rc;

	if (may_come(q, e) < 0 || jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "invite", JX_REQUIRED, 1, 100, &invite, e) < 0 ||
	    jx_string(q->json, "", "handle", JX_REQUIRED, 1, NAME_CHARS_MAX, &handle, e) < 0 ||
	    jx_string(q->json, "", "name", JX_REQUIRED, 1, NAME_CHARS_MAX, &name, e) < 0 ||
	    read_password(q, "password", &password, e) < 0 ||
	    jx_string(q->json, "", "return_to", JX_OPTIONAL, 0, RETURN_TO_MAX, &wish, e) < 0 ||
	    oidc_enter(q->app->oidc, e) < 0)
		return -1;
	w = (struct local_wish){invite.p, lower(q, handle.p), name.p, password.p};
	rc = local_join(q->db, q->config, &w, &user, e);
	oidc_leave(q->app->oidc);
	if (rc < 0) {
		log_info("login.failed", "step=join code=%s field=%s", err_name(e->code), log_quote(e->field));
		return -1;
	}
	log_info("login.joined", "user=%lld", (long long)user);
	return let_in(q, r, user, wish, e);
}

int handle_own_password(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"old", "password", NULL};
	struct acting who = request_acting(q);
	struct span old, password;
	int rc;

	if (!config_local_accounts(q->config))
		return err_set(e, ERR_NOT_FOUND, NULL, "no such path");
	if (jx_only(q->json, "", names, e) < 0 || read_password(q, "old", &old, e) < 0 ||
	    read_password(q, "password", &password, e) < 0 || oidc_enter(q->app->oidc, e) < 0)
		return -1;
	rc = local_change_password(q->db, &who, q->session.user, old.p, password.p, q->session.id, e);
	oidc_leave(q->app->oidc);
	if (rc < 0)
		return -1;
	log_info("password.changed", "user=%lld", (long long)q->session.user);
	r->status = 204;
	return 0;
}
