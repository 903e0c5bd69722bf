/* store_config: [files] as a store, each setting held against what it must be. */
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/store/store_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MIN 16 /* of the local store's key */
#define KEY_FILE_MAX 16384

#define LOWER "abcdefghijklmnopqrstuvwxyz0123456789"

static int wrong(struct err *e, const char *field, const char *value, const char *why)
{
	return err_set(e, ERR_BAD_FIELD, field, "[files] %s = %.80s: %s", field, value, why);
}

/* The length of "https://host:port"; 0: it is none, or plain http to another machine. */
static size_t origin_length(const char *url)
{
	size_t n;

	if (!http_url_allowed(url) || strchr(url, '?'))
		return 0;
	n = (size_t)(strstr(url, "://") + 3 - url);
	return n + strcspn(url + n, "/");
}

static char *copy(const char *s, size_t n)
{
	char *p = xmalloc(n + 1);

	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

static bool host_is_address(const char *url)
{
	const char *host = strstr(url, "://") + 3;
	size_t n = strcspn(host, ":/");

	return host[0] == '[' || strspn(host, "0123456789.") >= n;
}

static int check_names(const struct config *c, struct err *e)
{
	const char *bucket = c->files.bucket, *prefix = c->files.prefix, *region = c->files.region;
	size_t n = strlen(bucket), p = strlen(prefix);

	if (n < 3 || n > 63 || strspn(bucket, LOWER ".-") != n)
		return wrong(e, "bucket", bucket, "expected 3 to 63 of a-z, 0-9, - and .");
	if (p > STORE_PREFIX_MAX || strspn(prefix, LOWER "-/") != p || strstr(prefix, "//") ||
	    (p && (prefix[0] == '/' || prefix[p - 1] == '/')))
		return wrong(e, "prefix", prefix, "expected at most 64 of a-z, 0-9, - and / between them");
	if (!region[0] || strlen(region) > 64 || region[strspn(region, LOWER "-")])
		return wrong(e, "region", region, "expected a-z, 0-9 and -");
	return 0;
}

static int check_local(const struct config *c, struct err *e)
{
	const char *url = c->files.url;

	if (!url[0])
		return err_set(e, ERR_BAD_FIELD, "url", "[files] url is not set: the origin of the local store");
	if (origin_length(url) != strlen(url))
		return wrong(e, "url", url, "expected https://HOST[:PORT] without a path (http to a loopback host)");
	if (strlen(c->files.secret_key) < SECRET_MIN)
		return err_set(e, ERR_BAD_FIELD, "secret_key",
			       "[files] secret_key: %s, expected at least %d characters: openssl rand -hex 32",
			       c->files.secret_key[0] ? "too short" : "not set", SECRET_MIN);
	return 0;
}

static int check_s3(const struct config *c, struct err *e)
{
	const char *endpoint = c->files.endpoint;
	bool path_style = !strcmp(c->files.path_style, "yes");

	if (!endpoint[0])
		return err_set(e, ERR_BAD_FIELD, "endpoint",
			       "[files] endpoint is not set: as https://s3.REGION.amazonaws.com");
	if (!origin_length(endpoint))
		return wrong(e, "endpoint", endpoint, "expected https://HOST[:PORT][/PATH] (http to a loopback host)");
	if (!path_style && host_is_address(endpoint))
		return wrong(e, "path_style", "no", "the endpoint is an address, which no bucket's name goes before");
	if (!path_style && strchr(c->files.bucket, '.') && !strncmp(endpoint, "https:", 6))
		return wrong(e, "path_style", "no", "no certificate fits a bucket with dots in its name");
	if (!c->files.access_key[0])
		return err_set(e, ERR_BAD_FIELD, "access_key", "[files] access_key is not set");
	if (!c->files.secret_key[0])
		return err_set(e, ERR_BAD_FIELD, "secret_key", "[files] secret_key is not set");
	return 0;
}

static int read_cloudfront(const struct config *c, struct store *s, struct err *e)
{
	const char *url = c->files.cloudfront_url, *id = c->files.cloudfront_key_id,
		   *file = c->files.cloudfront_key_file;
	size_t n = strlen(url), got;
	struct err why = {0};
	char *pem;
	FILE *f;
	int rc;

	if (!url[0] && !id[0] && !file[0])
		return 0;
	if (!origin_length(url))
		return wrong(e, "cloudfront_url", url, "expected https://HOST[/PATH]");
	if (!id[0])
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_id", "[files] cloudfront_key_id is not set");
	if (!file[0])
		return err_set(e, ERR_BAD_FIELD, "cloudfront_key_file", "[files] cloudfront_key_file is not set");
	f = fopen(file, "re");
	if (!f)
		return wrong(e, "cloudfront_key_file", file, strerror(errno));
	pem = xmalloc(KEY_FILE_MAX);
	got = fread(pem, 1, KEY_FILE_MAX, f);
	fclose(f);
	rc = cloudfront_key_new(id, pem, got, &s->cloudfront, &why);
	if (rc < 0)
		err_set(e, why.code, why.field, "[files] %s: %s", why.field, why.detail);
	secret_wipe(pem, KEY_FILE_MAX);
	free(pem);
	while (n && url[n - 1] == '/')
		n--;
	s->cloudfront_url = copy(url, n);
	return rc;
}

static void set_origins(struct store *s)
{
	size_t n = origin_length(s->endpoint), scheme = (size_t)(strstr(s->endpoint, "://") + 3 - s->endpoint);
	AUTO_STRBUF b = {0};

	strbuf_add(&b, s->endpoint, scheme);
	if (!s->path_style)
		strbuf_addf(&b, "%s.", s->bucket);
	strbuf_add(&b, s->endpoint + scheme, n - scheme);
	/* as a browser writes it */
	if (b.n > 4 && !strncmp(b.p, "https:", 6) && !strcmp(b.p + b.n - 4, ":443"))
		b.n -= 4;
	else if (b.n > 3 && !strncmp(b.p, "http:", 5) && !strcmp(b.p + b.n - 3, ":80"))
		b.n -= 3;
	s->upload_origin = copy(b.p, b.n);
	s->download_origin = s->cloudfront_url ? copy(s->cloudfront_url, origin_length(s->cloudfront_url))
					       : xstrdup(s->upload_origin);
}

int store_new(const struct config *c, struct store **out, struct err *e)
{
	bool local = config_files_local(c);
	struct store *s;

	*out = NULL;
	if (!config_files(c))
		return 0;
	if (check_names(c, e) < 0 || (local ? check_local(c, e) : check_s3(c, e)) < 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	if (!local && read_cloudfront(c, s, e) < 0) {
		store_free(&s);
		return -1;
	}
	if (local) {
		AUTO_STRBUF endpoint = {0};

		strbuf_addf(&endpoint, "%s/s3", c->files.url);
		s->endpoint = xstrdup(strbuf_cstr(&endpoint));
	} else {
		s->endpoint = xstrdup(c->files.endpoint);
	}
	s->bucket = xstrdup(c->files.bucket);
	s->prefix = xstrdup(c->files.prefix);
	s->keys.access_key = xstrdup(local && !c->files.access_key[0] ? "local" : c->files.access_key);
	s->keys.secret_key = xstrdup(c->files.secret_key);
	s->keys.session_token = xstrdup(local ? "" : c->files.session_token);
	s->keys.region = xstrdup(c->files.region);
	s->path_style = local || !strcmp(c->files.path_style, "yes");
	s->payload_query = !strcmp(c->files.payload_query, "yes");
	s->verifies = local || !strcmp(c->files.verifies, "yes");
	s->upload_expires = MAX_OF(c->files.upload_expires / 1000, (int64_t)1);
	s->download_expires = MAX_OF(c->files.download_expires / 1000, (int64_t)1);
	set_origins(s);
	*out = s;
	return 0;
}

static void wipe(const char *secret)
{
	char *p = (char *)secret;

	if (p)
		secret_wipe(p, strlen(p));
	free(p);
}

void store_free(struct store **s)
{
	struct store *t = *s;

	if (!t)
		return;
	cloudfront_key_free(&t->cloudfront);
	wipe(t->keys.secret_key);
	wipe(t->keys.session_token);
	free((char *)t->keys.access_key);
	free((char *)t->keys.region);
	free(t->endpoint);
	free(t->bucket);
	free(t->prefix);
	free(t->upload_origin);
	free(t->download_origin);
	free(t->cloudfront_url);
	free(t);
	*s = NULL;
}
