/* authorise: session by cookie or bearer, the rules of origin for cookies, the scope for tokens. */
#include "fcgi/authorise.h"
#include "fcgi/app.h"
#include "lib/auth/access_jwt.h"
#include "lib/auth/credential.h"
#include "lib/auth/rate.h"
#include <string.h>

/* A provider's access token that comes for the first time. */
static bool admit(struct request *q, const char *token, struct err *e)
{
	struct access_jwt a;

	if (e->code != ERR_UNAUTHENTICATED || q->session.state != SESSION_NONE)
		return false;
	memset(e, 0, sizeof(*e));
	return access_jwt_verify(q->app->oidc, token, &a, e) == 0 &&
	       access_jwt_admit(q->db, q->config, token, &a, e) == 0 && session_find(q->db, token, &q->session, e) == 0;
}

/* The session of the credential, where not too many that nobody has came from there. */
static int find(struct request *q, const struct credential *cr, struct err *e)
{
	const char *address = request_address(q), *secret = credential_text(cr);
	struct rate *rate = q->app->rate;
	char hash[SESSION_HASH_MAX];

	session_secret_hash(secret, hash);
	if (rate_guess(rate, address, hash, &q->rate, e) < 0)
		return -1;
	if (session_find(q->db, secret, &q->session, e) < 0 && !(cr->jwt && admit(q, secret, e))) {
		if (e->code == ERR_UNAUTHENTICATED && q->session.state == SESSION_NONE)
			rate_unknown(rate, address);
		return -1;
	}
	rate_known(rate, hash);
	return rate_session(rate, q->session.id, 1, &q->rate, e);
}

int authorise(struct request *q, const struct route *route, struct err *e)
{
	struct credential cr;
	struct origin_request origin;
	int rc = -1;

	if (!credential_find(q->config, request_env(q, "HTTP_AUTHORIZATION"), request_env(q, "HTTP_COOKIE"), &cr))
		return err_set(e, ERR_UNAUTHENTICATED, NULL,
			       cr.malformed ? "expected Authorization: Bearer and a token" : "sign in first");
	q->by_cookie = cr.by_cookie;
	origin = request_origin(q, ORIGIN_API);
	/* before the database is asked: another site's page costs us nothing and learns nothing */
	if (origin_check(q->config, &origin, e) < 0 || find(q, &cr, e) < 0)
		goto out;
	if ((q->session.scopes & route->scope) != route->scope) {
		if (route->scope & ~q->session.scopes & SCOPE_ACCOUNT)
			err_set(e, ERR_INSUFFICIENT_SCOPE, NULL, "no token does this: sign in with a browser");
		else
			err_set(e, ERR_INSUFFICIENT_SCOPE, NULL, "this token lacks the scope %s",
				scope_missing(route->scope, q->session.scopes));
		goto out;
	}
	if (route->need == NEED_ADMIN && strcmp(q->session.role, "owner") != 0 &&
	    strcmp(q->session.role, "admin") != 0) {
		err_set(e, ERR_FORBIDDEN, NULL, "only owners and admins may do this");
		goto out;
	}
	rc = 0;
out:
	credential_wipe(&cr);
	return rc;
}
