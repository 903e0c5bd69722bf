/* jwks: a provider's public keys (RFC 7517): parsed once, chosen by kid; and the cache of them that all threads share.
 */
#pragma once
#include "lib/auth/jose.h"
#include "lib/base/err.h"
#include <openssl/evp.h>

#define JWKS_BYTES_MAX ((size_t)256 << 10)
#define JWKS_KEYS_MAX 64
#define JWKS_KID_MAX 256
#define JWKS_REFETCH_MS 60000		    /* an unknown kid asks the provider again at most this often */
#define JWKS_AGE_MIN_MS 600000		    /* a set is used so long at least, */
#define JWKS_AGE_MAX_MS ((int64_t)86400000) /* and so long at most, whatever Cache-Control says */

struct jwks; /* immutable, counted */

/* Parses a set; keys that it does not know are left out. NULL with ERR_UNAVAILABLE where it is no set. */
struct jwks *jwks_parse(const char *p, size_t n, struct err *e);
struct jwks *jwks_ref(struct jwks *s);
void jwks_unref(struct jwks **s); /* NULL is fine */
size_t jwks_usable(const struct jwks *s);

enum jwks_pick { JWKS_FOUND, JWKS_UNKNOWN_KID, JWKS_NO_KID, JWKS_MISMATCH };
/* The one key for a token's kid and alg. kid NULL: only where the set has exactly one usable key. *key is borrowed from
 * s. */
enum jwks_pick jwks_pick(const struct jwks *s, const char *kid, enum jose_alg alg, EVP_PKEY **key);
/* 1, or anything else is a refusal. */
bool jwks_verify(EVP_PKEY *key, enum jose_alg alg, const void *text, size_t text_n, const unsigned char *sig,
		 size_t sig_n);

struct jwks_cache;

/* fetch: asks the provider for its set (blocks; the cache's lock is not held); max_age_ms: -1 where it names none.
 * Threads that come meanwhile wait for it, where they have no older set to go on with. */
typedef struct jwks *(*jwks_fetch)(void *arg, int64_t *max_age_ms, struct err *e);
struct jwks_cache *jwks_cache_new(jwks_fetch fetch, void *arg);
void jwks_cache_free(struct jwks_cache **c);
/* The set to use now. A set that is due is fetched anew; where that fails, the old one is used on, and the next try is
 * a minute later. NULL with ERR_UNAVAILABLE where there is none at all. The caller's: jwks_unref(). */
struct jwks *jwks_cache_get(struct jwks_cache *c, struct err *e);
/* After an unknown kid in `seen`: a newer set, or NULL where there is none and the minute is not over (or the fetch
 * failed). */
struct jwks *jwks_cache_refetch(struct jwks_cache *c, const struct jwks *seen);
