/* access_token: form, creation, list. */
#include "lib/auth/access_token.h"
#include "lib/base/clock.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "lib/chat/acting.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <string.h>

enum { PREFIX_LEN = sizeof(ACCESS_TOKEN_PREFIX) - 1 };

bool access_token_valid(const char *s, size_t n)
{
	return n == PREFIX_LEN + SESSION_SECRET_LEN && !memcmp(s, ACCESS_TOKEN_PREFIX, PREFIX_LEN) &&
	       session_secret_valid(s + PREFIX_LEN, n - PREFIX_LEN);
}

int access_token_create(struct db *d, const struct acting *who, int64_t user, const char *name, unsigned scopes,
			int64_t ttl_ms, char token[SESSION_SECRET_MAX], int64_t *id, struct err *e)
{
	const char *names[SCOPE_NAMES_MAX];
	size_t n = scope_names(scopes | SCOPE_READ, names);
	char secret[SESSION_SECRET_MAX], hash[SESSION_HASH_MAX];
	PGresult *r = NULL;
	int rc;

	if (!(scopes & SCOPE_ALL) || scopes & ~(unsigned)SCOPE_ALL)
		return err_set(e, ERR_BAD_FIELD, "scopes", "must be of " SCOPE_LIST);
	if (!utf8_valid(name, strlen(name)) || utf8_blank(name, strlen(name)) || utf8_length(name, strlen(name)) > 80 ||
	    utf8_has_control(name, strlen(name), ""))
		return err_set(e, ERR_BAD_FIELD, "name", "must be 1 to 80 characters of plain text");
	if (ttl_ms < 0 || ttl_ms > ACCESS_TOKEN_TTL_MAX_MS)
		return err_set(e, ERR_BAD_FIELD, "ttl", "must be ten years at most");
	session_new_secret(secret);
	snprintf(token, SESSION_SECRET_MAX, ACCESS_TOKEN_PREFIX "%.*s", SESSION_SECRET_LEN, secret);
	secret_wipe(secret, sizeof(secret));
	session_secret_hash(token, hash);
	if (ttl_ms)
		rc = db_one(d, STMT_access_token_create, &r, e, "ibtttitTii", who->user, who->admin, who->request,
			    who->address, hash, user, name, names, n, ttl_ms, (int64_t)ACCESS_TOKENS_MAX);
	else
		rc = db_one(d, STMT_access_token_create, &r, e, "ibtttitTni", who->user, who->admin, who->request,
			    who->address, hash, user, name, names, n, (int64_t)ACCESS_TOKENS_MAX);
	if (rc == 0 && !r)
		rc = err_set(e, ERR_NOT_FOUND, NULL, "no such person, or deactivated");
	else if (rc == 0 && result_null(r, 0, 0))
		rc = err_set(e, ERR_UNPROCESSABLE, NULL, "there are %d tokens already: revoke one first",
			     ACCESS_TOKENS_MAX);
	if (rc == 0)
		*id = result_int(r, 0, 0);
	else
		secret_wipe(token, SESSION_SECRET_MAX);
	PQclear(r);
	return rc;
}

int access_token_list(struct db *d, int64_t user, PGresult **out, struct err *e)
{
	return db_query(d, STMT_access_token_list, out, e, "i", user);
}

/* [string] into bits. */
static int read_scopes(const struct jx *o, unsigned *scopes, struct err *e)
{
	const char *names[SCOPE_NAMES_MAX];
	size_t n;

	*scopes = 0;
	if (jx_texts(o, "", "scopes", names, COUNT_OF(names), &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned bit = scope_bit(names[i], strlen(names[i]));

		if (!bit)
			return err_set(e, ERR_BAD_FIELD, "scopes", "must be a list of " SCOPE_LIST);
		*scopes |= bit;
	}
	return 0;
}

static void add_time(struct strbuf *b, const char *name, const PGresult *r, int row, int col)
{
	char text[TIME_TEXT_MAX];

	strbuf_addf(b, ",\"%s\":", name);
	if (result_null(r, row, col)) {
		strbuf_adds(b, "null");
		return;
	}
	time_text(result_int(r, row, col), text);
	strbuf_addf(b, "\"%s\"", text);
}

static void render(struct strbuf *b, const PGresult *r, int row)
{
	unsigned scopes;

	scope_parse(result_text(r, row, 2), " ", &scopes);
	strbuf_addf(b, "{\"id\":%lld,\"name\":", (long long)result_int(r, row, 0));
	strbuf_add_json(b, result_text(r, row, 1), result_length(r, row, 1));
	strbuf_adds(b, ",\"scopes\":");
	scope_render(b, scopes);
	add_time(b, "created_at", r, row, 3);
	add_time(b, "last_used_at", r, row, 4);
	add_time(b, "expires_at", r, row, 5);
}

int access_token_render(struct db *d, int64_t user, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (access_token_list(d, user, &r, e) < 0)
		return -1;
	strbuf_adds(b, "{\"tokens\":[");
	for (int i = 0; i < result_rows(r); i++) {
		strbuf_adds(b, i ? "," : "");
		render(b, r, i);
		strbuf_addc(b, '}');
	}
	strbuf_adds(b, "]}");
	PQclear(r);
	return 0;
}

int access_token_make(struct db *d, const struct acting *who, int64_t user, const struct jx *o, struct strbuf *b,
		      struct err *e)
{
	static const char *const names[] = {"name", "scopes", "expires_in", NULL};
	char token[SESSION_SECRET_MAX], text[81 * 4];
	int64_t seconds = 0, id = 0;
	struct span name = {0};
	PGresult *r = NULL;
	unsigned scopes;
	int rc = -1;

	if (jx_only(o, "", names, e) < 0 || jx_string(o, "", "name", JX_REQUIRED, 1, 80, &name, e) < 0 ||
	    read_scopes(o, &scopes, e) < 0 ||
	    jx_int(o, "", "expires_in", JX_OPTIONAL, 1, ACCESS_TOKEN_TTL_MAX_MS / 1000, &seconds, e) < 0)
		return -1;
	snprintf(text, sizeof(text), "%.*s", (int)name.n, name.p);
	if (access_token_create(d, who, user, text, scopes, seconds * 1000, token, &id, e) < 0)
		return -1;
	if (access_token_list(d, user, &r, e) == 0) {
		for (int i = 0; i < result_rows(r); i++)
			if (result_int(r, i, 0) == id) {
				render(b, r, i);
				strbuf_addf(b, ",\"token\":\"%s\"}", token);
				rc = 0;
			}
		PQclear(r);
		if (rc < 0)
			err_set(e, ERR_CONFLICT, NULL, "the token was revoked at once");
	}
	secret_wipe(token, sizeof(token));
	return rc;
}
