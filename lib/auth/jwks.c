/* jwks: parsing and choice of keys, signatures by OpenSSL EVP. */
#include "lib/auth/jwks.h"
#include "lib/base/log.h"
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, EXPONENT_MAX = 8 };

enum kty { KTY_RSA, KTY_EC, KTY_ED25519 };

struct jwk {
	char *kid; /* NULL: none */
	enum kty kty;
	bool for_signatures; /* use and key_ops allow it */
	bool any_alg;        /* the key names none */
	enum jose_alg alg;   /* where it names one; JOSE_NONE: one that is not ours */
	EVP_PKEY *key;
};

struct jwks {
	struct shared shared;
	size_t n;
	struct jwk key[JWKS_KEYS_MAX];
};

static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *bld)
{
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	EVP_PKEY *key = NULL;

	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

static EVP_PKEY *rsa_key(const json_t *o)
{
	unsigned char n[RSA_BITS_MAX / 8 + 1], x[EXPONENT_MAX];
	long n_len = jose_bytes(o, "n", n, sizeof(n)), x_len = jose_bytes(o, "e", x, sizeof(x));
	OSSL_PARAM_BLD *bld;
	BIGNUM *bn, *be;
	EVP_PKEY *key = NULL;

	if (n_len <= 0 || x_len <= 0)
		return NULL;
	bld = OSSL_PARAM_BLD_new();
	bn = BN_bin2bn(n, (int)n_len, NULL);
	be = BN_bin2bn(x, (int)x_len, NULL);
	if (bld && bn && be && BN_num_bits(bn) >= RSA_BITS_MIN && BN_num_bits(bn) <= RSA_BITS_MAX && BN_is_odd(bn) &&
	    BN_is_odd(be) && !BN_is_one(be) && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, bn) == 1 &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, be) == 1)
		key = from_params("RSA", bld);
	BN_free(bn);
	BN_free(be);
	OSSL_PARAM_BLD_free(bld);
	return key;
}

static EVP_PKEY *p256_key(const json_t *o)
{
	unsigned char point[65] = {4};
	char group[] = "P-256";
	OSSL_PARAM_BLD *bld;
	EVP_PKEY *key = NULL;
	EVP_PKEY_CTX *check;

	if (jose_bytes(o, "x", point + 1, 32) != 32 || jose_bytes(o, "y", point + 33, 32) != 32)
		return NULL;
	bld = OSSL_PARAM_BLD_new();
	if (bld && OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, group, 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1)
		key = from_params("EC", bld);
	OSSL_PARAM_BLD_free(bld);
	check = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	if (key && (!check || EVP_PKEY_public_check(check) != 1)) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	EVP_PKEY_CTX_free(check);
	return key;
}

static EVP_PKEY *ed25519_key(const json_t *o)
{
	unsigned char x[32];

	if (jose_bytes(o, "x", x, sizeof(x)) != 32)
		return NULL;
	return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, sizeof(x));
}

static bool may_verify(const json_t *o)
{
	const json_t *use = json_object_get(o, "use"), *ops = json_object_get(o, "key_ops"), *op;
	size_t i;

	if (use && (!json_is_string(use) || strcmp(json_string_value(use), "sig") != 0))
		return false;
	if (!ops)
		return true;
	json_array_foreach((json_t *)ops, i,
			   op) if (json_is_string(op) && !strcmp(json_string_value(op), "verify")) return true;
	return false;
}

/* False where it is none that we can use for anything. */
static bool parse_key(const json_t *o, struct jwk *k)
{
	const char *kty = json_string_value(json_object_get(o, "kty")),
		   *crv = json_string_value(json_object_get(o, "crv"));
	const json_t *kid = json_object_get(o, "kid"), *alg = json_object_get(o, "alg");

	memset(k, 0, sizeof(*k));
	if (!kty || (kid && (!json_is_string(kid) || json_string_length(kid) >= JWKS_KID_MAX)))
		return false;
	if (!strcmp(kty, "RSA")) {
		k->kty = KTY_RSA;
		k->key = rsa_key(o);
	} else if (!strcmp(kty, "EC") && crv && !strcmp(crv, "P-256")) {
		k->kty = KTY_EC;
		k->key = p256_key(o);
	} else if (!strcmp(kty, "OKP") && crv && !strcmp(crv, "Ed25519")) {
		k->kty = KTY_ED25519;
		k->key = ed25519_key(o);
	}
	if (!k->key)
		return false;
	k->for_signatures = may_verify(o);
	k->any_alg = !alg;
	k->alg = json_is_string(alg) ? jose_alg(json_string_value(alg)) : JOSE_NONE;
	k->kid = kid ? xstrdup(json_string_value(kid)) : NULL;
	return true;
}

