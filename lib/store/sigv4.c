/* sigv4: canonical requests and their signatures, and presigned URLs. */
#include "lib/store/sigv4.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include "lib/http/uri.h"
#include "lib/store/sigv4_private.h"
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define CANONICAL_MAX ((size_t)64 << 10)
#define KEY_MAX 1024 /* bytes of an object's key, by S3's rules */
#define YEAR_10000 INT64_C(253402300800)

/* A context for HMAC-SHA256 to copy: OpenSSL 3 takes longer to find an algorithm by its name than to use it. */
static EVP_MAC_CTX *hmac_template;

static void make_template(void)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
			       OSSL_PARAM_construct_end()};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	hmac_template = mac ? EVP_MAC_CTX_new(mac) : NULL;
	EVP_MAC_free(mac);
	if (!hmac_template || !EVP_MAC_CTX_set_params(hmac_template, params))
		abort();
}

static void hmac(EVP_MAC_CTX *h, const void *key, size_t key_n, const void *p, size_t n, unsigned char out[32])
{
	size_t len = 0;

	if (!EVP_MAC_init(h, key, key_n, NULL) || !EVP_MAC_update(h, p, n) || !EVP_MAC_final(h, out, &len, 32) ||
	    len != 32)
		abort();
}

static int by_name(const void *a, const void *b)
{
	const struct sigv4_pair *x = a, *y = b;
	int rc = strcmp(x->name, y->name);

	return rc ? rc : strcmp(x->value, y->value);
}

void sigv4_headers_sort(struct sigv4_canonical *c)
{
	qsort(c->headers, c->n_headers, sizeof(c->headers[0]), by_name);
}

void sigv4_path_add(struct strbuf *b, const char *s)
{
	for (;;) {
		size_t n = strcspn(s, "/");

		uri_encode(b, s, n);
		if (!s[n])
			return;
		strbuf_addc(b, '/');
		s += n + 1;
	}
}

char *sigv4_header_value(struct arena *a, const char *s)
{
	char *out = arena_strdup(a, s);
	size_t n = 0;

	for (; *s; s++)
		if ((*s != ' ' && *s != '\t') || (n && out[n - 1] != ' '))
			out[n++] = *s == '\t' ? ' ' : *s;
	while (n && out[n - 1] == ' ')
		n--;
	out[n] = 0;
	return out;
}

void sigv4_signed_names(const struct sigv4_canonical *c, struct strbuf *b)
{
	for (size_t i = 0; i < c->n_headers; i++)
		strbuf_addf(b, "%s%s", i ? ";" : "", c->headers[i].name);
}

void sigv4_query_add(struct strbuf *b, const struct sigv4_canonical *c)
{
	for (size_t i = 0; i < c->n_query; i++) {
		if (i)
			strbuf_addc(b, '&');
		strbuf_adds(b, c->query[i].name);
		strbuf_addc(b, '=');
		strbuf_adds(b, c->query[i].value);
	}
}

bool sigv4_sign(struct sigv4_canonical *c, const struct sigv4_credentials *k, char signature[65])
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct strbuf b = {.max = CANONICAL_MAX};
	unsigned char hash[32], key[32];
	char text[65];
	EVP_MAC_CTX *h;
	bool ok = false;

	pthread_once(&once, make_template);
	h = EVP_MAC_CTX_dup(hmac_template);
	if (!h)
		abort();
	qsort(c->query, c->n_query, sizeof(c->query[0]), by_name);
	strbuf_reserve(&b, 2048);
	strbuf_addf(&b, "%s\n%s\n", c->method, c->path);
	sigv4_query_add(&b, c);
	strbuf_addc(&b, '\n');
	for (size_t i = 0; i < c->n_headers; i++)
		strbuf_addf(&b, "%s:%s\n", c->headers[i].name, c->headers[i].value);
	strbuf_addc(&b, '\n');
	sigv4_signed_names(c, &b);
	strbuf_adds(&b, "\n" SIGV4_PAYLOAD);
	if (b.failed)
		goto out;
	sha256(b.p, b.n, hash);
	hex_encode(text, hash, sizeof(hash));
	strbuf_reset(&b);
	strbuf_addf(&b, "AWS4%s", k->secret_key);
	hmac(h, b.p, b.n, c->date, 8, key);
	secret_wipe(b.p, b.n);
	hmac(h, key, sizeof(key), k->region, strlen(k->region), key);
	hmac(h, key, sizeof(key), "s3", 2, key);
	hmac(h, key, sizeof(key), "aws4_request", 12, key);
	strbuf_reset(&b);
	strbuf_addf(&b, SIGV4_ALGORITHM "\n%s\n%.8s/%s/s3/aws4_request\n%s", c->date, c->date, k->region, text);
	hmac(h, key, sizeof(key), b.p, b.n, hash);
	secret_wipe(key, sizeof(key));
	hex_encode(signature, hash, sizeof(hash));
	ok = !b.failed;
