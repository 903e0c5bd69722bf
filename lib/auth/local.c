/* local: the tries are counted before the password is looked at, by the name that was typed, so that neither many at
 * once nor unknown names are treated differently. */
#include "lib/auth/local.h"
#include "lib/auth/invite.h"
#include "lib/auth/password.h"
#include "lib/auth/person.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/chat/acting.h"
#include "lib/chat/user.h"
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

int local_set_password(struct db *d, const struct acting *who, int64_t user, const char *password, int64_t spared,
		       struct err *e)
{
	char hash[PASSWORD_HASH_MAX];
	PGresult *r = NULL;
	int rc;

	if (password_check(password, e) < 0 || password_hash(password, hash, e) < 0)
		return -1;
	rc = db_one(d, STMT_password_set, &r, e, "ibttiti", who->user, who->admin, who->request, who->address, user,
		    hash, spared);
	if (rc == 0 && !(r && result_bool(r, 0, 0)))
		rc = err_set(e, ERR_UNPROCESSABLE, NULL, "a bot has no password: nobody signs in to it");
	PQclear(r);
	secret_wipe(hash, sizeof(hash));
	return rc;
}

/* handle: USER_HANDLE_MAX + 1 bytes, NULL where it is not asked for. */
static int find_own(struct db *d, int64_t user, char *handle, bool *has, struct err *e)
{
	PGresult *r = NULL;

	*has = false;
	if (db_one(d, STMT_password_has, &r, e, "i", user) < 0)
		return -1;
	if (r) {
		*has = result_bool(r, 0, 1);
		if (handle)
			snprintf(handle, USER_HANDLE_MAX + 1, "%s", result_text(r, 0, 0));
	}
	PQclear(r);
	return 0;
}

int local_has_password(struct db *d, int64_t user, bool *has, struct err *e)
{
	return find_own(d, user, NULL, has, e);
}

int local_change_password(struct db *d, const struct acting *who, int64_t user, const char *old, const char *password,
			  int64_t spared, struct err *e)
{
	char handle[USER_HANDLE_MAX + 1];
	int64_t found;
	bool has;

	if (find_own(d, user, handle, &has, e) < 0 || password_check(password, e) < 0)
		return -1;
	if (!has)
		return err_set(e, ERR_UNPROCESSABLE, NULL, "this account has no password here");
	if (local_verify(d, handle, old, &found, e) < 0)
		return e->code == ERR_FORBIDDEN ? err_set(e, ERR_FORBIDDEN, "old", "this is not the password") : -1;
	return local_set_password(d, who, user, password, spared, e);
}

static int refuse_invite(const char *state, struct err *e)
{
	return err_set(e, ERR_FORBIDDEN, "invite", "this invitation is %s",
		       !strcmp(state, "used_up")   ? "used up"
		       : !strcmp(state, "unknown") ? "not valid"
						   : state);
}

/* Before a password is hashed, which costs: is the invitation any good? The transaction looks again. */
static int look_at_invite(struct db *d, const char *code, char hash[SESSION_HASH_MAX], struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (!invite_code_valid(code))
		return refuse_invite("unknown", e);
	session_secret_hash(code, hash);
	if (db_one(d, STMT_invite_look, &r, e, "t", hash) < 0)
		return -1;
	rc = r && !strcmp(result_text(r, 0, 0), "open") ? 0 : refuse_invite(r ? result_text(r, 0, 0) : "unknown", e);
	PQclear(r);
	return rc;
}

int local_join(struct db *d, const struct config *c, const struct local_wish *w, int64_t *user, struct err *e)
{
	char invite[SESSION_HASH_MAX], hash[PASSWORD_HASH_MAX], name[PERSON_NAME_MAX];
	const char *outcome;
	PGresult *r = NULL;
	int rc;

	person_clean(w->name, PERSON_NAME_POINTS, name, sizeof(name));
	if (user_handle_check(w->handle, e) < 0)
		return -1;
	if (!name[0] || person_misleads(name))
		return err_set(e, ERR_BAD_FIELD, "name", "must be a name that others can read");
	if (password_check(w->password, e) < 0 || look_at_invite(d, w->invite, invite, e) < 0 ||
	    password_hash(w->password, hash, e) < 0)
		return -1;
	rc = db_one(d, STMT_user_join, &r, e, "ttttb", invite, w->handle, name, hash, (int)config_first_owner(c));
	outcome = rc == 0 && r ? result_text(r, 0, 1) : "unknown";
	if (rc == 0 && !strcmp(outcome, "taken"))
		rc = err_set(e, ERR_CONFLICT, "handle", "this handle is taken");
	else if (rc == 0 && strcmp(outcome, "in") != 0)
		rc = refuse_invite(outcome, e);
	else if (rc == 0)
		*user = result_int(r, 0, 0);
	PQclear(r);
	secret_wipe(hash, sizeof(hash));
	return rc;
}
