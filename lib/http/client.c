/* client: libcurl, one easy handle per exchange. */
#include "lib/http/client.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t pause_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t pause_ends = PTHREAD_COND_INITIALIZER;
static _Atomic bool given_up;

static void start_curl(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool host_is_loopback(const char *host, size_t n)
{
	if (n == 9 && !strncasecmp(host, "localhost", 9))
		return true;
	if (n == 5 && !strncmp(host, "[::1]", 5))
		return true;
	return n >= 9 && n <= 15 && !strncmp(host, "127.", 4) && strspn(host + 4, "0123456789.") == n - 4;
}

static bool url_allowed(const char *url, size_t max)
{
	const char *host;
	size_t n;
	bool tls = !strncmp(url, "https://", 8);

	if (strnlen(url, max + 1) > max || (!tls && strncmp(url, "http://", 7) != 0))
		return false;
	for (const char *p = url; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || strchr("#\\\"<>^`{|}", *p))
			return false;
	host = strstr(url, "://") + 3;
	n = strcspn(host, "/?");
	if (!n || memchr(host, '@', n))
		return false;
	if (host[0] == '[')
		return memchr(host, ']', n) && (tls || host_is_loopback(host, strcspn(host, "]") + 1));
	n = strcspn(host, ":/?");
	return n && (tls || host_is_loopback(host, n));
}

bool http_url_allowed(const char *url)
{
	return url_allowed(url, HTTP_URL_MAX);
}

void http_prepare(void)
{
	pthread_once(&once, start_curl);
}

struct exchange {
	const struct http_request *q;
	struct http_answer *a;
	CURL *h;
	bool stopped; /* by the sink */
};

void http_give_up(void)
{
	pthread_mutex_lock(&pause_lock);
	given_up = true;
	pthread_cond_broadcast(&pause_ends);
	pthread_mutex_unlock(&pause_lock);
}

bool http_pause(int64_t ms)
{
	struct timespec until;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	pthread_mutex_lock(&pause_lock);
	while (!given_up && rc == 0)
		rc = pthread_cond_clockwait(&pause_ends, &pause_lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&pause_lock);
	return !given_up;
}

/* libcurl asks once a second at least. */
static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	(void)arg;
	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return given_up;
}

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct http_answer *a = x->a;
	long status = 0;

	if (x->q->sink) {
		curl_easy_getinfo(x->h, CURLINFO_RESPONSE_CODE, &status);
		if (status / 100 == 2) {
			x->stopped = !x->q->sink(x->q->arg, (const uint8_t *)p, size * n);
			return x->stopped ? 0 : size * n;
		}
	}
	strbuf_add(&a->body, p, size * n);
	return a->body.failed ? 0 : size * n;
}

static bool header_is(const char *p, size_t n, const char *name, char *value, size_t size)
{
	size_t name_n = strlen(name), from, to = n;

	if (n <= name_n || strncasecmp(p, name, name_n) != 0 || p[name_n] != ':')
		return false;
	for (from = name_n + 1; from < to && (p[from] == ' ' || p[from] == '\t'); from++)
		;
	while (to > from && (p[to - 1] == '\r' || p[to - 1] == '\n' || p[to - 1] == ' '))
		to--;
	if (to - from >= size)
		return false;
	memcpy(value, p + from, to - from);
	value[to - from] = 0;
	return true;
}

/* Seconds up to ten years. */
static int64_t seconds(const char *s)
{
	char *end;
	long v = strtol(s, &end, 10);

	return end == s || v < 0 ? -1 : MIN_OF(v, 315360000L);
}

static void tell_header(const struct http_request *q, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	char name[64], value[1025];

	if (!colon || (size_t)(colon - p) >= sizeof(name))
		return;
	snprintf(name, sizeof(name), "%.*s", (int)(colon - p), p);
	if (header_is(p, n, name, value, sizeof(value)))
		q->header(q->arg, name, value);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;
	struct http_answer *a = x->a;
	char value[256];

	n *= size;
	if (x->q->header)
		tell_header(x->q, p, n);
	if (header_is(p, n, "cache-control", value, sizeof(value))) {
		const char *age = strcasestr(value, "max-age=");

		if (strcasestr(value, "no-store") || strcasestr(value, "no-cache"))
			a->max_age_ms = 0;
		else if (age && seconds(age + 8) >= 0)
			a->max_age_ms = seconds(age + 8) * 1000;
	} else if (header_is(p, n, "retry-after", value, sizeof(value)) && seconds(value) > 0) {
		a->retry_after_ms = seconds(value) * 1000;
	} else if (header_is(p, n, "date", value, sizeof(value))) {
		a->date_s = MAX_OF((int64_t)curl_getdate(value, NULL), (int64_t)0);
	}
	header_is(p, n, "location", a->location, sizeof(a->location));
	return n;
}

static bool surely_unsent(CURLcode rc)
{
	return rc == CURLE_COULDNT_RESOLVE_HOST || rc == CURLE_COULDNT_RESOLVE_PROXY || rc == CURLE_COULDNT_CONNECT ||
	       rc == CURLE_SSL_CONNECT_ERROR || rc == CURLE_PEER_FAILED_VERIFICATION;
}

