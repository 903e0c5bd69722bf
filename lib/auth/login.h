/* login: a log-in under way, and its end. One row per attempt, good for one time and ten minutes; many at once (tabs);
 * each is bound to its browser by a short-lived cookie (COOKIE_LOGIN), which they share. Worker threads. */
#pragma once
#include "lib/auth/return_to.h"
#include "lib/auth/session.h"
#include <jansson.h>
struct config;
struct db;

#define LOGIN_TTL_MS 600000

struct login {
	char state[SESSION_SECRET_MAX], nonce[SESSION_SECRET_MAX], verifier[SESSION_SECRET_MAX];
	char return_to[RETURN_TO_MAX];
	char invite_hash[SESSION_HASH_MAX]; /* empty: it began without an invitation */
};
void login_wipe(struct login *l);

/* Begins one in the browser that holds `browser` (the cookie's secret). return_to: as return_to_check() made it;
 * invite: the code of an invitation, NULL for none; whether it is any good shows at the end. */
MUST_CHECK int login_begin(struct db *d, const char *browser, const char *return_to, const char *invite,
			   struct login *out, struct err *e);
/* Takes the attempt of this state away, whatever comes of it. browser: the cookie's secret, NULL: none.
 * ERR_NOT_FOUND: unknown, used, too old, or begun in another browser. */
MUST_CHECK int login_take(struct db *d, const char *state, const char *browser, struct login *out, struct err *e);

struct login_done {
	int64_t user, session;
	bool renewed;                    /* the session that the browser had goes on */
	char secret[SESSION_SECRET_MAX]; /* for the cookie */
};
/* Lets the person of the verified claims in: finds or makes the account by (issuer, subject), then a session. l: the
 * attempt. current: the session cookie that came along, NULL for none; the same person's live session goes on under a
 * new secret, another's ends. ERR_FORBIDDEN: he gets no account, or it is deactivated; field is the outcome of
 * user_sign_in() (sql). */
MUST_CHECK int login_finish(struct db *d, const struct config *c, const struct login *l, const json_t *claims,
			    const char *current, const char *agent, struct login_done *out, struct err *e);
/* The last part of it, for who is known by other means: a session of this user. issuer and sid:
 * the provider's, NULL for none. */
MUST_CHECK int login_session(struct db *d, const struct config *c, int64_t user, const char *issuer, const char *sid,
			     const char *current, const char *agent, struct login_done *out, struct err *e);
