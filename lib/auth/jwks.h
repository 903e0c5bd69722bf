/* jwks: a provider's public keys (RFC 7517): parsed once, chosen by kid. Any thread. */
#pragma once
#include "lib/auth/jose.h"
#include "lib/auth/refreshed.h"
#include <openssl/evp.h>

#define JWKS_BYTES_MAX ((size_t)256 << 10)
#define JWKS_KEYS_MAX 64
#define JWKS_KID_MAX 256

struct jwks; /* immutable; begins with a struct shared */

/* Parses a set; keys that it does not know are left out. NULL with ERR_UNAVAILABLE where it is no set. */
struct jwks *jwks_parse(const char *p, size_t n, struct err *e);
void jwks_unref(struct jwks **s); /* NULL is fine; sets *s to NULL */
size_t jwks_usable(const struct jwks *s);

enum jwks_pick { JWKS_FOUND, JWKS_UNKNOWN_KID, JWKS_NO_KID, JWKS_MISMATCH };
/* The one key for a token's kid and alg. kid NULL: only where the set has exactly one usable key. *key is borrowed from
 * s. */
enum jwks_pick jwks_pick(const struct jwks *s, const char *kid, enum jose_alg alg, EVP_PKEY **key);
/* 1, or anything else is a refusal. */
bool jwks_verify(EVP_PKEY *key, enum jose_alg alg, const void *text, size_t text_n, const unsigned char *sig,
		 size_t sig_n);
