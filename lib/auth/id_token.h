/* id_token: is this ID token from our provider, for us, for this log-in, and of now (OpenID Connect Core 3.1.3.7, made
 * stricter where common libraries are lenient)? Pure: keys and time come from the caller. Any thread. */
#pragma once
#include "lib/auth/jwt.h"

struct id_token_rules {
	const char *issuer, *client_id, *nonce;
	int64_t now_s, leeway_s;
	const char *access_token; /* for at_hash; NULL: none was given */
};

enum id_token_result {
#define ID_TOKEN(symbol, name) ID_TOKEN_##symbol,
#include "lib/auth/id_token.def"
#undef ID_TOKEN
};
const char *id_token_result_name(enum id_token_result r);

/* ID_TOKEN_OK with the claims (json_decref()), or the first check that fails. After ID_TOKEN_UNKNOWN_KID the caller may
 * try once more with a newer set. */
enum id_token_result id_token_verify(const struct id_token_rules *rules, const struct jwks *keys, const char *token,
				     size_t n, json_t **claims);
