/* access_jwt: the checks beside those of jwt.c. */
#include "lib/auth/access_jwt.h"
#include "lib/auth/oidc.h"
#include "lib/auth/scope.h"
#include "lib/auth/session.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/utf8.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

static const char blanks[] = " ,";

bool access_jwt_possible(const struct config *c, const char *s, size_t n)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t dots = 0;

	if (!c->oidc.access_audience[0] || n > JWT_MAX || strspn(s, alphabet) != n)
		return false;
	for (size_t i = 0; i < n; i++)
		dots += s[i] == '.';
	return dots == 2;
}

/* The bit that one of the provider's scopes stands for; an empty map: those that bear our names. */
static unsigned bit_of(const char *map, const char *name, size_t n)
{
	const char *p = map + strspn(map, blanks);

	if (!*p)
		return scope_bit(name, n);
	while (*p) {
		size_t all = strcspn(p, blanks), theirs = strcspn(p, "=");

		if (theirs == n && theirs < all && !memcmp(p, name, n))
			return scope_bit(p + theirs + 1, all - theirs - 1);
		p += all;
		p += strspn(p, blanks);
	}
	return 0;
}

int access_jwt_scopes_check(const char *map, struct err *e)
{
	for (const char *p = map + strspn(map, blanks); *p; p += strspn(p, blanks)) {
		size_t all = strcspn(p, blanks), theirs = strcspn(p, "=");

		if (theirs == 0 || theirs >= all || !scope_bit(p + theirs + 1, all - theirs - 1))
			return err_set(e, ERR_BAD_FIELD, "access_scopes",
				       "[oidc] access_scopes: expected NAME=SCOPE with blanks between, SCOPE one "
				       "of " SCOPE_LIST);
		p += all;
	}
	return 0;
}

static unsigned bits_of_text(const char *map, const char *p)
{
	unsigned bits = 0;

	while (*(p += strspn(p, " "))) {
		size_t n = strcspn(p, " ");

		bits |= bit_of(map, p, n);
		p += n;
	}
	return bits;
}

/* scope is a list with blanks between; some providers send an array. */
static bool read_scopes(const char *map, const json_t *scope, unsigned *bits)
{
	const json_t *one;
	size_t i;

	*bits = 0;
	if (json_is_string(scope)) {
		*bits = bits_of_text(map, json_string_value(scope));
		return true;
	}
	json_array_foreach((json_t *)scope, i, one)
	{
		if (!json_is_string(one))
			return false;
		*bits |= bit_of(map, json_string_value(one), json_string_length(one));
	}
	return json_is_array(scope);
}

const char *access_jwt_check(const struct config *c, const struct jwt *j, int64_t now_s, struct access_jwt *out)
{
	const json_t *sub = json_object_get(j->claims, "sub"), *client = json_object_get(j->claims, "client_id");
	const char *wrong;

	memset(out, 0, sizeof(*out));
	if (!jwt_type_is(j->header, "at+jwt"))
		return "typ";
	/* where typ does not tell: what is made for a log-in or a log-out is no access token */
	if (json_object_get(j->claims, "nonce") || json_object_get(j->claims, "at_hash") ||
	    json_object_get(j->claims, "c_hash") || json_object_get(j->claims, "events"))
		return "kind";
	if (!jwt_text_is(json_object_get(j->claims, "iss"), c->oidc.issuer))
		return "iss";
	if (!jwt_has_audience(j->claims, c->oidc.access_audience))
		return "aud";
	wrong = jwt_dates_claim(jwt_check_dates(j->claims, now_s, c->oidc.leeway / 1000));
	if (wrong)
		return wrong;
	jwt_date(j->claims, "exp", &out->until_s);
	if (!json_is_string(sub) || !json_string_length(sub) || json_string_length(sub) > SUBJECT_MAX)
		return "sub";
	if (!read_scopes(c->oidc.access_scopes, json_object_get(j->claims, "scope"), &out->scopes))
		return "scope";
	snprintf(out->subject, sizeof(out->subject), "%s", json_string_value(sub));
	/* a name for a list: one that would be cut within a character is left out */
	if (json_is_string(client) && json_string_length(client) < sizeof(out->client) &&
	    !utf8_has_control(json_string_value(client), json_string_length(client), ""))
		snprintf(out->client, sizeof(out->client), "%s", json_string_value(client));
	return NULL;
}

int access_jwt_verify(struct oidc *o, const char *token, struct access_jwt *out, struct err *e)
{
	const char *wrong = "signature";
	struct jwt j;
	int rc;

	if (oidc_enter(o, e) < 0)
		return -1;
	rc = oidc_jwt(o, token, &j, e);
	oidc_leave(o);
	if (rc == 0) {
		wrong = access_jwt_check(oidc_config(o), &j, clock_now_us() / 1000000, out);
		jwt_release(&j);
		if (!wrong)
			return 0;
	} else if (e->code != ERR_FORBIDDEN) {
		return -1;
	}
	log_info("access_jwt.refused", "check=%s", wrong);
	return err_set(e, ERR_UNAUTHENTICATED, NULL, "this access token is not accepted here");
}

int access_jwt_admitted(const PGresult *r, struct err *e)
{
	return result_bool(r, 0, 0) ? 0
				    : err_set(e, ERR_UNAUTHENTICATED, NULL,
					      "nobody has signed in here as the subject of this access token");
}

int access_jwt_admit(struct db *d, const struct config *c, const char *token, const struct access_jwt *a, struct err *e)
{
	const char *names[SCOPE_NAMES_MAX];
	char hash[SESSION_HASH_MAX];
	size_t n = scope_names(a->scopes, names);
	PGresult *r = NULL;
	int rc;

	session_secret_hash(token, hash);
	if (db_one(d, STMT_access_admit, &r, e, "ttttTi", hash, c->oidc.issuer, a->subject, a->client, names, n,
		   a->until_s) < 0)
		return -1;
	rc = access_jwt_admitted(r, e);
	PQclear(r);
	return rc;
}
