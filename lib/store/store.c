/* store: addresses for browsers, and single objects. */
#include "lib/store/store.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/rand.h"
#include "lib/http/disposition.h"
#include "lib/http/uri.h"
#include "lib/store/store_private.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define CLOUDFRONT_GRID 300 /* seconds: addresses of so long are the same, so that browsers can keep what they got */
#define STEADY_GRID 86400   /* the same, of what is steady; each holds for one more */
#define SHA256_TEXT 44      /* its length in base64 */

void store_key(const struct store *s, char key[STORE_KEY_SIZE])
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned char r[16];
	unsigned acc = 0;
	int bits = 0, n = 0;
	char id[27];

	rand_bytes(r, sizeof(r));
	for (size_t i = 0; i < sizeof(r); i++) {
		acc = (acc << 8 | r[i]) & 0xffff;
		for (bits += 8; bits >= 5; bits -= 5)
			id[n++] = digits[acc >> (bits - 5) & 31];
	}
	id[n++] = digits[acc << (5 - bits) & 31];
	id[n] = 0;
	snprintf(key, STORE_KEY_SIZE, "%s%s%.2s/%s", s->prefix, s->prefix[0] ? "/" : "", id, id);
}

bool store_verifies(const struct store *s)
{
	return s->verifies;
}

const char *store_upload_origin(const struct store *s)
{
	return s->upload_origin;
}

const char *store_download_origin(const struct store *s)
{
	return s->download_origin;
}

/* type/subtype with parameters, as a header takes it. */
static bool type_fits(const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] >= 0x7f)
			return false;
	return n > 2 && n < STORE_TYPE_SIZE && strchr(s, '/');
}

static void add_json(struct strbuf *b, const char *s)
{
	strbuf_add_json(b, s, strlen(s));
}

int store_put_render(const struct store *s, struct store_put *p, struct strbuf *b, struct err *e)
{
	struct sigv4_pair headers[4], query[2];
	struct sigv4_request r = {
		.method = "PUT", .key = p->key, .headers = headers, .query = query, .expires = s->upload_expires};
	char size[24], number[16], sum[SHA256_TEXT + 1], time[TIME_TEXT_MAX];
	AUTO_STRBUF url = {.max = HTTP_URL_SIGNED_MAX};

	if (p->size < 0)
		return err_set(e, ERR_BAD_FIELD, "size", "must not be negative");
	if (p->number < 0 || p->number > STORE_PARTS_MAX || (p->number && !p->upload_id))
		return err_set(e, ERR_BAD_FIELD, "number", "expected 1 to %d", STORE_PARTS_MAX);
	if (!p->number && (!p->type || !type_fits(p->type)))
		return err_set(e, ERR_BAD_FIELD, "type", "not a media type");
	snprintf(size, sizeof(size), "%lld", (long long)p->size);
	snprintf(number, sizeof(number), "%d", p->number);
	headers[r.n_headers++] = (struct sigv4_pair){"content-length", size};
	if (p->sha256) {
		EVP_EncodeBlock((unsigned char *)sum, p->sha256, 32);
		headers[r.n_headers++] = (struct sigv4_pair){"x-amz-checksum-sha256", sum};
	}
	if (p->number) {
		query[r.n_query++] = (struct sigv4_pair){"partNumber", number};
		query[r.n_query++] = (struct sigv4_pair){"uploadId", p->upload_id};
	} else {
		headers[r.n_headers++] = (struct sigv4_pair){"content-type", p->type};
		headers[r.n_headers++] = (struct sigv4_pair){"if-none-match", "*"};
	}
	if (store_presign(s, &r, &url, e) < 0)
		return -1;
	p->expires_at = r.at + r.expires;
	time_text(p->expires_at * 1000000, time);
	strbuf_adds(b, "{\"method\":\"PUT\",\"url\":");
	add_json(b, strbuf_cstr(&url));
	strbuf_adds(b, ",\"headers\":{");
	for (size_t i = 1; i < r.n_headers; i++) { /* after content-length */
		if (i > 1)
			strbuf_addc(b, ',');
		add_json(b, headers[i].name);
		strbuf_addc(b, ':');
		add_json(b, headers[i].value);
	}
	strbuf_addf(b, "},\"expires_at\":\"%s\"}", time);
	return 0;
}

static void add_parameter(struct strbuf *b, char mark, const char *name, const char *value)
{
	strbuf_addc(b, mark);
	strbuf_adds(b, name);
	strbuf_addc(b, '=');
	uri_encode(b, value, strlen(value));
}

