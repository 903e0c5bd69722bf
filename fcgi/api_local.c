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

int handle_auth_local(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"name", "password", "return_to", NULL};
	struct origin_request origin = request_origin(q, ORIGIN_PAGE);
	char current[SESSION_SECRET_MAX], return_to[RETURN_TO_MAX];
	struct span name, password, wish = {.p = "/", .n = 1};
	struct login_done done = {0};
	int64_t user;
	char *handle;
	int rc;

	if (!config_local_accounts(q->config))
		return err_set(e, ERR_NOT_FOUND, NULL, "no such path");
	if (rate_address(q->app->rate, RATE_LOGIN, request_address(q), &q->rate, e) < 0)
		return -1;
	/* with or without a cookie: another site's page must not sign anybody in here as somebody else */
	origin.by_cookie = true;
	if (origin_check(q->config, &origin, e) < 0 || jx_only(q->json, "", names, e) < 0 ||
	    jx_string(q->json, "", "name", JX_REQUIRED, 1, NAME_CHARS_MAX, &name, e) < 0 ||
	    jx_string(q->json, "", "password", JX_REQUIRED, 1, PASSWORD_BYTES_MAX, &password, e) < 0 ||
	    jx_string(q->json, "", "return_to", JX_OPTIONAL, 0, RETURN_TO_MAX, &wish, e) < 0)
		return -1;
	if (password.n > PASSWORD_BYTES_MAX)
		return err_set(e, ERR_BAD_FIELD, "password", "must be %d bytes at most", PASSWORD_BYTES_MAX);
	return_to_check(wish.p, return_to);
	handle = arena_strdup(q->arena, name.p);
	for (char *p = handle; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (oidc_enter(q->app->oidc, e) < 0) /* memory and time: as many at once as by the provider */
		return -1;
	rc = local_verify(q->db, handle, password.p, &user, e);
	oidc_leave(q->app->oidc);
	if (rc < 0) {
		log_info("login.failed", "step=password code=%s", err_name(e->code));
		return -1;
	}
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
