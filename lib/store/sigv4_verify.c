/* sigv4_verify: whether a request that arrived bears a signature that holds. The path and the query are decoded and
 * encoded again, so that what is signed is what they mean, however a proxy has written it. */
#include "lib/base/codec.h"
#include "lib/http/uri.h"
#include "lib/store/sigv4_private.h"
#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define URI_MAX ((size_t)16 << 10)
#define FUTURE_MAX 900 /* seconds */

struct arrived {
	struct sigv4_canonical c;
	const char *algorithm, *credential, *date, *expires, *names, *signature, *payload, *token;
};

/* Decoded; NULL where it is broken. */
static char *decoded(struct arena *a, const char *s, size_t n)
{
	char *copy = arena_strndup(a, s, n);

	return percent_decode(copy, &n, false) ? copy : NULL;
}

static const char *encoded(struct arena *a, const char *s, bool path)
{
	AUTO_STRBUF b = {.max = 3 * URI_MAX};

	if (path)
		sigv4_path_add(&b, s);
	else
		uri_encode(&b, s, strlen(s));
	return arena_strndup(a, strbuf_cstr(&b), b.n);
}

/* Keeps what the signature itself is told by; false where it is there twice, in whatever case. */
static bool take(struct arrived *v, const char *name, const char *value)
{
	const struct {
		const char *name;
		const char **to;
	} known[] = {{"X-Amz-Algorithm", &v->algorithm},
		     {"X-Amz-Credential", &v->credential},
		     {"X-Amz-Date", &v->date},
		     {"X-Amz-Expires", &v->expires},
		     {"X-Amz-SignedHeaders", &v->names},
		     {"X-Amz-Signature", &v->signature},
		     {"X-Amz-Content-Sha256", &v->payload},
		     {"X-Amz-Security-Token", &v->token}};

	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!strcasecmp(known[i].name, name)) {
			if (*known[i].to || strcmp(known[i].name, name) != 0)
				return false;
			*known[i].to = value;
		}
	return true;
}

static bool read_query(struct arrived *v, struct arena *a, const char *q)
{
	while (*q) {
		size_t n = strcspn(q, "&"), equals = strcspn(q, "=");
		const char *name, *value;

		if (!n)
			return false;
		equals = MIN_OF(equals, n);
		name = decoded(a, q, equals);
		value = decoded(a, q + equals + (equals < n), n - equals - (equals < n));
		if (!name || !name[0] || !value || !take(v, name, value))
			return false;
		if (strcmp(name, "X-Amz-Signature") != 0) {
			if (v->c.n_query == SIGV4_QUERY_MAX)
				return false;
			for (size_t i = 0; i < v->c.n_query; i++)
				if (!strncasecmp(name, "x-amz-", 6) && !strcasecmp(v->c.query[i].name, name))
					return false;
			v->c.query[v->c.n_query++] =
				(struct sigv4_pair){encoded(a, name, false), encoded(a, value, false)};
		}
		q += n;
		if (*q && !*++q)
			return false; /* an & at the end */
	}
	return true;
}

/* The signed headers with what they were sent with. False: broken, or without host; *missing: one was not sent. */
static bool read_headers(struct arrived *v, struct arena *a, const struct sigv4_arrived *in, bool *missing)
{
	const char *last = "";
	bool host = false;

	for (const char *p = v->names;; p++) {
		size_t n = strcspn(p, ";");
		char *name = arena_strndup(a, p, n);
		const char *value;

		/* one order, and each name once */
		if (!n || v->c.n_headers == SIGV4_HEADERS_MAX || strcmp(name, last) <= 0)
			return false;
		for (const char *l = name; *l; l++)
			if (!islower((unsigned char)*l) && !isdigit((unsigned char)*l) && !strchr("-_", *l))
				return false;
		if (!strcmp(name, "host")) {
			char *lower = arena_strdup(a, in->host);

			for (char *l = lower; *l; l++)
				*l = (char)tolower((unsigned char)*l);
			host = true;
			value = lower;
		} else {
			value = in->header(in->arg, name);
		}
		if (!value || strlen(value) > URI_MAX || strchr(value, '\n')) {
			*missing = true;
			value = "";
		}
		v->c.headers[v->c.n_headers++] = (struct sigv4_pair){name, sigv4_header_value(a, value)};
		last = name;
		p += n;
		if (!*p)
			return host;
	}
}

