/* fetch: libcurl, a handle and a connection of its own for each hop, so that each is judged by itself: its URL before
 * it is asked, its address where the socket is made. A name that answers otherwise the second time (DNS rebinding)
 * changes nothing: what is judged is what is connected to. */
#include "lib/preview/fetch.h"
#include "lib/base/clock.h"
#include "lib/http/client.h"
#include <ctype.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define HEAD_MAX ((size_t)64 << 10)

struct hop {
	const struct fetch *f;
	struct fetched *out;
	CURL *h;
	size_t head;
	bool refused, whole; /* whole: as much as is wanted */
};

static bool part_of(CURLU *u, CURLUPart what, unsigned flags, char *to, size_t size)
{
	char *s = NULL;
	bool ok = curl_url_get(u, what, &s, flags) == CURLUE_OK && s && strlen(s) < size;

	if (ok)
		memcpy(to, s, strlen(s) + 1);
	curl_free(s);
	return ok;
}

/* By curl's own parser: what is judged is what it asks. */
static const char *judge(const struct guard *g, CURLU *u, char host[FETCH_HOST_MAX])
{
	char scheme[16], port[16], user[8];
	char *s = NULL;
	CURLUcode rc;

	if (!part_of(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) ||
	    (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
		return "scheme";
	rc = curl_url_get(u, CURLUPART_USER, &s, 0);
	curl_free(s);
	if (rc != CURLUE_NO_USER || part_of(u, CURLUPART_PASSWORD, 0, user, sizeof(user)))
		return "user in the address";
	if (!part_of(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) ||
	    !guard_port(g, (int)strtol(port, NULL, 10)))
		return "port";
	if (!part_of(u, CURLUPART_HOST, 0, host, FETCH_HOST_MAX) || !*host)
		return "host";
	for (char *p = host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return NULL;
}

bool fetch_host(const struct guard *g, const char *url, char host[FETCH_HOST_MAX])
{
	CURLU *u = curl_url();
	bool ok = u && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && !judge(g, u, host);

	curl_url_cleanup(u);
	return ok;
}

static curl_socket_t on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct hop *p = arg;

	if (purpose != CURLSOCKTYPE_IPCXN || !guard_address(p->f->guard, &a->addr)) {
		p->refused = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int on_progress(void *arg, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
	const struct hop *p = arg;

	(void)down_all;
	(void)down;
	(void)up_all;
	(void)up;
	return !p->f->go_on(p->f->arg);
}

static size_t on_header(char *s, size_t size, size_t n, void *arg)
{
	struct hop *p = arg;

	(void)s;
	p->head += n * size;
	return p->head > HEAD_MAX ? 0 : n * size;
}

/* "text/html; charset=utf-8" */
static bool is_html(const char *type, char *charset, size_t size)
{
	size_t n = type ? strcspn(type, "; \t") : 0;
	const char *c;

	*charset = 0;
	if (!(n == 9 && !strncasecmp(type, "text/html", 9)) &&
	    !(n == 21 && !strncasecmp(type, "application/xhtml+xml", 21)))
		return false;
	c = strcasestr(type, "charset=");
	if (c) {
		c += 8 + (c[8] == '"');
		snprintf(charset, size, "%.*s",
			 (int)strspn(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:."), c);
	}
	return true;
}

/* What comes out of the unpacking is counted, piece by piece: a bomb is not unpacked further than that. */
static size_t on_body(char *s, size_t size, size_t n, void *arg)
{
	struct hop *p = arg;
	struct strbuf *b = &p->out->html;
	const char *type = NULL;
	long status = 0;

	n *= size;
	curl_easy_getinfo(p->h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p->h, CURLINFO_CONTENT_TYPE, &type);
	if (status != 200 || !is_html(type, p->out->charset, sizeof(p->out->charset)))
		return 0;
	n = MIN_OF(n, p->f->max_bytes - b->n);
	strbuf_add(b, s, n);
	p->whole = b->n == p->f->max_bytes;
	return p->whole ? 0 : n;
}

static void set_up(struct hop *p, CURLU *u, int64_t ms)
{
	CURL *h = p->h;

	curl_easy_setopt(h, CURLOPT_CURLU, u);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_PROXY,
			 ""); /* not by the environment's either: a proxy would look names up by itself */
	curl_easy_setopt(h, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, (long)ms);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, (long)ms);
	curl_easy_setopt(h, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(h, CURLOPT_USERAGENT, "PulseChat (link preview)");
	curl_easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(h, CURLOPT_OPENSOCKETDATA, p);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, p);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, p);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, p);
}

/* One hop. *next: where it redirects to, else NULL; curl_free()d by the caller. True: there is a page. */
static bool hop(const struct fetch *f, CURLU *u, int64_t ms, struct fetched *out, char **next)
{
	struct hop p = {.f = f, .out = out, .h = curl_easy_init()};
	struct curl_slist *headers = curl_slist_append(NULL, "Accept: text/html,application/xhtml+xml");
	const char *to = NULL, *type = NULL;
	long status = 0;
	CURLcode rc;

	*next = NULL;
	if (!p.h || !headers)
		abort();
	set_up(&p, u, ms);
	curl_easy_setopt(p.h, CURLOPT_HTTPHEADER, headers);
	rc = curl_easy_perform(p.h);
	curl_easy_getinfo(p.h, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(p.h, CURLINFO_REDIRECT_URL, &to);
	curl_easy_getinfo(p.h, CURLINFO_CONTENT_TYPE, &type);
	if (p.refused && status == 0)
		out->why = "address";
	else if (status >= 300 && status < 400 && to)
		*next = strdup(to);
	else if (status != 200)
		out->why = status ? "status" : rc == CURLE_OPERATION_TIMEDOUT ? "time" : "no answer";
	else if (!is_html(type, out->charset, sizeof(out->charset)))
		out->why = "type";
	else if (rc != CURLE_OK && !p.whole)
		out->why = rc == CURLE_OPERATION_TIMEDOUT ? "time" : p.head > HEAD_MAX ? "head" : "cut short";
	else if (!out->html.n)
		out->why = "empty";
	else
		out->why = NULL;
	curl_slist_free_all(headers);
	curl_easy_cleanup(p.h);
	return !*next && !out->why;
}

bool fetch_page(const struct fetch *f, const char *url, struct fetched *out)
{
	int64_t until = clock_mono_ms() + f->timeout_ms;
	CURLU *u;
	bool ok = false;
	char *next = NULL;

	memset(out, 0, sizeof(*out));
	http_prepare();
	u = curl_url();
	if (!u)
		abort();
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
		out->why = "address";
	for (int hops = 0; !out->why; hops++) {
		int64_t left = until - clock_mono_ms();

		out->why = hops > FETCH_REDIRECTS_MAX ? "redirects"
			   : left <= 0                ? "time"
						      : judge(f->guard, u, out->host);
		if (out->why)
			break;
		ok = hop(f, u, left, out, &next);
		if (!next)
			break;
		strbuf_reset(&out->html);
		if (strlen(next) > HTTP_URL_MAX || curl_url_set(u, CURLUPART_URL, next, 0) != CURLUE_OK)
			out->why = "redirect";
		free(next);
		next = NULL;
	}
	curl_url_cleanup(u);
	return ok;
}

void fetched_release(struct fetched *out)
{
	strbuf_release(&out->html);
}
