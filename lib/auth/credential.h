/* credential: what a request brings to say who is asking (doc/protocol.md, section 1): a session cookie, or a token in
 * Authorization, a personal one or where configured the provider's. Where there is an Authorization header, the cookie
 * does not count. Any thread. */
#pragma once
#include "lib/auth/session.h"
struct config;

struct credential {
	char secret[SESSION_SECRET_MAX]; /* empty: none */
	const char *jwt;                 /* a provider's access token, borrowed from the header, instead of a secret */
	bool by_cookie;                  /* the rules of origin.h are for these alone */
	bool malformed; /* an Authorization header that is no "Bearer pct_…": 401, whatever the cookie */
};

/* The headers' values, NULL where absent. True where there is a credential to look up. */
bool credential_find(const struct config *c, const char *authorization, const char *cookie, struct credential *out);
/* For session_find() and session_secret_hash(): the secret or the JWT. */
const char *credential_text(const struct credential *cr);
void credential_wipe(struct credential *cr);
