/* logout_token: the provider's word that someone has signed out there (OpenID Connect Back-Channel Logout 1.0, 2.6).
 * Pure, but for what was seen before: that the database knows. Any thread. */
#pragma once
#include "lib/auth/jwt.h"

#define LOGOUT_ID_MAX 255 /* bytes of jti and sid */

/* NULL where the token is one of `issuer` for `client_id` and of now, else what is wrong with it: a word for the log.
 * Its claims then have jti, exp, and sid or sub or both, strings within their bounds. */
const char *logout_token_check(const struct jwt *j, const char *issuer, const char *client_id, int64_t now_s,
			       int64_t leeway_s);
