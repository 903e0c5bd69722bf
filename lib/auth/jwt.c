/* jwt: the checks, in this order: size, three parts, strict base64url, JSON, alg, crit, kid and key, signature. jwk,
 * jku, x5u and x5c of the header are never looked at. */
#include "lib/auth/jwt.h"
#include "lib/base/codec.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static enum jwt_result parse(const char *p, size_t n, json_t **out)
{
	switch (jose_parse(p, n, out)) {
	case JOSE_OK:
		return JWT_OK;
	case JOSE_DUPLICATE:
		return JWT_DUPLICATE;
	default:
		return JWT_MALFORMED;
	}
}

static enum jwt_result check_header(const json_t *header, const struct jwks *keys, enum jose_alg *alg, EVP_PKEY **key)
{
	const json_t *kid = json_object_get(header, "kid");
	const char *name = json_string_value(json_object_get(header, "alg"));

	*alg = name ? jose_alg(name) : JOSE_NONE;
	if (*alg == JOSE_NONE)
		return JWT_ALG;
	if (json_object_get(header, "crit"))
		return JWT_CRIT;
	if (kid && !json_is_string(kid))
		return JWT_NO_KID;
	switch (jwks_pick(keys, json_string_value(kid), *alg, key)) {
	case JWKS_FOUND:
		return JWT_OK;
	case JWKS_NO_KID:
		return JWT_NO_KID;
	case JWKS_UNKNOWN_KID:
		return JWT_UNKNOWN_KID;
	case JWKS_MISMATCH:
		break;
	}
	return JWT_KEY;
}

enum jwt_result jwt_verify(const struct jwks *keys, const char *token, size_t n, struct jwt *out)
{
	enum jwt_result rc = JWT_MALFORMED;
	struct parts p = {0};
	EVP_PKEY *key;

	memset(out, 0, sizeof(*out));
	if (n > JWT_MAX)
		return JWT_TOO_LARGE;
	if (!split(token, n, &p))
		goto out;
	if ((rc = parse(p.header, p.header_n, &out->header)) != JWT_OK ||
	    (rc = parse(p.payload, p.payload_n, &out->claims)) != JWT_OK)
		goto out;
	if ((rc = check_header(out->header, keys, &out->alg, &key)) != JWT_OK)
		goto out;
	rc = jwks_verify(key, out->alg, token, p.signed_n, p.signature, p.signature_n) ? JWT_OK : JWT_SIGNATURE;
out:
	if (rc != JWT_OK)
		jwt_release(out);
	parts_release(&p);
	return rc;
}

void jwt_release(struct jwt *j)
{
	json_decref(j->header);
	json_decref(j->claims);
	j->header = j->claims = NULL;
}

bool jwt_text_is(const json_t *v, const char *want)
{
	return json_is_string(v) && !strcmp(json_string_value(v), want);
}

bool jwt_has_audience(const json_t *claims, const char *want)
{
	const json_t *aud = json_object_get(claims, "aud"), *one;
	bool ours = jwt_text_is(aud, want);
	size_t i;

	json_array_foreach((json_t *)aud, i, one)
	{
		if (!json_is_string(one))
			return false;
		ours = ours || jwt_text_is(one, want);
	}
	return ours;
}

bool jwt_date(const json_t *claims, const char *name, int64_t *out)
{
	const json_t *v = json_object_get(claims, name);

	*out = json_integer_value(v);
	return json_is_integer(v) && *out >= 0 && *out < ((int64_t)1 << 53);
}

enum jwt_dates jwt_check_dates(const json_t *claims, int64_t now_s, int64_t leeway_s)
{
	int64_t exp, nbf, iat;

	if (!jwt_date(claims, "exp", &exp) || exp <= now_s - leeway_s)
		return JWT_DATES_EXP;
	if (json_object_get(claims, "nbf") && (!jwt_date(claims, "nbf", &nbf) || nbf > now_s + leeway_s))
		return JWT_DATES_NBF;
	if (!jwt_date(claims, "iat", &iat) || iat > now_s + leeway_s)
		return JWT_DATES_IAT;
	return JWT_DATES_OK;
}

const char *jwt_dates_claim(enum jwt_dates wrong)
{
	static const char *const claims[] = {[JWT_DATES_EXP] = "exp", [JWT_DATES_NBF] = "nbf", [JWT_DATES_IAT] = "iat"};

	return claims[wrong];
}

bool jwt_type_is(const json_t *header, const char *want)
{
	static const char prefix[] = "application/";
	const json_t *v = json_object_get(header, "typ");
	const char *typ = json_string_value(v);

	if (!v)
		return true;
	if (!typ)
		return false;
	if (!strncasecmp(typ, prefix, sizeof(prefix) - 1))
		typ += sizeof(prefix) - 1;
	return !strcasecmp(typ, want) || !strcasecmp(typ, "JWT");
}
