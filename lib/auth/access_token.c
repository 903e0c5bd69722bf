/* access_token: form, creation, list. */
#include "lib/auth/access_token.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

enum { PREFIX_LEN = sizeof(ACCESS_TOKEN_PREFIX) - 1 };

bool access_token_valid(const char *s, size_t n)
{
	return n == PREFIX_LEN + SESSION_SECRET_LEN && !memcmp(s, ACCESS_TOKEN_PREFIX, PREFIX_LEN) &&
	       session_secret_valid(s + PREFIX_LEN, n - PREFIX_LEN);
}

int access_token_create(struct db *d, int64_t user, const char *name, unsigned scopes, int64_t ttl_ms,
			char token[SESSION_SECRET_MAX], int64_t *id, struct err *e)
{
	const char *names[2] = {"read", "write"};
	size_t n = scopes & SCOPE_WRITE ? 2 : 1;
	char secret[SESSION_SECRET_MAX], hash[SESSION_HASH_MAX];
	PGresult *r = NULL;
	int rc;

	if (!(scopes & SCOPE_ALL) || scopes & ~(unsigned)SCOPE_ALL)
		return err_set(e, ERR_BAD_FIELD, "scopes", "must be read, or read and write");
	if (!utf8_valid(name, strlen(name)) || utf8_blank(name, strlen(name)) || utf8_length(name, strlen(name)) > 80 ||
	    utf8_has_control(name, strlen(name), ""))
		return err_set(e, ERR_BAD_FIELD, "name", "must be 1 to 80 characters of plain text");
	if (ttl_ms < 0)
		return err_set(e, ERR_BAD_FIELD, "ttl", "must not be negative");
	session_new_secret(secret);
	snprintf(token, SESSION_SECRET_MAX, ACCESS_TOKEN_PREFIX "%.*s", SESSION_SECRET_LEN, secret);
	secret_wipe(secret, sizeof(secret));
	session_secret_hash(token, hash);
	if (ttl_ms)
		rc = db_one(d, STMT_access_token_create, &r, e, "titTi", hash, user, name, names, n, ttl_ms);
	else
		rc = db_one(d, STMT_access_token_create, &r, e, "titTn", hash, user, name, names, n);
	if (rc == 0 && !r)
		rc = err_set(e, ERR_NOT_FOUND, NULL, "no such person, or deactivated");
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
