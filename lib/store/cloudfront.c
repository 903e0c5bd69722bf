/* cloudfront: policies and their signatures. */
#include "lib/store/cloudfront.h"
#include "lib/base/codec.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define KEY_ID_MAX 128
#define URL_MAX ((size_t)16 << 10)
#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096

struct cloudfront_key {
	EVP_PKEY *pkey;
	char id[KEY_ID_MAX];
};

static EVP_MD *sha1_md;

static void find_sha1(void)
{
	sha1_md = EVP_MD_fetch(NULL, "SHA1", NULL);
}

static bool id_fits(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

	return n > 0 && n < KEY_ID_MAX && !s[n];
}

/* Never asks a terminal. */
static int no_password(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

int cloudfront_key_new(const char *key_id, const char *pem, size_t n, struct cloudfront_key **out, struct err *e)
{
	EVP_PKEY *pkey;
	BIO *bio;
	int bits;

	*out = NULL;
	if (!id_fits(key_id))
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_id", "not the id of a public key");
	if (n > URL_MAX)
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_file", "too large for a key");
	bio = BIO_new_mem_buf(pem, (int)n);
	if (!bio)
		abort();
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_file",
			       "not a private key in PEM, or one with a password");
	bits = EVP_PKEY_get_bits(pkey);
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA || bits < RSA_BITS_MIN || bits > RSA_BITS_MAX) {
		EVP_PKEY_free(pkey);
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_file", "expected an RSA key of %d to %d bits",
			       RSA_BITS_MIN, RSA_BITS_MAX);
	}
	*out = xcalloc(1, sizeof(**out));
	(*out)->pkey = pkey;
	memcpy((*out)->id, key_id, strlen(key_id));
	return 0;
}

void cloudfront_key_free(struct cloudfront_key **k)
{
	if (!*k)
		return;
	EVP_PKEY_free((*k)->pkey);
	free(*k);
	*k = NULL;
}

/* Base64 in CloudFront's alphabet. */
static void add_base64(struct strbuf *b, const unsigned char *p, size_t n)
{
	unsigned char *text = xmalloc((n + 2) / 3 * 4 + 1);
	int len = EVP_EncodeBlock(text, p, (int)n);

	for (int i = 0; i < len; i++)
		text[i] = text[i] == '+' ? '-' : text[i] == '=' ? '_' : text[i] == '/' ? '~' : text[i];
	strbuf_add(b, text, (size_t)len);
	free(text);
}

static int sign(const struct cloudfront_key *k, const struct strbuf *policy, struct strbuf *out, struct err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	unsigned char sig[RSA_BITS_MAX / 8];
	unsigned char hash[EVP_MAX_MD_SIZE];
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(k->pkey, NULL);
	size_t n = sizeof(sig);
	unsigned hash_n = 0;
	bool ok;

	pthread_once(&once, find_sha1);
	ok = ctx && sha1_md && EVP_Digest(policy->p, policy->n, hash, &hash_n, sha1_md, NULL) == 1 &&
	     EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(ctx, sha1_md) == 1 && EVP_PKEY_sign(ctx, sig, &n, hash, hash_n) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	if (!ok) /* a security level that forbids SHA-1 */
		return err_set(e, ERR_INTERNAL, NULL, "OpenSSL does not sign by SHA-1 here, which CloudFront needs");
	add_base64(out, sig, n);
	return 0;
}

static bool url_fits(const char *s)
{
	size_t n = strnlen(s, URL_MAX);

	if (n == URL_MAX || (strncmp(s, "https://", 8) != 0 && strncmp(s, "http://", 7) != 0))
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f || strchr("\"\\<>^`{|}#", s[i]))
			return false;
	return true;
}

int cloudfront_sign(const struct cloudfront_key *k, const struct cloudfront_policy *p, struct strbuf *url,
		    struct err *e)
{
	bool canned = !p->not_before && !p->ip && !p->resource;
	AUTO_STRBUF policy = {.max = 2 * URL_MAX}, signature = {.max = 1024};

	if (!url_fits(p->url))
		return err_set(e, ERR_BAD_FIELD, "url", "not an encoded http or https URL");
	if (p->resource && !url_fits(p->resource))
		return err_set(e, ERR_BAD_FIELD, "resource", "not an encoded http or https URL");
	if (p->ip && (!p->ip[0] || p->ip[strspn(p->ip, "0123456789abcdefABCDEF.:/")]))
		return err_set(e, ERR_BAD_FIELD, "ip", "not an address or a net");
	if (p->expires <= 0 || p->not_before < 0)
		return err_set(e, ERR_BAD_FIELD, "expires", "not a time");
	/* CloudFront makes the canned one of its own, in this very form; the order holds for both */
	strbuf_addf(&policy,
		    "{\"Statement\":[{\"Resource\":\"%s\",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":%lld}",
		    p->resource ? p->resource : p->url, (long long)p->expires);
	if (p->not_before)
		strbuf_addf(&policy, ",\"DateGreaterThan\":{\"AWS:EpochTime\":%lld}", (long long)p->not_before);
	if (p->ip)
		strbuf_addf(&policy, ",\"IpAddress\":{\"AWS:SourceIp\":\"%s\"}", p->ip);
	strbuf_adds(&policy, "}}]}");
	if (sign(k, &policy, &signature, e) < 0)
		return -1;
	strbuf_adds(url, p->url);
	strbuf_addc(url, strchr(p->url, '?') ? '&' : '?');
	if (canned) {
		strbuf_addf(url, "Expires=%lld", (long long)p->expires);
	} else {
		strbuf_adds(url, "Policy=");
		add_base64(url, (const unsigned char *)policy.p, policy.n);
	}
	strbuf_addf(url, "&Signature=%s&Key-Pair-Id=%s", strbuf_cstr(&signature), k->id);
	return url->failed ? err_set(e, ERR_BAD_FIELD, "url", "the address is too long") : 0;
}
