/* sigv4: every case of tests/vectors/sigv4-presign.json (another file of that schema: SIGV4_VECTORS); each refusal of
 * the check; and what is signed at random is taken there and refused wherever it was bent. TAP: one line a case. */
#include "lib/store/sigv4.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int tests, wrong;

static void result(bool ok, const char *what, const char *name)
{
	printf("%sok %d - sigv4 %s%s\n", ok ? "" : "not ", ++tests, what, name);
	wrong += !ok;
}

/* The headers that a request is sent with. */
struct sent {
	struct sigv4_pair h[16];
	size_t n;
};

static const char *find(void *arg, const char *name)
{
	const struct sent *s = arg;

	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->h[i].name, name))
			return s->h[i].value;
	return NULL;
}

/* Host and request target of a URL. */
static const char *split(const char *url, char *host, size_t size)
{
	const char *from = strstr(url, "://") + 3;
	size_t n = strcspn(from, "/");

	snprintf(host, size, "%.*s", (int)n, from);
	return from + n;
}

/* "20260115T120000Z" */
static int64_t date(const char *s)
{
	struct tm tm = {0};

	return strptime(s, "%Y%m%dT%H%M%SZ", &tm) ? timegm(&tm) : -1;
}

static size_t pairs_of(json_t *object, struct sigv4_pair *out, size_t max)
{
	const char *name;
	json_t *value;
	size_t n = 0;

	json_object_foreach(object, name, value) if (n < max) out[n++] =
		(struct sigv4_pair){name, json_string_value(value)};
	return n;
}