static void destroy(struct shared *shared)
{
	struct jwks *s = (struct jwks *)shared;

	for (size_t i = 0; i < s->n; i++) {
		free(s->key[i].kid);
		EVP_PKEY_free(s->key[i].key);
	}
	free(s);
}

struct jwks *jwks_parse(const char *p, size_t n, struct err *e)
{
	json_t *doc = NULL, *one;
	const json_t *keys;
	struct jwks *s = NULL;
	size_t i;

	if (n > JWKS_BYTES_MAX || jose_parse(p, n, &doc) != JOSE_OK || !json_is_array(json_object_get(doc, "keys"))) {
		err_set(e, ERR_UNAVAILABLE, NULL, "the provider's keys are no JWK set");
		goto out;
	}
	keys = json_object_get(doc, "keys");
	s = xcalloc(1, sizeof(*s));
	s->shared.refs = 1;
	s->shared.destroy = destroy;
	json_array_foreach((json_t *)keys, i, one)
	{
		if (s->n == JWKS_KEYS_MAX) {
			log_warning("jwks.too_many", "keys=%zu used=%d", json_array_size(keys), JWKS_KEYS_MAX);
			break;
		}
		if (json_is_object(one) && parse_key(one, &s->key[s->n]))
			s->n++;
	}
	ERR_clear_error();
out:
	json_decref(doc);
	return s;
}

void jwks_unref(struct jwks **s)
{
	shared_unref((struct shared *)*s);
	*s = NULL;
}

size_t jwks_usable(const struct jwks *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += s->key[i].for_signatures && (s->key[i].any_alg || s->key[i].alg != JOSE_NONE);
	return n;
}

static bool fits(const struct jwk *k, enum jose_alg alg)
{
	static const enum kty of_alg[] = {
		[JOSE_RS256] = KTY_RSA, [JOSE_PS256] = KTY_RSA, [JOSE_ES256] = KTY_EC, [JOSE_EDDSA] = KTY_ED25519};

	return k->for_signatures && k->kty == of_alg[alg] && (k->any_alg || k->alg == alg);
}

enum jwks_pick jwks_pick(const struct jwks *s, const char *kid, enum jose_alg alg, EVP_PKEY **key)
{
	size_t named = 0, fitting = 0;

	*key = NULL;
	for (size_t i = 0; i < s->n; i++) {
		if (kid && (!s->key[i].kid || strcmp(s->key[i].kid, kid) != 0))
			continue;
		named++;
		if (alg != JOSE_NONE && fits(&s->key[i], alg)) {
			fitting++;
			*key = s->key[i].key;
		}
	}
	/* of several, none is tried: which one it was must be beyond doubt */
	if (fitting == 1 && (kid || jwks_usable(s) == 1))
		return JWKS_FOUND;
	*key = NULL;
	if (!kid)
		return JWKS_NO_KID;
	return named ? JWKS_MISMATCH : JWKS_UNKNOWN_KID;
}

/* r || s, 32 bytes each, as the DER that OpenSSL takes. Returns its length, or 0. */
static size_t ecdsa_der(const unsigned char *sig, unsigned char out[80])
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, 32, NULL), *s = BN_bin2bn(sig + 32, 32, NULL);
	unsigned char *at = out;
	int n = 0;

	if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
		r = s = NULL; /* the pair's now */
		n = i2d_ECDSA_SIG(pair, NULL);
		n = n > 0 && n <= 80 ? i2d_ECDSA_SIG(pair, &at) : 0;
	}
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return n > 0 ? (size_t)n : 0;
}

bool jwks_verify(EVP_PKEY *key, enum jose_alg alg, const void *text, size_t text_n, const unsigned char *sig,
		 size_t sig_n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	unsigned char der[80];
	bool ok = false;

	if (alg == JOSE_ES256) {
		if (sig_n != 64 || !(sig_n = ecdsa_der(sig, der)))
			goto out;
		sig = der;
	}
	if (!ctx || !sig_n || EVP_DigestVerifyInit(ctx, &pctx, alg == JOSE_EDDSA ? NULL : EVP_sha256(), NULL, key) != 1)
		goto out;
	if (alg == JOSE_PS256 && (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) != 1 ||
				  EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, EVP_sha256()) != 1 ||
				  EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) != 1))
		goto out;
	ok = EVP_DigestVerify(ctx, sig, sig_n, text, text_n) == 1;
out:
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}