static struct curl_slist *headers_of(const struct http_request *q)
{
	struct curl_slist *list = curl_slist_append(NULL, q->as_is ? "Accept: */*" : "Accept: application/json");
	AUTO_STRBUF line = {0};

	if (q->body || q->type) {
		strbuf_addf(&line, "Content-Type:%s%s", q->type ? " " : "", q->type ? q->type : "");
		list = curl_slist_append(list, strbuf_cstr(&line));
		list = curl_slist_append(list, "Expect:");
	}
	for (size_t i = 0; i < q->n_headers; i++) {
		strbuf_reset(&line);
		strbuf_addf(&line, "%s: %s", q->headers[i].name, q->headers[i].value);
		list = curl_slist_append(list, strbuf_cstr(&line));
	}
	return list;
}

static void set_times(CURL *h, const struct http_request *q)
{
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)(q->connect_ms ? q->connect_ms : q->timeout_ms));
	if (!q->stall_ms)
		return;
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)(q->stall_ms / 1000));
}

static void set_request(CURL *h, const struct http_request *q)
{
	curl_easy_setopt(h, CURLOPT_URL, q->url);
	curl_easy_setopt(h, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L); /* a name that is being looked up is not waited for */
	curl_easy_setopt(h, CURLOPT_USERAGENT, "PulseChat");
	if (!q->as_is) /* what curl can undo; the ceiling counts what comes out */
		curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
	if (q->body) {
		curl_easy_setopt(h, CURLOPT_POST, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_n);
	}
	if (q->method && !strcmp(q->method, "HEAD"))
		curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
	else if (q->method)
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
	if (q->user) {
		curl_easy_setopt(h, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(h, CURLOPT_USERNAME, q->user);
		curl_easy_setopt(h, CURLOPT_PASSWORD, q->password ? q->password : "");
	}
	set_times(h, q);
}

/* A query may be a credential. */
static const char *url_quote(const char *url)
{
	char shown[256];

	snprintf(shown, sizeof(shown), "%.*s", (int)strcspn(url, "?"), url);
	return log_quote(shown);
}

int http_fetch(const struct http_request *q, struct http_answer *a, struct err *e)
{
	struct exchange x = {.q = q, .a = a};
	struct curl_slist *headers;
	char why[CURL_ERROR_SIZE] = "";
	CURLcode rc;
	long status = 0;

	memset(a, 0, sizeof(*a));
	a->max_age_ms = -1;
	a->body.max = q->max_bytes;
	if (!url_allowed(q->url, HTTP_URL_SIGNED_MAX)) {
		a->unsent = true;
		log_error("http.refused", "url=%s why=\"neither https nor loopback\"", url_quote(q->url));
		return err_set(e, ERR_UNAVAILABLE, NULL, "this address may not be asked");
	}
	http_prepare();
	x.h = curl_easy_init();
	if (!x.h)
		abort();
	/* one piece from the start: a buffer that grows would leave copies of tokens behind */
	a->body.p = xmalloc(q->max_bytes + 1);
	a->body.cap = q->max_bytes + 1;
	a->body.p[0] = 0;
	set_request(x.h, q);
	curl_easy_setopt(x.h, CURLOPT_ERRORBUFFER, why);
	curl_easy_setopt(x.h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(x.h, CURLOPT_WRITEDATA, &x);
	curl_easy_setopt(x.h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x.h, CURLOPT_HEADERDATA, &x);
	headers = headers_of(q);
	curl_easy_setopt(x.h, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(x.h);
	curl_easy_getinfo(x.h, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(x.h);
	a->status = (int)status;
	if (rc == CURLE_OK || x.stopped)
		return 0;
	a->unsent = surely_unsent(rc);
	log_warning("http.failed", "url=%s why=%s", url_quote(q->url),
		    log_quote(a->body.failed                    ? "the answer is too large"
			      : rc == CURLE_ABORTED_BY_CALLBACK ? "this process stops"
			      : why[0]                          ? why
								: curl_easy_strerror(rc)));
	return err_set(e, ERR_UNAVAILABLE, NULL, "%s",
		       rc == CURLE_OPERATION_TIMEDOUT ? "no answer in time"
		       : a->body.failed               ? "the answer is too large"
						      : "no connection, or it was cut short");
}

void http_answer_release(struct http_answer *a)
{
	if (a->body.p)
		secret_wipe(a->body.p, a->body.cap);
	strbuf_release(&a->body);
}

void http_form_encode(struct strbuf *b, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._*", c))
			strbuf_addc(b, (char)c);
		else if (c == ' ')
			strbuf_addc(b, '+');
		else
			strbuf_addf(b, "%%%02X", c);
	}
}

void http_form_add(struct strbuf *b, const char *name, const char *value)
{
	if (b->n && b->p[b->n - 1] != '?')
		strbuf_addc(b, '&');
	http_form_encode(b, name);
	strbuf_addc(b, '=');
	http_form_encode(b, value);
}
