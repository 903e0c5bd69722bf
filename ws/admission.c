/* admission: to the pool, back to the loop, to the database. */
#include "ws/admission.h"
#include "lib/auth/access_jwt.h"
#include "lib/auth/rate.h"
#include "lib/auth/scope.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/db/pgconn.h"
#include "ws/pg_loop.h"
#include "ws/request.h"
#include <stdlib.h>
#include <string.h>

struct admission {
	uv_work_t work;
	struct conn *conn; /* NULL: it has gone */
	struct oidc *oidc;
	char *token;
	struct access_jwt result;
	struct err e;
	int rc;
};

static void refuse(struct conn *c, const struct err *e)
{
	if (e->code == ERR_UNAUTHENTICATED) {
		rate_unknown(c->rt->rate, c->request->address);
		conn_refuse(c, CLOSE_SIGNED_OUT, e);
	} else {
		conn_refuse(c, CLOSE_OVERLOAD, e);
	}
}

static void on_admitted(void *arg, const PGresult *r, const struct err *e)
{
	struct conn *c = arg;
	struct err refused = {0};

	c->asked = NULL;
	if (c->state != CONN_AUTHORISING)
		return;
	if (e)
		conn_refuse(c, CLOSE_OVERLOAD, e);
	else if (access_jwt_admitted(r, &refused) < 0)
		refuse(c, &refused);
	else
		conn_authorise(c);
}

/* In a thread of the pool: touches nothing of the loop's. */
static void on_work(uv_work_t *w)
{
	struct admission *a = w->data;

	a->rc = access_jwt_verify(a->oidc, a->token, &a->result, &a->e);
}

static void on_done(uv_work_t *w, int status)
{
	struct admission *a = w->data;
	struct conn *c = a->conn;
	const char *names[SCOPE_NAMES_MAX];

	(void)status;
	if (c)
		c->admission = NULL;
	if (c && c->state == CONN_AUTHORISING && a->rc < 0) {
		refuse(c, &a->e);
	} else if (c && c->state == CONN_AUTHORISING) {
		size_t n = scope_names(a->result.scopes, names);

		c->asked = pg_pool_pick(c->rt->pool);
		c->ask = pgconn_query(c->asked, STMT_access_admit, c->rt->config->database.wait, on_admitted, c,
				      "ttttTi", c->request->secret_hash, c->rt->config->oidc.issuer, a->result.subject,
				      a->result.client, names, n, a->result.until_s);
	}
	secret_wipe(a->token, strlen(a->token));
	free(a->token);
	free(a);
}

void admission_start(struct conn *c)
{
	struct admission *a = xcalloc(1, sizeof(*a));

	a->work.data = a;
	a->conn = c;
	a->oidc = c->rt->oidc;
	a->token = xstrdup(c->request->jwt);
	request_drop_jwt(c->request); /* once is enough */
	c->admission = a;
	if (uv_queue_work(&c->rt->loop, &a->work, on_work, on_done) != 0)
		abort();
}

void admission_forget(struct admission **a)
{
	if (*a)
		(*a)->conn = NULL;
	*a = NULL;
}
