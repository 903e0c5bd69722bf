/* discovery: what the provider says about itself (OpenID Connect Discovery 1.0). The one source of its addresses: none
 * is ever derived from another. Immutable; begins with a struct shared. */
#pragma once
#include "lib/auth/refreshed.h"

#define DISCOVERY_BYTES_MAX ((size_t)128 << 10)
#define DISCOVERY_URL_MAX 1025

struct discovery {
	struct shared shared;
	char authorization[DISCOVERY_URL_MAX], token[DISCOVERY_URL_MAX], jwks[DISCOVERY_URL_MAX];
	char end_session[DISCOVERY_URL_MAX]; /* empty: it has none */
	bool iss_on_callback;                /* it promises `iss` there (RFC 9207) */
	/* what it says it can do; true where it says nothing */
	bool has_s256, has_basic, has_post, has_known_alg;
};

/* issuer: the setting; the document's must be the same byte for byte. NULL with ERR_UNAVAILABLE, whose detail says what
 * is wrong, for log and doctor. */
struct discovery *discovery_parse(const char *issuer, const char *p, size_t n, struct err *e);