out:
	EVP_MAC_CTX_free(h);
	strbuf_release(&b);
	return ok;
}

static bool is_token(const char *s)
{
	for (const char *p = s; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_", *p))
			return false;
	return *s;
}

static bool is_text(const char *s)
{
	for (const char *p = s; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	return true;
}

struct parts {
	struct span scheme, host, path; /* scheme with "://", path without a slash at its end */
};

/* Takes "https://host:8443/path/" apart; a default port is left out. */
static bool split_endpoint(const char *s, struct parts *p)
{
	const char *authority;
	size_t n;

	if (!strncmp(s, "https://", 8))
		n = 8;
	else if (!strncmp(s, "http://", 7))
		n = 7;
	else
		return false;
	p->scheme = (struct span){s, n};
	authority = s + n;
	n = strcspn(authority, "/");
	p->path = (struct span){authority + n, strlen(authority + n)};
	while (p->path.n && p->path.p[p->path.n - 1] == '/')
		p->path.n--;
	if (p->scheme.n == 8 && n > 4 && !strncmp(authority + n - 4, ":443", 4))
		n -= 4;
	else if (p->scheme.n == 7 && n > 3 && !strncmp(authority + n - 3, ":80", 3))
		n -= 3;
	p->host = (struct span){authority, n};
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)authority[i]) && !strchr(".-:[]", authority[i]))
			return false;
	for (size_t i = 0; i < p->path.n; i++)
		if (!isalnum((unsigned char)p->path.p[i]) && !strchr("/-._~", p->path.p[i]))
			return false;
	return n > 0;
}

static void query_pair(struct sigv4_canonical *c, struct arena *a, const char *name, const char *value)
{
	AUTO_STRBUF n = {.max = CANONICAL_MAX}, v = {.max = CANONICAL_MAX};

	uri_encode(&n, name, strlen(name));
	uri_encode(&v, value, strlen(value));
	c->query[c->n_query++] =
		(struct sigv4_pair){arena_strndup(a, strbuf_cstr(&n), n.n), arena_strndup(a, strbuf_cstr(&v), v.n)};
}

static int check(const struct sigv4_request *r, const struct sigv4_credentials *k, struct parts *p, struct err *e)
{
	size_t sum = 0;

	if (!is_token(r->method))
		return err_set(e, ERR_BAD_FIELD, "method", "not a method");
	if (!split_endpoint(r->endpoint, p))
		return err_set(e, ERR_BAD_FIELD, "endpoint", "expected https://HOST[:PORT][/PATH]");
	if (!r->bucket[0] || strlen(r->bucket) > 255 || strchr(r->bucket, '/'))
		return err_set(e, ERR_BAD_FIELD, "bucket", "not the name of a bucket");
	if (strlen(r->key) > KEY_MAX)
		return err_set(e, ERR_BAD_FIELD, "key", "over %d bytes", KEY_MAX);
	if (!k->access_key[0] || !is_text(k->access_key) || strchr(k->access_key, '/') || strlen(k->access_key) > 256)
		return err_set(e, ERR_BAD_FIELD, "access_key", "missing, or not an access key");
	if (!k->secret_key[0] || strlen(k->secret_key) > 1024)
		return err_set(e, ERR_BAD_FIELD, "secret_key", "missing, or too long");
	if (!is_token(k->region) || strlen(k->region) > 64)
		return err_set(e, ERR_BAD_FIELD, "region", "not a region");
	if (k->session_token && strlen(k->session_token) > 8192)
		return err_set(e, ERR_BAD_FIELD, "session_token", "too long");
	if (r->at < 0 || r->at >= YEAR_10000)
		return err_set(e, ERR_BAD_FIELD, "at", "not a time");
	if (r->expires < 1 || r->expires > SIGV4_EXPIRES_MAX)
		return err_set(e, ERR_BAD_FIELD, "expires", "expected 1 to %d seconds", SIGV4_EXPIRES_MAX);
	if (r->n_headers >= SIGV4_HEADERS_MAX)
		return err_set(e, ERR_BAD_FIELD, "headers", "too many");
	if (r->n_query > SIGV4_QUERY_MAX - 8)
		return err_set(e, ERR_BAD_FIELD, "query", "too many");
	for (size_t i = 0; i < r->n_headers; i++) {
		if (!is_token(r->headers[i].name) || !is_text(r->headers[i].value) ||
		    !strcasecmp(r->headers[i].name, "host"))
			return err_set(e, ERR_BAD_FIELD, "headers", "not a header to sign");
		sum += strlen(r->headers[i].name) + strlen(r->headers[i].value);
	}
	for (size_t i = 0; i < r->n_query; i++) {
		if (!r->query[i].name[0] || !strncasecmp(r->query[i].name, "x-amz-", 6))
			return err_set(e, ERR_BAD_FIELD, "query", "a parameter's name is empty or the signature's own");
		sum += strlen(r->query[i].name) + strlen(r->query[i].value);
	}
	return sum <= CANONICAL_MAX / 8 ? 0 : err_set(e, ERR_BAD_FIELD, "query", "too long");
}

