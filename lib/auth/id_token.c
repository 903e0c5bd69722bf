/* id_token: what jwt.c checks, then the claims. */
#include "lib/auth/id_token.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
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

static enum id_token_result check_audience(const json_t *claims, const char *client_id)
{
	const json_t *aud = json_object_get(claims, "aud"), *azp = json_object_get(claims, "azp");

	if (!jwt_has_audience(claims, client_id))
		return ID_TOKEN_AUD;
	if (azp ? !jwt_text_is(azp, client_id) : json_array_size(aud) > 1)
		return ID_TOKEN_AZP;
	return ID_TOKEN_OK;
}

static enum id_token_result check_dates(const json_t *claims, const struct id_token_rules *r)
{
	static const enum id_token_result results[] = {[JWT_DATES_OK] = ID_TOKEN_OK,
						       [JWT_DATES_EXP] = ID_TOKEN_EXP,
						       [JWT_DATES_NBF] = ID_TOKEN_NBF,
						       [JWT_DATES_IAT] = ID_TOKEN_IAT};

	return results[jwt_check_dates(claims, r->now_s, r->leeway_s)];
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
	return jwt_text_is(v, text);
}

static enum id_token_result check_claims(const json_t *claims, enum jose_alg alg, const struct id_token_rules *r)
{
	const json_t *nonce = json_object_get(claims, "nonce"), *sub = json_object_get(claims, "sub");
	const json_t *at_hash = json_object_get(claims, "at_hash");
	enum id_token_result rc;

	if (!jwt_text_is(json_object_get(claims, "iss"), r->issuer))
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

static enum id_token_result from_jwt(enum jwt_result r)
{
	static const enum id_token_result results[] = {
		[JWT_OK] = ID_TOKEN_OK,
		[JWT_TOO_LARGE] = ID_TOKEN_TOO_LARGE,
		[JWT_MALFORMED] = ID_TOKEN_MALFORMED,
		[JWT_DUPLICATE] = ID_TOKEN_DUPLICATE,
		[JWT_ALG] = ID_TOKEN_ALG,
		[JWT_CRIT] = ID_TOKEN_CRIT,
		[JWT_NO_KID] = ID_TOKEN_NO_KID,
		[JWT_UNKNOWN_KID] = ID_TOKEN_UNKNOWN_KID,
		[JWT_KEY] = ID_TOKEN_KEY,
		[JWT_SIGNATURE] = ID_TOKEN_SIGNATURE,
	};

	return results[r];
}

enum id_token_result id_token_verify(const struct id_token_rules *rules, const struct jwks *keys, const char *token,
				     size_t n, json_t **claims)
{
	struct jwt j;
	enum id_token_result rc = from_jwt(jwt_verify(keys, token, n, &j));

	*claims = NULL;
	if (rc == ID_TOKEN_OK)
		rc = check_claims(j.claims, j.alg, rules);
	if (rc == ID_TOKEN_OK)
		*claims = json_incref(j.claims);
	jwt_release(&j);
	return rc;
}