int store_get_url(const struct store *s, const struct store_get *g, struct strbuf *url, int64_t *lasts_s, struct err *e)
{
	AUTO_STRBUF disposition = {.max = 4096}, plain = {.max = 8192};
	const char *type = g->type && type_fits(g->type) ? g->type : "application/octet-stream";
	char name[FILE_NAME_SIZE];
	int64_t now = clock_now_us() / 1000000;
	int64_t steady_from = now / STEADY_GRID * STEADY_GRID;

	file_name_clean(g->name, strlen(g->name), name);
	disposition_add(&disposition, !g->show, name);
	if (s->cloudfront) {
		struct cloudfront_policy p = {0};

		strbuf_addf(&plain, "%s/%s", s->cloudfront_url, g->key);
		add_parameter(&plain, '?', "response-content-disposition", strbuf_cstr(&disposition));
		add_parameter(&plain, '&', "response-content-type", type);
		p.url = strbuf_cstr(&plain);
		p.expires = (now + s->download_expires + CLOUDFRONT_GRID - 1) / CLOUDFRONT_GRID * CLOUDFRONT_GRID;
		if (g->steady)
			p.expires = steady_from + (int64_t)2 * STEADY_GRID;
		*lasts_s = p.expires - now;
		return cloudfront_sign(s->cloudfront, &p, url, e);
	}
	struct sigv4_pair query[] = {{"response-content-disposition", strbuf_cstr(&disposition)},
				     {"response-content-type", type},
				     {"response-cache-control", "private, max-age=86400"}};
	struct sigv4_request r = {.method = "GET",
				  .key = g->key,
				  .query = query,
				  .n_query = g->steady ? 3 : 2,
				  .at = g->steady ? steady_from : now,
				  .expires = g->steady ? (int64_t)2 * STEADY_GRID : s->download_expires};

	*lasts_s = r.at + r.expires - now;
	return store_presign(s, &r, url, e);
}

static void on_head(void *arg, const char *name, const char *value)
{
	struct store_object *o = arg;

	if (!strcasecmp(name, "content-length")) {
		if (!int_parse(value, strlen(value), INT64_MAX - 10, &o->size))
			o->size = -1;
	} else if (!strcasecmp(name, "content-type") && strlen(value) < sizeof(o->type)) {
		snprintf(o->type, sizeof(o->type), "%s", value);
	} else if (!strcasecmp(name, "x-amz-checksum-sha256") && strlen(value) == SHA256_TEXT) {
		unsigned char sum[SHA256_TEXT];

		/* of an object of parts it is one of their checksums, longer by their number */
		o->has_sha256 = EVP_DecodeBlock(sum, (const unsigned char *)value, SHA256_TEXT) == 33 &&
				value[SHA256_TEXT - 1] == '=';
		if (o->has_sha256)
			memcpy(o->sha256, sum, sizeof(o->sha256));
	}
}

int store_head(const struct store *s, const char *key, struct store_object *o, struct err *e)
{
	struct sigv4_pair mode = {"x-amz-checksum-mode", "ENABLED"};
	struct store_ask q = {
		.method = "HEAD", .key = key, .headers = &mode, .n_headers = 1, .header = on_head, .arg = o};
	struct http_answer a;
	int rc = 0;

	memset(o, 0, sizeof(*o));
	o->size = -1;
	if (store_ask(s, &q, &a, e) < 0)
		return -1;
	if (a.status == 404)
		rc = err_set(e, ERR_UPLOAD_MISSING, NULL, "the store has no such object");
	else if (a.status != 200 || o->size < 0)
		rc = store_refused(&q, &a, e);
	http_answer_release(&a);
	return rc;
}

int store_read(const struct store *s, const char *key, int64_t offset, int64_t n, store_reader read, void *arg,
	       struct err *e)
{
	char range[64];
	struct http_header plain = {"Range", range};
	struct store_ask q = {
		.method = "GET", .key = key, .plain = &plain, .n_plain = offset || n ? 1 : 0, .read = read, .arg = arg};
	struct http_answer a;
	char code[STORE_CODE_SIZE];
	int rc = 0;

	if (n)
		snprintf(range, sizeof(range), "bytes=%lld-%lld", (long long)offset, (long long)(offset + n - 1));
	else
		snprintf(range, sizeof(range), "bytes=%lld-", (long long)offset);
	if (store_ask(s, &q, &a, e) < 0)
		return -1;
	store_code(&a, code);
	if (a.status == 404 && strcmp(code, "NoSuchBucket") != 0)
		rc = err_set(e, ERR_UPLOAD_MISSING, NULL, "the store has no such object");
	else if (a.status != (q.n_plain ? 206 : 200) && a.status != 416 && !(q.n_plain && a.status == 200 && !offset))
		rc = store_refused(&q, &a, e); /* 416: it ends before offset, nothing to read */
	http_answer_release(&a);
	return rc;
}

int store_delete(const struct store *s, const char *key, struct err *e)
{
	struct store_ask q = {.method = "DELETE", .key = key};

	return store_ask_gone(s, &q, e);
}
