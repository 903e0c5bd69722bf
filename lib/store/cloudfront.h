/* cloudfront: signed URLs of a CloudFront distribution, by a canned or a custom policy; RSA PKCS #1 v1.5 over SHA-1,
 * which is what CloudFront takes. Any thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

struct cloudfront_key; /* a private key and the id of its public one */

/* pem: the private key. Errors: ERR_BAD_FIELD. */
MUST_CHECK int cloudfront_key_new(const char *key_id, const char *pem, size_t n, struct cloudfront_key **out,
				  struct err *e);
void cloudfront_key_free(struct cloudfront_key **k);

struct cloudfront_policy {
	const char *url;      /* as it is requested: encoded, with its own query */
	int64_t expires;      /* seconds since 1970 */
	int64_t not_before;   /* 0: none */
	const char *ip;       /* an address or a net, NULL: any */
	const char *resource; /* with wildcards, in place of url; NULL: url */
};

/* Appends the signed URL: with a canned policy where only url and expires are set. */
MUST_CHECK int cloudfront_sign(const struct cloudfront_key *k, const struct cloudfront_policy *p, struct strbuf *url,
			       struct err *e);
