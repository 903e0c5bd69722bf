/* api_logout: the provider says that someone has signed out there (OpenID Connect Back-Channel Logout 1.0). No browser
 * is involved, so there is no cookie and no origin: the token alone counts. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/auth/logout_token.h"
#include "lib/auth/oidc.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/db.h"
#include <string.h>
#include <strings.h>

static const char form_type[] = "application/x-www-form-urlencoded";

/* As section 2.8 of it wants a refusal; what is wrong is for the log. */
static int refuse(struct response *r, const struct err *e)
{
	log_warning("logout.refused", "check=%s detail=%s", log_quote(e->field), log_quote(e->detail));
	r->status = 400;
	strbuf_adds(&r->body, "{\"error\":\"invalid_request\",\"error_description\":\"the logout token is refused\"}");
	return 0;
}

static int read_form(struct request *q, const char **token, struct err *e)
{
	const char *type = request_env(q, "CONTENT_TYPE");
	struct uri_pair pairs[8];
	size_t n = 0;

	*token = NULL;
	if (!type || strncasecmp(type, form_type, sizeof(form_type) - 1) != 0)
		return err_set(e, ERR_FORBIDDEN, "content-type", "not a form");
	if (q->body.n && uri_query(q->arena, q->body.p, q->body.n, pairs, COUNT_OF(pairs), &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pairs[i].name, "logout_token"))
			*token = pairs[i].value;
	return *token ? 0 : err_set(e, ERR_FORBIDDEN, "logout_token", "not in the form");
}

/* -1: ERR_FORBIDDEN where it was here before, or the database's errors. */
static int act(struct request *q, const json_t *claims, struct err *e)
{
	const char *sid = json_string_value(json_object_get(claims, "sid"));
	const char *sub = json_string_value(json_object_get(claims, "sub"));
	const char *jti = json_string_value(json_object_get(claims, "jti"));
	int64_t until_s = json_integer_value(json_object_get(claims, "exp")) + q->config->oidc.leeway / 1000;
	PGresult *row = NULL;
	int rc = 0;

	if (db_one(q->db, STMT_session_backchannel_logout, &row, e, "ttitt", q->config->oidc.issuer, jti, until_s, sid,
		   sub) < 0)
		return -1;
	if (!row || result_null(row, 0, 0))
		rc = err_set(e, ERR_FORBIDDEN, "jti", "it was here before");
	else
		log_info("logout.backchannel", "sessions=%lld by=%s", (long long)result_int(row, 0, 0),
			 sid ? "sid" : "sub");
	PQclear(row);
	return rc;
}

int handle_auth_backchannel(struct request *q, struct response *r, struct err *e)
{
	const char *token;
	json_t *claims = NULL;
	int rc;

	if (read_form(q, &token, e) < 0)
		return refuse(r, e);
	if (oidc_enter(q->app->oidc, e) < 0)
		return -1;
	rc = oidc_logout_token(q->app->oidc, token, &claims, e);
	oidc_leave(q->app->oidc);
	if (rc == 0)
		rc = act(q, claims, e);
	json_decref(claims);
	return rc < 0 && e->code == ERR_FORBIDDEN ? refuse(r, e) : rc;
}
