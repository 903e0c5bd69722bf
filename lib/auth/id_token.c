/* id_token: the checks, in this order: size, three parts, strict base64url, JSON, alg, crit, kid and key, signature,
 * claims. jwk, jku, x5u and x5c of the header are never looked at. */
#include "lib/auth/id_token.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include <stdlib.h>
#include <string.h>

const char *id_token_result_name(enum id_token_result r)
{
	static const char *const names[] = {
#define ID_TOKEN(symbol, name) name,
#include "lib/auth/id_token.def"
#undef ID_TOKEN
	};

	return names[r];
}

struct parts {
	char *header, *payload;
	unsigned char *signature;
	size_t header_n, payload_n, signature_n;
	size_t signed_n; /* of the token's text, what the signature is over */
};

static bool decode(const char *p, size_t n, void **out, size_t *out_n)
{
	long len;

	*out = xmalloc(n + 1);
	len = base64url_decode(*out, p, n);
	*out_n = len < 0 ? 0 : (size_t)len;
	return len >= 0;
}

static bool split(const char *token, size_t n, struct parts *p)
{
	const char *first = memchr(token, '.', n), *second;
	size_t rest;

	if (!first)
		return false;
	rest = n - (size_t)(first + 1 - token);
	second = memchr(first + 1, '.', rest);
	if (!second || memchr(second + 1, '.', n - (size_t)(second + 1 - token)))
		return false;
	p->signed_n = (size_t)(second - token);
	return decode(token, (size_t)(first - token), (void **)&p->header, &p->header_n) &&
	       decode(first + 1, (size_t)(second - first - 1), (void **)&p->payload, &p->payload_n) &&
	       decode(second + 1, n - (size_t)(second + 1 - token), (void **)&p->signature, &p->signature_n);
}

static void parts_release(struct parts *p)
{
	free(p->header);
	free(p->payload);
	free(p->signature);
}

static enum id_token_result parse(const char *p, size_t n, json_t **out)
{
	switch (jose_parse(p, n, out)) {
	case JOSE_OK:
		return ID_TOKEN_OK;
	case JOSE_DUPLICATE:
		return ID_TOKEN_DUPLICATE;
	default:
		return ID_TOKEN_MALFORMED;
	}
}

static enum id_token_result check_header(const json_t *header, const struct jwks *keys, enum jose_alg *alg,
					 EVP_PKEY **key)
{
	const json_t *kid = json_object_get(header, "kid");
	const char *name = json_string_value(json_object_get(header, "alg"));

	*alg = name ? jose_alg(name) : JOSE_NONE;
	if (*alg == JOSE_NONE)
		return ID_TOKEN_ALG;
	if (json_object_get(header, "crit"))
		return ID_TOKEN_CRIT;
	if (kid && !json_is_string(kid))
		return ID_TOKEN_NO_KID;
	switch (jwks_pick(keys, json_string_value(kid), *alg, key)) {
	case JWKS_FOUND:
		return ID_TOKEN_OK;
	case JWKS_NO_KID:
		return ID_TOKEN_NO_KID;
	case JWKS_UNKNOWN_KID:
		return ID_TOKEN_UNKNOWN_KID;
	case JWKS_MISMATCH:
		break;
	}
	return ID_TOKEN_KEY;
}

static bool text_is(const json_t *v, const char *want)
{
	return json_is_string(v) && !strcmp(json_string_value(v), want);
}

static enum id_token_result check_audience(const json_t *claims, const char *client_id)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp"), *one;
	bool ours = text_is(aud, client_id);
	size_t i;

	json_array_foreach((json_t *)aud, i, one)
	{
		if (!json_is_string(one))
			return ID_TOKEN_AUD;
		ours = ours || text_is(one, client_id);
	}
	if (!ours)
		return ID_TOKEN_AUD;
	if (azp ? !text_is(azp, client_id) : json_array_size(aud) > 1)
		return ID_TOKEN_AZP;
	return ID_TOKEN_OK;
}