static const char *text(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

static void check_vector(json_t *one)
{
	json_t *expect = json_object_get(one, "expect");
	struct sigv4_pair headers[16], query[16];
	struct sigv4_credentials k = {text(one, "access_key"), text(one, "secret_key"), text(one, "session_token"),
				      text(one, "region")};
	struct sigv4_request r = {.method = text(one, "method"),
				  .endpoint = text(one, "endpoint"),
				  .path_style = json_is_true(json_object_get(one, "path_style")),
				  .bucket = text(one, "bucket"),
				  .key = text(one, "key"),
				  .headers = headers,
				  .query = query,
				  .at = date(text(one, "date")),
				  .expires = json_integer_value(json_object_get(one, "expires")),
				  .payload_query = json_is_true(json_object_get(one, "content_sha256_query"))};
	AUTO_STRBUF url = {0}, names = {0};
	struct sent sent = {0};
	struct sigv4_arrived in = {.method = r.method, .header = find, .arg = &sent, .now = r.at};
	struct err e = {0};
	char host[512];
	bool ok;

	r.n_headers = pairs_of(json_object_get(one, "signed_headers"), headers, COUNT_OF(headers));
	r.n_query = pairs_of(json_object_get(one, "extra_query"), query, COUNT_OF(query));
	ok = sigv4_presign(&r, &k, &url, &e) == 0 && !strcmp(strbuf_cstr(&url), text(expect, "url"));
	if (!ok)
		printf("# expected %s\n# got      %s %s\n", text(expect, "url"), strbuf_cstr(&url), e.detail);
	if (ok) {
		memcpy(sent.h, headers, sizeof(headers));
		sent.n = r.n_headers;
		in.uri = split(strbuf_cstr(&url), host, sizeof(host));
		in.host = host;
		ok = sigv4_verify(&in, &k, &names) == SIGV4_OK &&
		     !strcmp(strbuf_cstr(&names), text(expect, "signed_headers"));
		if (!ok)
			printf("# the check takes it not\n");
	}
	result(ok, "", text(one, "name"));
}

/* --- the check, refusal by refusal */

#define NOW INT64_C(1800000000)
#define DATE "20270115T080000Z"

static const struct sigv4_credentials keys = {"local", "a secret", NULL, "us-east-1"};
static struct sigv4_pair put_headers[] = {
	{"content-length", "9"}, {"content-type", "image/png"}, {"if-none-match", "*"}};
static const char *const endpoint = "https://files.example.test:8443/s3";

static void presign(struct strbuf *url, int64_t at, int64_t expires)
{
	struct sigv4_request r = {.method = "PUT",
				  .endpoint = endpoint,
				  .path_style = true,
				  .bucket = "pulsechat",
				  .key = "files/ab/k 1+\xc3\xa9.bin",
				  .headers = put_headers,
				  .n_headers = COUNT_OF(put_headers),
				  .at = at,
				  .expires = expires};
	struct err e = {0};

	strbuf_reset(url);
	if (sigv4_presign(&r, &keys, url, &e) < 0)
		abort();
}

/* Replaces the first `from` by `to`. */
static void replace(struct strbuf *b, const char *from, const char *to)
{
	const char *at = strstr(strbuf_cstr(b), from);
	AUTO_STRBUF out = {0};

	if (!at)
		abort();
	strbuf_add(&out, b->p, (size_t)(at - b->p));
	strbuf_adds(&out, to);
	strbuf_adds(&out, at + strlen(from));
	strbuf_reset(b);
	strbuf_add(b, out.p, out.n);
}

struct bent {
	const char *name, *from, *to; /* from NULL: to is put at the end */
	enum sigv4_verdict verdict;
};
static const struct bent bents[] = {
	{"no change", "PUT", "PUT", SIGV4_OK},
	{"same characters written otherwise", "/s3/pulsechat", "/%73%33/pulsech%61t", SIGV4_OK},
	{"lower-case escapes", "%C3%A9", "%c3%a9", SIGV4_OK},
	{"no query", "?", "#", SIGV4_MALFORMED},
	{"algorithm missing", "X-Amz-Algorithm=AWS4-HMAC-SHA256&", "", SIGV4_MALFORMED},
	{"algorithm twice", NULL, "&X-Amz-Algorithm=AWS4-HMAC-SHA256", SIGV4_MALFORMED},
	{"algorithm twice, in other case", NULL, "&x-amz-algorithm=AWS4-HMAC-SHA256", SIGV4_MALFORMED},
	{"another algorithm", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", SIGV4_MALFORMED},
	{"credential missing", "X-Amz-Credential=", "X-Amz-Credentials=", SIGV4_MALFORMED},
	{"credential twice", NULL, "&X-Amz-Credential=local%2F20270115%2Fus-east-1%2Fs3%2Faws4_request",
	 SIGV4_MALFORMED},
	{"another key", "Credential=local", "Credential=other", SIGV4_UNKNOWN_KEY},
	{"a longer key", "Credential=local", "Credential=locals", SIGV4_UNKNOWN_KEY},
	{"a shorter key", "Credential=local", "Credential=loca", SIGV4_UNKNOWN_KEY},
	{"another day in the scope", "%2F20270115", "%2F20270116", SIGV4_MALFORMED},
	{"another region", "us-east-1", "us-east-2", SIGV4_MALFORMED},
	{"another service", "%2Fs3%2F", "%2Fec2%2F", SIGV4_MALFORMED},
	{"a longer scope", "aws4_request", "aws4_request%2Fx", SIGV4_MALFORMED},
	{"a shorter scope", "%2Faws4_request", "", SIGV4_MALFORMED},
	{"date missing", "X-Amz-Date=" DATE "&", "", SIGV4_MALFORMED},
	{"date twice", NULL, "&X-Amz-Date=" DATE, SIGV4_MALFORMED},
	{"no such day", "Date=" DATE, "Date=20270230T080000Z", SIGV4_MALFORMED},
	{"no such hour", "Date=" DATE, "Date=20270115T240000Z", SIGV4_MALFORMED},
	{"a date with a sign", "Date=" DATE, "Date=20270115T-80000Z", SIGV4_MALFORMED},
	{"a date without Z", "Date=" DATE, "Date=20270115T080000", SIGV4_MALFORMED},
	{"a later second", "Date=" DATE, "Date=20270115T080001Z", SIGV4_DIFFERS},
	{"expires missing", "X-Amz-Expires=900&", "", SIGV4_MALFORMED},
	{"expires twice", NULL, "&X-Amz-Expires=900", SIGV4_MALFORMED},
	{"expires 0", "Expires=900", "Expires=0", SIGV4_MALFORMED},
	{"expires -1", "Expires=900", "Expires=-1", SIGV4_MALFORMED},
	{"expires 0900", "Expires=900", "Expires=0900", SIGV4_MALFORMED},
	{"expires 604801", "Expires=900", "Expires=604801", SIGV4_MALFORMED},
	{"expires 604800", "Expires=900", "Expires=604800", SIGV4_DIFFERS},
	{"expires empty", "Expires=900", "Expires=", SIGV4_MALFORMED},
	{"signed headers missing", "X-Amz-SignedHeaders=", "X-Amz-Signed=", SIGV4_MALFORMED},
	{"signed headers twice", NULL, "&X-Amz-SignedHeaders=host", SIGV4_MALFORMED},
	{"host not signed", "%3Bhost", "", SIGV4_MALFORMED},
	{"a header signed twice", "%3Bhost", "%3Bhost%3Bhost", SIGV4_MALFORMED},
	{"headers in another order", "content-length%3Bcontent-type", "content-type%3Bcontent-length", SIGV4_MALFORMED},
	{"an upper-case header", "content-type", "Content-type", SIGV4_MALFORMED},
	{"an empty header", "content-length%3B", "content-length%3B%3B", SIGV4_MALFORMED},
	{"one header less", "content-length%3B", "", SIGV4_DIFFERS},
	{"a header that was not sent", "if-none-match", "if-none-match%3Bx-amz-acl", SIGV4_DIFFERS},
	{"signature missing", "&X-Amz-Signature=", "&X-Amz-Sign=", SIGV4_MALFORMED},
	{"signature twice", NULL, "&X-Amz-Signature=aa", SIGV4_MALFORMED},
	{"a signature of upper-case letters", "Signature=", "Signature=A", SIGV4_MALFORMED},
	{"an empty signature", "X-Amz-Signature=", "X-Amz-Signature=&x=", SIGV4_MALFORMED},
	{"another payload", NULL, "&X-Amz-Content-Sha256=STREAMING-AWS4-HMAC-SHA256-PAYLOAD", SIGV4_MALFORMED},
	{"payload added", NULL, "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD", SIGV4_DIFFERS},
	{"a token where there is none", NULL, "&X-Amz-Security-Token=x", SIGV4_UNKNOWN_KEY},
	{"another x-amz parameter twice", NULL, "&X-Amz-Any=1&x-amz-any=1", SIGV4_MALFORMED},
	{"a parameter added", NULL, "&versionId=1", SIGV4_DIFFERS},
	{"a parameter without a name", NULL, "&=1", SIGV4_MALFORMED},
	{"an empty parameter", NULL, "&&a=1", SIGV4_MALFORMED},
	{"an & at the end", NULL, "&", SIGV4_MALFORMED},
	{"a broken escape in the query", NULL, "&a=%zz", SIGV4_MALFORMED},
	{"a NUL in the query", NULL, "&a=%00", SIGV4_MALFORMED},
	{"another key of the store", "k%201", "k%202", SIGV4_DIFFERS},
	{"plus for a blank", "k%201", "k+1", SIGV4_DIFFERS},
	{"a dot segment", "/files/", "/x/../files/", SIGV4_DIFFERS},
	{"another bucket", "/pulsechat/", "/pulsecat/", SIGV4_DIFFERS},
	{"without the prefix", "/s3/", "/", SIGV4_DIFFERS},
	{"another prefix", "/s3/", "/s4/", SIGV4_DIFFERS},
	{"a slash more", "/s3/", "/s3//", SIGV4_DIFFERS},
	{"a broken escape in the path", "k%201", "k%2", SIGV4_MALFORMED},
	{"an escape that ends the path", ".bin?", ".bin%2?", SIGV4_MALFORMED},
	{"a NUL in the path", "k%201", "k%001", SIGV4_MALFORMED},
};

struct how {
	const char *name, *method, *host;
	int64_t now;
	struct sent sent;
	enum sigv4_verdict verdict;
};

static enum sigv4_verdict ask(const char *url, const struct how *h, struct strbuf *names)
{
	struct sent sent = h && h->sent.n ? h->sent : (struct sent){.n = COUNT_OF(put_headers)};
	char host[512];
	struct sigv4_arrived in = {.method = h && h->method ? h->method : "PUT",
				   .uri = split(url, host, sizeof(host)),
				   .host = h && h->host ? h->host : host,
				   .header = find,
				   .arg = &sent,
				   .now = h && h->now ? h->now : NOW};

	if (!h || !h->sent.n)
		memcpy(sent.h, put_headers, sizeof(put_headers));
	return sigv4_verify(&in, &keys, names);
}

static void check_bents(void)
{
	AUTO_STRBUF url = {0}, names = {0};

	for (size_t i = 0; i < COUNT_OF(bents); i++) {
		const struct bent *b = &bents[i];
		enum sigv4_verdict rc;

		presign(&url, NOW, 900);
		if (!b->from)
			strbuf_adds(&url, b->to);
		else if (strcmp(b->from, b->to) != 0)
			replace(&url, b->from, b->to);
		strbuf_reset(&names);
		rc = ask(strbuf_cstr(&url), NULL, &names);
		if (rc != b->verdict)
			printf("# verdict %d, expected %d\n", (int)rc, (int)b->verdict);
		result(rc == b->verdict && (rc == SIGV4_OK) == (names.n > 0), "refuses: ", b->name);
	}
}

static void check_asked_otherwise(void)
{
	static const struct how hows[] = {
		{.name = "as signed", .verdict = SIGV4_OK},
		{.name = "HEAD by the address of a PUT", .method = "HEAD", .verdict = SIGV4_DIFFERS},
		{.name = "another host", .host = "files.example.test", .verdict = SIGV4_DIFFERS},
		{.name = "the host in upper case", .host = "FILES.example.test:8443", .verdict = SIGV4_OK},
		{.name = "no host", .host = "", .verdict = SIGV4_DIFFERS},
		{.name = "15 min before its date", .now = NOW - 900, .verdict = SIGV4_OK},
		{.name = "over 15 min before its date", .now = NOW - 901, .verdict = SIGV4_EXPIRED},
		{.name = "at its last second", .now = NOW + 900, .verdict = SIGV4_OK},
		{.name = "after its last second", .now = NOW + 901, .verdict = SIGV4_EXPIRED},
		{.name = "another length",
		 .sent = {{{"content-length", "10"}, {"content-type", "image/png"}, {"if-none-match", "*"}}, 3},
		 .verdict = SIGV4_DIFFERS},
		{.name = "another type",
		 .sent = {{{"content-length", "9"}, {"content-type", "text/html"}, {"if-none-match", "*"}}, 3},
		 .verdict = SIGV4_DIFFERS},
		{.name = "without if-none-match",
		 .sent = {{{"content-length", "9"}, {"content-type", "image/png"}}, 2},
		 .verdict = SIGV4_DIFFERS},
		{.name = "a header with a line end",
		 .sent = {{{"content-length", "9\n"}, {"content-type", "image/png"}, {"if-none-match", "*"}}, 3},
		 .verdict = SIGV4_DIFFERS},
		{.name = "a header with blanks around it",
		 .sent = {{{"content-length", " 9 "}, {"content-type", "\timage/png"}, {"if-none-match", "*"}}, 3},
		 .verdict = SIGV4_OK},
	};
	AUTO_STRBUF url = {0};

	for (size_t i = 0; i < COUNT_OF(hows); i++) {
		enum sigv4_verdict rc;

		presign(&url, NOW, 900);
		rc = ask(strbuf_cstr(&url), &hows[i], NULL);
		if (rc != hows[i].verdict)
			printf("# verdict %d, expected %d\n", (int)rc, (int)hows[i].verdict);
		result(rc == hows[i].verdict, "asked ", hows[i].name);
	}
}

/* Each digit of the signature counts. */
static void check_each_digit(void)
{
	AUTO_STRBUF url = {0};
	bool ok = true;

	presign(&url, NOW, 900);
	for (size_t i = 1; i <= 64; i++) {
		char *at = url.p + url.n - i, was = *at;

		*at = was == '0' ? '1' : '0';
		ok = ok && ask(strbuf_cstr(&url), NULL, NULL) == SIGV4_DIFFERS;
		*at = was;
	}
	result(ok && ask(strbuf_cstr(&url), NULL, NULL) == SIGV4_OK, "each digit of the signature counts", "");
}

static void check_token(void)
{
	struct sigv4_credentials with = keys, none = keys;
	struct sigv4_request r = {.method = "GET",
				  .endpoint = "http://127.0.0.1:8080",
				  .path_style = true,
				  .bucket = "b",
				  .key = "k",
				  .at = NOW,
				  .expires = 1};
	struct sent sent = {0};
	struct sigv4_arrived in = {.method = "GET", .host = "127.0.0.1:8080", .header = find, .arg = &sent, .now = NOW};
	AUTO_STRBUF a = {0}, b = {0};
	struct err e = {0};
	char host[64];

	with.session_token = "a/token+with=signs";
	if (sigv4_presign(&r, &with, &a, &e) < 0 || sigv4_presign(&r, &none, &b, &e) < 0)
		abort();
	in.uri = split(strbuf_cstr(&a), host, sizeof(host));
	result(sigv4_verify(&in, &with, NULL) == SIGV4_OK, "a session token is taken", "");
	result(sigv4_verify(&in, &none, NULL) == SIGV4_UNKNOWN_KEY, "a session token where there is none", "");
	with.session_token = "another";
	result(sigv4_verify(&in, &with, NULL) == SIGV4_UNKNOWN_KEY, "another session token", "");
	in.uri = split(strbuf_cstr(&b), host, sizeof(host));
	result(sigv4_verify(&in, &with, NULL) == SIGV4_UNKNOWN_KEY, "no session token where there is one", "");
	with = keys;
	with.secret_key = "another secret";
	result(sigv4_verify(&in, &with, NULL) == SIGV4_DIFFERS, "another secret", "");
}

static void check_sizes(void)
{
	AUTO_STRBUF long_uri = {0};
	struct sent sent = {0};
	struct sigv4_arrived in = {.method = "GET", .host = "h", .header = find, .arg = &sent, .now = NOW};

	strbuf_adds(&long_uri, "/k?");
	for (int i = 0; i < 41; i++)
		strbuf_addf(&long_uri, "%sa%d=", i ? "&" : "", i);
	in.uri = strbuf_cstr(&long_uri);
	result(sigv4_verify(&in, &keys, NULL) == SIGV4_MALFORMED, "too many parameters", "");
	while (long_uri.n < 20000)
		strbuf_addc(&long_uri, 'x');
	in.uri = strbuf_cstr(&long_uri);
	result(sigv4_verify(&in, &keys, NULL) == SIGV4_MALFORMED, "a request target of 20 kB", "");
	in.uri = "/k?a=1";
	in.host = NULL;
	result(sigv4_verify(&in, &keys, NULL) == SIGV4_MALFORMED, "no host", "");
}

/* --- what presigning refuses */

static void refused(struct sigv4_request r, struct sigv4_credentials k, const char *field)
{
	AUTO_STRBUF url = {0};
	struct err e = {0};

	result(sigv4_presign(&r, &k, &url, &e) < 0 && e.code == ERR_BAD_FIELD && !strcmp(e.field, field),
	       "presign refuses: ", field);
}

static void check_presign_refusals(void)
{
	const struct sigv4_request good = {.method = "GET",
					   .endpoint = "https://s3.example.test",
					   .bucket = "b",
					   .key = "k",
					   .at = NOW,
					   .expires = 60};
	static struct sigv4_pair host[] = {{"Host", "x"}}, split_value[] = {{"content-type", "a\r\nb: c"}},
				 name[] = {{"a b", "c"}}, own[] = {{"x-amz-date", "c"}};
	static char long_key[1026];
	struct sigv4_credentials k = keys;

#define WITH(member, v)                         \
	({                                      \
		struct sigv4_request r_ = good; \
		r_.member = v;                  \
		r_;                             \
	})
#define PAIRS(member, v)                        \
	({                                      \
		struct sigv4_request r_ = good; \
		r_.member = v;                  \
		r_.n_##member = 1;              \
		r_;                             \
	})
	memset(long_key, 'k', sizeof(long_key) - 1);
	refused(WITH(method, "GET /"), k, "method");
	refused(WITH(method, ""), k, "method");
	refused(WITH(endpoint, "ftp://h"), k, "endpoint");
	refused(WITH(endpoint, "https://"), k, "endpoint");
	refused(WITH(endpoint, "https://u@h"), k, "endpoint");
	refused(WITH(endpoint, "https://h/a?b"), k, "endpoint");
	refused(WITH(endpoint, "https://h/\xc3\xa9"), k, "endpoint");
	refused(WITH(bucket, ""), k, "bucket");
	refused(WITH(bucket, "a/b"), k, "bucket");
	refused(WITH(key, long_key), k, "key");
	refused(WITH(at, -1), k, "at");
	refused(WITH(at, INT64_C(253402300800)), k, "at");
	refused(WITH(expires, 0), k, "expires");
	refused(WITH(expires, 604801), k, "expires");
	refused(PAIRS(headers, host), k, "headers");
	refused(PAIRS(headers, split_value), k, "headers");
	refused(PAIRS(headers, name), k, "headers");
	refused(PAIRS(query, own), k, "query");
	k.access_key = "";
	refused(good, k, "access_key");
	k = keys;
	k.secret_key = "";
	refused(good, k, "secret_key");
	k = keys;
	k.region = "us east";
	refused(good, k, "region");
}

/* --- at random, from a fixed start */

static uint32_t seed = 20270115;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static char *any_text(char *out, size_t max, int from, int to)
{
	size_t n = 1 + any((uint32_t)max - 1);

	for (size_t i = 0; i < n; i++)
		out[i] = (char)(from + (int)any((uint32_t)(to - from)));
	out[n] = 0;
	return out;
}

/* Whatever is signed is taken, and no more where one byte of it is another. */
static void check_random(void)
{
	char bucket[20], key[200], secret[60], region[20], values[4][40], host[64];
	int bad = 0, bent = 0;

	for (int round = 0; round < 600; round++) {
		struct sigv4_pair query[] = {{"response-content-type", any_text(values[0], 40, 1, 256)},
					     {"partNumber", any_text(values[1], 40, 33, 127)}};
		struct sigv4_pair headers[] = {{"content-type", any_text(values[2], 40, 33, 127)},
					       {"x-amz-checksum-sha256", any_text(values[3], 40, 33, 127)}};
		struct sigv4_credentials k = {"key", any_text(secret, 60, 1, 256), NULL,
					      any_text(region, 20, 'a', 'z')};
		struct sigv4_request r = {.method = any(2) ? "PUT" : "GET",
					  .endpoint = any(2) ? "http://127.0.0.1:9000/a/b/" : "https://s3.test",
					  .path_style = any(2),
					  .bucket = any_text(bucket, 20, 'a', 'z'),
					  .key = any_text(key, 200, 1, 256),
					  .headers = headers,
					  .n_headers = any(3),
					  .query = query,
					  .n_query = any(3),
					  .at = NOW + any(1000000),
					  .expires = 1 + any(604800)};
		struct sent sent = {.n = r.n_headers};
		struct sigv4_arrived in = {.method = r.method,
					   .host = host,
					   .header = find,
					   .arg = &sent,
					   .now = r.at + any((uint32_t)r.expires)};
		AUTO_STRBUF url = {0};
		struct err e = {0};
		char *uri, was;
		size_t at;

		memcpy(sent.h, headers, sizeof(headers));
		if (sigv4_presign(&r, &k, &url, &e) < 0) {
			bad++;
			continue;
		}
		uri = url.p + (split(url.p, host, sizeof(host)) - url.p);
		in.uri = uri;
		bad += sigv4_verify(&in, &k, NULL) != SIGV4_OK;
		at = any((uint32_t)strlen(uri));
		was = uri[at];
		uri[at] = was == 'x' ? 'y' : 'x';
		/* the digits of an escape may be of either case; x is neither */
		bent += sigv4_verify(&in, &k, NULL) == SIGV4_OK;
	}
	result(!bad, "what is signed at random is taken", "");
	result(!bent, "what is bent at random is refused", "");
}

int main(void)
{
	const char *path = getenv("SIGV4_VECTORS") ? getenv("SIGV4_VECTORS") : "tests/vectors/sigv4-presign.json";
	json_error_t error;
	json_t *doc = json_load_file(path, 0, &error), *one;
	size_t i, cases = json_array_size(json_object_get(doc, "cases"));

	if (!doc || !cases) {
		printf("%s: %s\n", path, doc ? "no cases" : error.text);
		json_decref(doc);
		return 2;
	}
	json_array_foreach(json_object_get(doc, "cases"), i, one) check_vector(one);
	json_decref(doc);
	check_bents();
	check_asked_otherwise();
	check_each_digit();
	check_token();
	check_sizes();
	check_presign_refusals();
	check_random();
	printf("1..%d\n", tests);
	return wrong > 0;
}
