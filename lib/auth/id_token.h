/* id_token: is this ID token from our provider, for us, for this log-in, and of now (OpenID Connect Core 3.1.3.7, made
 * stricter where common libraries are lenient)? Pure: keys and time come from the caller. Any thread. */
#pragma once
#include "lib/auth/jwks.h"

#define ID_TOKEN_MAX 16384
#define SUBJECT_MAX 255 /* bytes */

struct id_token_rules {
	const char *issuer, *client_id, *nonce;
	int64_t now_s, leeway_s;
	const char *access_token; /* for at_hash; NULL: none was given */
};

/* In the order of the checks. */
#define ID_TOKEN_RESULTS(X)                                                                                \
	X(OK, "ok")                                                                                        \
	X(TOO_LARGE, "too_large")                                                                          \
	X(MALFORMED, "malformed")                                                                          \
	X(DUPLICATE, "duplicate_claim")                                                                    \
	X(ALG, "alg_not_allowed") X(CRIT, "crit") X(NO_KID, "no_kid") X(UNKNOWN_KID, "unknown_kid")        \
		X(KEY, "key_mismatch") X(SIGNATURE, "signature") X(ISS, "iss") X(AUD, "aud") X(AZP, "azp") \
			X(EXP, "exp") X(NBF, "nbf") X(IAT, "iat") X(NONCE, "nonce") X(SUB, "sub")          \
				X(AT_HASH, "at_hash")
enum id_token_result {
#define X(symbol, name) ID_TOKEN_##symbol,
	ID_TOKEN_RESULTS(X)
#undef X
};
const char *id_token_result_name(enum id_token_result r);

/* ID_TOKEN_OK with the claims (json_decref()), or the first check that fails. After ID_TOKEN_UNKNOWN_KID the caller may
 * try once more with a newer set. */
enum id_token_result id_token_verify(const struct id_token_rules *rules, const struct jwks *keys, const char *token,
				     size_t n, json_t **claims);