/* Seconds since 1970 as a JSON integer that no sum can make overflow. */
static bool date(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(claims, name);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= 0 && *out < ((int64_t)1 << 53);
}

static enum id_token_result check_dates(const json_t *claims, const struct id_token_rules *r)
{
	int64_t exp, nbf, iat;

	if (!date(claims, "exp", &exp) || exp <= r->now_s - r->leeway_s)
		return ID_TOKEN_EXP;
	if (json_object_get(claims, "nbf") && (!date(claims, "nbf", &nbf) || nbf > r->now_s + r->leeway_s))
		return ID_TOKEN_NBF;
	if (!date(claims, "iat", &iat) || iat > r->now_s + r->leeway_s)
		return ID_TOKEN_IAT;
	return ID_TOKEN_OK;
}

/* The left half of the access token's hash, by the hash of the signature: SHA-256, for Ed25519 SHA-512. */
static bool at_hash_fits(const json_t *v, enum jose_alg alg, const char *access_token)
{
	unsigned char hash[64];
	char text[BASE64URL_LEN(32) + 1];
	unsigned n = 0;

	if (!json_is_string(v))
		return false;
	if (EVP_Digest(access_token, strlen(access_token), hash, &n, alg == JOSE_EDDSA ? EVP_sha512() : EVP_sha256(),
		       NULL) != 1)
		return false;
	base64url_encode(text, hash, n / 2);
	return text_is(v, text);
}

static enum id_token_result check_claims(const json_t *claims, enum jose_alg alg, const struct id_token_rules *r)
{
	const json_t *nonce = json_object_get(claims, "nonce"), *sub = json_object_get(claims, "sub");
	const json_t *at_hash = json_object_get(claims, "at_hash");
	enum id_token_result rc;

	if (!text_is(json_object_get(claims, "iss"), r->issuer))
		return ID_TOKEN_ISS;
	rc = check_audience(claims, r->client_id);
	if (rc == ID_TOKEN_OK)
		rc = check_dates(claims, r);
	if (rc != ID_TOKEN_OK)
		return rc;
	if (!json_is_string(nonce) || json_string_length(nonce) != strlen(r->nonce) ||
	    !equal_const_time(json_string_value(nonce), r->nonce, strlen(r->nonce)))
		return ID_TOKEN_NONCE;
	if (!json_is_string(sub) || !json_string_length(sub) || json_string_length(sub) > SUBJECT_MAX)
		return ID_TOKEN_SUB;
	if (at_hash && r->access_token && !at_hash_fits(at_hash, alg, r->access_token))
		return ID_TOKEN_AT_HASH;
	return ID_TOKEN_OK;
}

enum id_token_result id_token_verify(const struct id_token_rules *rules, const struct jwks *keys, const char *token,
				     size_t n, json_t **claims)
{
	enum id_token_result rc = ID_TOKEN_MALFORMED;
	json_t *header = NULL;
	struct parts p = {0};
	enum jose_alg alg;
	EVP_PKEY *key;

	*claims = NULL;
	if (n > ID_TOKEN_MAX)
		return ID_TOKEN_TOO_LARGE;
	if (!split(token, n, &p))
		goto out;
	if ((rc = parse(p.header, p.header_n, &header)) != ID_TOKEN_OK ||
	    (rc = parse(p.payload, p.payload_n, claims)) != ID_TOKEN_OK)
		goto out;
	if ((rc = check_header(header, keys, &alg, &key)) != ID_TOKEN_OK)
		goto out;
	rc = ID_TOKEN_SIGNATURE;
	if (!jwks_verify(key, alg, token, p.signed_n, p.signature, p.signature_n))
		goto out;
	rc = check_claims(*claims, alg, rules);
out:
	if (rc != ID_TOKEN_OK) {
		json_decref(*claims);
		*claims = NULL;
	}
	json_decref(header);
	parts_release(&p);
	return rc;
}