int sigv4_presign(const struct sigv4_request *r, const struct sigv4_credentials *k, struct strbuf *url, struct err *e)
{
	AUTO_STRBUF path = {.max = CANONICAL_MAX}, names = {.max = CANONICAL_MAX};
	struct sigv4_canonical c = {.method = r->method};
	char date[SIGV4_DATE_SIZE], number[24], signature[65];
	time_t at = (time_t)r->at;
	struct parts p = {0};
	struct arena *a;
	struct tm tm;
	char *host;

	if (check(r, k, &p, e) < 0)
		return -1;
	a = arena_new(4 * CANONICAL_MAX);
	gmtime_r(&at, &tm);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &tm);
	c.date = date;
	host = arena_printf(a, "%s%s%.*s", r->path_style ? "" : r->bucket, r->path_style ? "" : ".", (int)p.host.n,
			    p.host.p);
	for (char *h = host; *h; h++)
		*h = (char)tolower((unsigned char)*h);
	strbuf_add(&path, p.path.p, p.path.n);
	if (r->path_style) {
		strbuf_addc(&path, '/');
		uri_encode(&path, r->bucket, strlen(r->bucket));
	}
	if (r->key[0] || !r->path_style) {
		strbuf_addc(&path, '/');
		sigv4_path_add(&path, r->key);
	}
	c.path = strbuf_cstr(&path);
	c.headers[c.n_headers++] = (struct sigv4_pair){"host", host};
	for (size_t i = 0; i < r->n_headers; i++) {
		char *name = arena_strdup(a, r->headers[i].name);

		for (char *l = name; *l; l++)
			*l = (char)tolower((unsigned char)*l);
		c.headers[c.n_headers++] = (struct sigv4_pair){name, sigv4_header_value(a, r->headers[i].value)};
	}
	sigv4_headers_sort(&c);
	sigv4_signed_names(&c, &names);
	for (size_t i = 0; i < r->n_query; i++)
		query_pair(&c, a, r->query[i].name, r->query[i].value);
	query_pair(&c, a, "X-Amz-Algorithm", SIGV4_ALGORITHM);
	query_pair(&c, a, "X-Amz-Credential",
		   arena_printf(a, "%s/%.8s/%s/s3/aws4_request", k->access_key, date, k->region));
	query_pair(&c, a, "X-Amz-Date", date);
	snprintf(number, sizeof(number), "%lld", (long long)r->expires);
	query_pair(&c, a, "X-Amz-Expires", number);
	query_pair(&c, a, "X-Amz-SignedHeaders", strbuf_cstr(&names));
	if (r->payload_query)
		query_pair(&c, a, "X-Amz-Content-Sha256", SIGV4_PAYLOAD);
	if (k->session_token && k->session_token[0])
		query_pair(&c, a, "X-Amz-Security-Token", k->session_token);
	if (!sigv4_sign(&c, k, signature)) {
		arena_free(&a);
		return err_set(e, ERR_BAD_FIELD, "query", "too long");
	}
	strbuf_add(url, p.scheme.p, p.scheme.n);
	strbuf_addf(url, "%s%s?", host, c.path);
	sigv4_query_add(url, &c);
	strbuf_addf(url, "&X-Amz-Signature=%s", signature);
	arena_free(&a);
	return url->failed ? err_set(e, ERR_BAD_FIELD, "key", "the address is too long") : 0;
}
