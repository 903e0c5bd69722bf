/* local: the tries are counted before the password is looked at, by the name that was typed, so that neither many at
 * once nor unknown names are treated differently. */
#include "lib/auth/local.h"
#include "lib/auth/password.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/chat/acting.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

/* The hash of the handle's password; empty: there is none. */
static int find(struct db *d, const char *handle, int64_t *user, char hash[PASSWORD_HASH_MAX], struct err *e)
{
	PGresult *r = NULL;

	*user = 0;
	hash[0] = 0;
	if (db_one(d, STMT_password_find, &r, e, "t", handle) < 0)
		return -1;
	if (r) {
		*user = result_int(r, 0, 0);
		snprintf(hash, PASSWORD_HASH_MAX, "%s", result_text(r, 0, 1));
	}
	PQclear(r);
	return 0;
}

/* Nothing depends on these. */
static void succeeded(struct db *d, const char *handle, int64_t user, const char *hash, const char *password)
{
	char newer[PASSWORD_HASH_MAX];
	struct err e = {0};
	PGresult *r = NULL;

	if (db_query(d, STMT_password_succeeded, &r, &e, "t", handle) < 0)
		log_warning("password.tries_kept", "code=%s", err_name(e.code));
	PQclear(r);
	r = NULL;
	if (password_outdated(hash) && password_hash(password, newer, &e) == 0) {
		if (db_query(d, STMT_password_rehash, &r, &e, "itt", user, hash, newer) < 0)
			log_warning("password.not_rehashed", "code=%s", err_name(e.code));
		PQclear(r);
		secret_wipe(newer, sizeof(newer));
	}
}

int local_verify(struct db *d, const char *handle, const char *password, int64_t *user, struct err *e)
{
	char hash[PASSWORD_HASH_MAX];
	PGresult *r = NULL;
	int64_t wait;
	bool good;

	if (db_one(d, STMT_password_try, &r, e, "t", handle) < 0)
		return -1;
	wait = r ? result_int(r, 0, 0) : 0;
	PQclear(r);
	if (wait > 0)
		return err_retry(e, ERR_RATE_LIMITED, (int)wait, "too many tries at this name");
	/* what is no handle is looked for all the same */
	if (find(d, handle, user, hash, e) < 0)
		return -1;
	good = password_verify(hash[0] ? hash : NULL, password);
	if (good)
		succeeded(d, handle, *user, hash, password);
	secret_wipe(hash, sizeof(hash));
	return good ? 0 : err_set(e, ERR_FORBIDDEN, NULL, "name and password do not fit");
}

int local_set_password(struct db *d, const struct acting *who, int64_t user, const char *password, struct err *e)
{
	char hash[PASSWORD_HASH_MAX];
	PGresult *r = NULL;
	int rc;

	if (password_check(password, e) < 0 || password_hash(password, hash, e) < 0)
		return -1;
	rc = db_one(d, STMT_password_set, &r, e, "ibttit", who->user, who->admin, who->request, who->address, user,
		    hash);
	if (rc == 0 && !(r && result_bool(r, 0, 0)))
		rc = err_set(e, ERR_UNPROCESSABLE, NULL, "a bot has no password: nobody signs in to it");
	PQclear(r);
	secret_wipe(hash, sizeof(hash));
	return rc;
}
