/* pkce: proof key for code exchange (RFC 7636), S256 alone. */
#pragma once
#include "lib/base/codec.h"

#define PKCE_CHALLENGE_MAX (BASE64URL_LEN(32) + 1)

/* The challenge of a verifier (43 to 128 characters; ours are as session_new_secret() makes them). */
void pkce_challenge(const char *verifier, char out[PKCE_CHALLENGE_MAX]);