/* "20260115T120000Z", a day and a time that exist. */
static bool read_date(const char *s, int64_t *at)
{
	static const int places[][2] = {{0, 4}, {4, 2}, {6, 2}, {9, 2}, {11, 2}, {13, 2}};
	int v[COUNT_OF(places)];
	struct tm tm = {0}, back;
	time_t t;

	if (strlen(s) != SIGV4_DATE_SIZE - 1 || s[8] != 'T' || s[15] != 'Z')
		return false;
	for (size_t i = 0; i < COUNT_OF(places); i++) {
		v[i] = 0;
		for (int k = 0; k < places[i][1]; k++) {
			char c = s[places[i][0] + k];

			if (c < '0' || c > '9')
				return false;
			v[i] = v[i] * 10 + (c - '0');
		}
	}
	tm.tm_year = v[0] - 1900;
	tm.tm_mon = v[1] - 1;
	tm.tm_mday = v[2];
	tm.tm_hour = v[3];
	tm.tm_min = v[4];
	tm.tm_sec = v[5];
	back = tm;
	t = timegm(&back);
	*at = t;
	return t >= 0 && back.tm_mon == tm.tm_mon && back.tm_mday == tm.tm_mday && back.tm_hour == tm.tm_hour &&
	       back.tm_min == tm.tm_min && back.tm_sec == tm.tm_sec;
}

/* The scope is exactly ours of that day. */
static enum sigv4_verdict check_scope(const struct arrived *v, struct arena *a, const struct sigv4_credentials *k)
{
	size_t n = strcspn(v->credential, "/");
	const char *want = arena_printf(a, "/%.8s/%s/s3/aws4_request", v->date, k->region);

	if (strcmp(v->credential + n, want) != 0)
		return SIGV4_MALFORMED;
	return n == strlen(k->access_key) && !strncmp(v->credential, k->access_key, n) ? SIGV4_OK : SIGV4_UNKNOWN_KEY;
}

static enum sigv4_verdict verify(struct arena *a, const struct sigv4_arrived *in, const struct sigv4_credentials *k,
				 struct strbuf *signed_names)
{
	struct arrived v = {.c = {.method = in->method}};
	const char *query = strchr(in->uri, '?'), *path;
	bool has_token = k->session_token && k->session_token[0], missing = false;
	int64_t at, expires;
	char signature[65];
	enum sigv4_verdict rc;

	if (!query || in->uri[0] != '/')
		return SIGV4_MALFORMED;
	path = decoded(a, in->uri, (size_t)(query - in->uri));
	if (!path || !read_query(&v, a, query + 1))
		return SIGV4_MALFORMED;
	if (!v.algorithm || !v.credential || !v.date || !v.expires || !v.names || !v.signature ||
	    strcmp(v.algorithm, SIGV4_ALGORITHM) != 0 || (v.payload && strcmp(v.payload, SIGV4_PAYLOAD) != 0) ||
	    !read_date(v.date, &at) || !int_parse(v.expires, strlen(v.expires), SIGV4_EXPIRES_MAX, &expires) ||
	    expires < 1 || strlen(v.signature) != 64 || strspn(v.signature, "0123456789abcdef") != 64 ||
	    !read_headers(&v, a, in, &missing))
		return SIGV4_MALFORMED;
	rc = check_scope(&v, a, k);
	if (rc != SIGV4_OK)
		return rc;
	if ((v.token != NULL) != has_token || (has_token && strcmp(v.token, k->session_token) != 0))
		return SIGV4_UNKNOWN_KEY;
	if (at - in->now > FUTURE_MAX || in->now > at + expires)
		return SIGV4_EXPIRED;
	v.c.date = v.date;
	v.c.path = encoded(a, path, true);
	if (missing || !sigv4_sign(&v.c, k, signature) || !equal_const_time(signature, v.signature, 64))
		return SIGV4_DIFFERS;
	if (signed_names)
		strbuf_adds(signed_names, v.names);
	return SIGV4_OK;
}

enum sigv4_verdict sigv4_verify(const struct sigv4_arrived *in, const struct sigv4_credentials *k,
				struct strbuf *signed_names)
{
	enum sigv4_verdict rc;
	struct arena *a;

	if (strnlen(in->uri, URI_MAX + 1) > URI_MAX || !in->host || strnlen(in->host, 512) == 512)
		return SIGV4_MALFORMED;
	a = arena_new((size_t)2 << 20);
	rc = verify(a, in, k, signed_names);
	arena_free(&a);
	return rc;
}
