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
};
void login_wipe(struct login *l);

/* Begins one in the browser that holds `browser` (the cookie's secret). return_to: as return_to_check() made it. */
MUST_CHECK int login_begin(struct db *d, const char *browser, const char *return_to, struct login *out, struct err *e);
/* Takes the attempt of this state away, whatever comes of it. browser: the cookie's secret, NULL: none.
 * ERR_NOT_FOUND: unknown, used, too old, or begun in another browser. */
MUST_CHECK int login_take(struct db *d, const char *state, const char *browser, struct login *out, struct err *e);

struct login_done {
	int64_t user, session;
	bool renewed;                    /* the session that the browser had goes on */
	char secret[SESSION_SECRET_MAX]; /* for the cookie */
};
/* Lets the person of the verified claims in: finds or makes the account by (issuer, subject), then a session. current:
 * the session cookie that came along, NULL for none; the same person's live session goes on under a new secret,
 * another's ends. ERR_FORBIDDEN: the account is deactivated. */
MUST_CHECK int login_finish(struct db *d, const struct config *c, const json_t *claims, const char *current,
			    const char *agent, struct login_done *out, struct err *e);
