/* login: attempts and their end. */
#include "lib/auth/login.h"
#include "lib/auth/person.h"
#include "lib/auth/roles.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/db/db.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 64

void login_wipe(struct login *l)
{
	secret_wipe(l, sizeof(*l));
}

int login_begin(struct db *d, const char *browser, const char *return_to, const char *invite, struct login *out,
		struct err *e)
{
	char state_hash[SESSION_HASH_MAX], browser_hash[SESSION_HASH_MAX];
	PGresult *r = NULL;

	session_new_secret(out->state);
	session_new_secret(out->nonce);
	session_new_secret(out->verifier);
	snprintf(out->return_to, sizeof(out->return_to), "%s", return_to);
	session_secret_hash(out->state, state_hash);
	session_secret_hash(browser, browser_hash);
	if (invite)
		session_secret_hash(invite, out->invite_hash);
	if (db_query(d, STMT_login_attempt_create, &r, e, "tttttit", state_hash, browser_hash, out->nonce,
		     out->verifier, out->return_to, (int64_t)LOGIN_TTL_MS, invite ? out->invite_hash : NULL) < 0) {
		login_wipe(out);
		return -1;
	}
	PQclear(r);
	return 0;
}

int login_take(struct db *d, const char *state, const char *browser, struct login *out, struct err *e)
{
	char state_hash[SESSION_HASH_MAX], browser_hash[SESSION_HASH_MAX];
	PGresult *r = NULL;
	bool ours;

	memset(out, 0, sizeof(*out));
	session_secret_hash(state, state_hash);
	if (db_one(d, STMT_login_attempt_take, &r, e, "t", state_hash) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "unknown or used");
	session_secret_hash(browser ? browser : "", browser_hash);
	ours = browser && result_length(r, 0, 0) == 64 && equal_const_time(result_text(r, 0, 0), browser_hash, 64);
	if (!ours || !result_bool(r, 0, 4)) {
		PQclear(r);
		return err_set(e, ERR_NOT_FOUND, NULL, ours ? "too old" : "begun in another browser");
	}
	snprintf(out->state, sizeof(out->state), "%s", state);
	snprintf(out->nonce, sizeof(out->nonce), "%s", result_text(r, 0, 1));
	snprintf(out->verifier, sizeof(out->verifier), "%s", result_text(r, 0, 2));
	return_to_check(result_text(r, 0, 3), out->return_to);
	snprintf(out->invite_hash, sizeof(out->invite_hash), "%s", result_text(r, 0, 5));
	PQclear(r);
	return 0;
}

/* The setting's domains in lower case. They point into text, which is changed. */
static size_t domains_of(char *text, const char *out[DOMAINS_MAX])
{
	size_t n = 0;
	char *rest = text;

	for (char *p; n < DOMAINS_MAX && (p = strtok_r(rest, ", ", &rest)); n++) {
		for (char *q = p; *q; q++)
			*q = (char)tolower((unsigned char)*q);
		out[n] = p;
	}
	return n;
}

/* The account's id. */
static int find_user(struct db *d, const struct config *c, const struct login *l, const json_t *claims, int64_t *user,
		     struct err *e)
{
	const struct person_claims first = {c->oidc.claim_name, c->oidc.claim_handle, c->oidc.claim_picture};
	const char *issuer = json_string_value(json_object_get(claims, "iss"));
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	char *text = xstrdup(c->registration.domains);
	const char *domains[DOMAINS_MAX];
	size_t n = domains_of(text, domains);
	struct person p;
	PGresult *r = NULL;
	int rc;

	person_from_claims(claims, &first, &p);
	rc = db_one(d, STMT_login_user, &r, e, "ttttttbttTtb", issuer, subject, p.handle, p.name,
		    p.picture[0] ? p.picture : NULL, p.email[0] ? p.email : NULL, (int)p.email_verified,
		    roles_of(c, claims), c->registration.mode, domains, n, l->invite_hash[0] ? l->invite_hash : NULL,
		    (int)config_first_owner(c));
	free(text);
	if (rc < 0)
		return -1;
	*user = r && !result_null(r, 0, 0) ? result_int(r, 0, 0) : 0;
	if (!*user)
		rc = err_set(e, ERR_FORBIDDEN, r ? result_text(r, 0, 1) : NULL, "no account for this person");
	PQclear(r);
	return rc;
}

int login_finish(struct db *d, const struct config *c, const struct login *l, const json_t *claims, const char *current,
		 const char *agent, struct login_done *out, struct err *e)
{
	const char *sid = json_string_value(json_object_get(claims, "sid"));
	int64_t user;

	memset(out, 0, sizeof(*out));
	if (sid && (!sid[0] || strlen(sid) > 255))
		sid = NULL;
	if (find_user(d, c, l, claims, &user, e) < 0)
		return -1;
	return login_session(d, c, user, c->oidc.issuer, sid, current, agent, out, e);
}

int login_session(struct db *d, const struct config *c, int64_t user, const char *issuer, const char *sid,
		  const char *current, const char *agent, struct login_done *out, struct err *e)
{
	struct session old = {0};

	memset(out, 0, sizeof(*out));
	out->user = user;
	if (current) {
		struct err why = {0};

		if (session_find(d, current, &old, &why) < 0 && why.code != ERR_UNAUTHENTICATED) {
			*e = why;
			return -1;
		}
	}
	if (old.state == SESSION_LIVE && old.user == out->user && !old.is_token) {
		struct err why = {0};

		/* other tabs' streams run under it; only where it ended just now is there a new one */
		if (session_renew(d, c, old.id, current, issuer, sid, out->secret, &why) == 0) {
			out->session = old.id;
			out->renewed = true;
			return 0;
		}
		if (why.code != ERR_UNAUTHENTICATED) {
			*e = why;
			return -1;
		}
	}
	if (session_create(d, c, out->user, agent, issuer, sid, out->secret, &out->session, e) < 0)
		return -1;
	/* after the new one is there: a failure here must not keep the person out */
	if (old.state == SESSION_LIVE && old.user != out->user) {
		struct err why = {0};

		if (session_revoke(d, old.id, &why) < 0)
			log_warning("login.old_session_kept", "session=%lld code=%s", (long long)old.id,
				    err_name(why.code));
	}
	return 0;
}
