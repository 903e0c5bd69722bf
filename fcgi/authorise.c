/* authorise: session by cookie or bearer, the rules of origin for cookies, the scope for tokens. */
#include "fcgi/authorise.h"
#include "lib/auth/credential.h"
#include <string.h>

int authorise(struct request *q, const struct route *route, struct err *e)
{
	struct credential cr;
	struct origin_request origin;
	int rc = -1;

	if (!credential_find(q->config, request_env(q, "HTTP_AUTHORIZATION"), request_env(q, "HTTP_COOKIE"), &cr))
		return err_set(e, ERR_UNAUTHENTICATED, NULL,
			       cr.malformed ? "expected Authorization: Bearer pct_…" : "sign in first");
	q->by_cookie = cr.by_cookie;
	origin = request_origin(q, ORIGIN_API);
	/* before the database is asked: another site's page costs us nothing and learns nothing */
	if (origin_check(q->config, &origin, e) < 0 || session_find(q->db, cr.secret, &q->session, e) < 0)
		goto out;
	if ((q->session.scopes & route->scope) != route->scope) {
		err_set(e, ERR_INSUFFICIENT_SCOPE, NULL, "this token lacks the scope %s",
			route->scope & ~q->session.scopes & SCOPE_ADMIN   ? "admin"
			: route->scope & ~q->session.scopes & SCOPE_WRITE ? "write"
									  : "read");
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
