/* oidc: the OpenID provider, seen from this side: code flow with PKCE. One struct per process, shared by its threads.
 * Calls may wait for the provider, at most a few times oidc.http_timeout; oidc_enter() bounds how many threads do. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include <jansson.h>
struct config;
struct jwt;

struct oidc;

/* Those settings of [oidc] that have a form of their own. ERR_BAD_FIELD. */
MUST_CHECK int oidc_settings_check(const struct config *c, struct err *e);

struct oidc *oidc_new(const struct config *c); /* asks nothing yet */
void oidc_free(struct oidc **o);

/* Around the calls below, before anything is used up: a provider that hangs must not take all worker threads along. -1:
 * ERR_BUSY, too many are waiting for it. */
MUST_CHECK int oidc_enter(struct oidc *o, struct err *e);
void oidc_leave(struct oidc *o);

/* Whether the provider's addresses are known, or can be had now. */
MUST_CHECK int oidc_ready(struct oidc *o, struct err *e);

#define OIDC_HINT_MAX 255 /* bytes of a login_hint */

struct oidc_attempt {
	const char *state, *nonce, *verifier;
};
/* What the provider is asked to do about it; NULL or empty: its own choice. */
struct oidc_wish {
	const char *fidp;       /* which connection of the provider to use */
	const char *prompt;     /* none, login, consent, select_account; others are left out */
	const char *login_hint; /* a name or address to begin with; a longer one is left out */
};
bool oidc_prompt_known(const char *prompt);
/* Appends where the browser is to go. */
MUST_CHECK int oidc_authorize_url(struct oidc *o, const struct oidc_attempt *a, const struct oidc_wish *wish,
				  struct strbuf *url, struct err *e);

/* iss: of the callback, NULL where absent. ERR_FORBIDDEN: from another provider, or missing though promised. */
MUST_CHECK int oidc_check_iss(struct oidc *o, const char *iss, struct err *e);

/* Turns the code into verified claims (json_decref()). Errors: ERR_UNAVAILABLE (the provider is away or does not make
 * sense), ERR_UNPROCESSABLE (it refuses the code: used or too old), ERR_FORBIDDEN (the ID token is refused; field says
 * by which check), ERR_INTERNAL (it refuses us: wrong client id, secret or redirect URI). Details are for the log. */
MUST_CHECK int oidc_exchange(struct oidc *o, const char *code, const char *verifier, const char *nonce, json_t **claims,
			     struct err *e);

/* A JWT of the provider, its signature looked at and no claim: jwt_release(). Errors as of the next. */
MUST_CHECK int oidc_jwt(struct oidc *o, const char *token, struct jwt *j, struct err *e);
const struct config *oidc_config(const struct oidc *o);

/* Takes the provider's word that someone has signed out: verified claims (json_decref()), see logout_token.h. Errors:
 * ERR_FORBIDDEN (refused; field says by which check), ERR_UNAVAILABLE (its keys cannot be had). */
MUST_CHECK int oidc_logout_token(struct oidc *o, const char *token, json_t **claims, struct err *e);

/* Appends where the browser is to go to sign out there too. False, and nothing is appended: the provider has no such
 * page, or cannot be asked. */
bool oidc_logout_url(struct oidc *o, struct strbuf *url);

/* The redirect URI to register, and where a sign-out leads. */
void oidc_redirect_uri(const struct config *c, struct strbuf *b);
void oidc_after_logout_uri(const struct config *c, struct strbuf *b);

/* For `pulsechat doctor`: settings, discovery, keys, clock, client and redirect URI, each told to say (ok, a sentence).
 * True where all is well. */
bool oidc_check(const struct config *c, void (*say)(void *arg, bool ok, const char *text), void *arg);
