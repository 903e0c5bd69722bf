/* request: from CGI variables to something that a handler can trust. */
#include "fcgi/request.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/rand.h"
#include "lib/json/jx.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum method method;
	bool head;
} methods[] = {
	{"GET", METHOD_GET, false},         {"HEAD", METHOD_GET, true},     {"POST", METHOD_POST, false},
	{"PUT", METHOD_PUT, false},         {"PATCH", METHOD_PATCH, false}, {"DELETE", METHOD_DELETE, false},
	{"OPTIONS", METHOD_OPTIONS, false},
};

const char *request_env(const struct request *q, const char *name)
{
	size_t n = strlen(name);

	for (char **v = q->env; *v; v++)
		if (!strncmp(*v, name, n) && (*v)[n] == '=')
			return *v + n + 1;
	return NULL;
}

const char *request_query(const struct request *q, const char *name)
{
	for (size_t i = 0; i < q->queries; i++)
		if (!strcmp(q->query[i].name, name))
			return q->query[i].value;
	return NULL;
}

int request_query_int(const struct request *q, const char *name, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	const char *s = request_query(q, name);
	int64_t v;

	if (!s)
		return 0;
	if (!int_parse(s, strlen(s), max, &v) || v < min)
		return err_set(e, ERR_BAD_FIELD, name, "expected a whole number from %lld to %lld", (long long)min,
			       (long long)max);
	*out = v;
	return 0;
}

int request_query_ids(const struct request *q, const char *name, int64_t *ids, size_t max, size_t *n, struct err *e)
{
	const char *text = request_query(q, name);

	*n = 0;
	while (text && *text) {
		size_t len = strcspn(text, ",");

		if (*n == max)
			return err_set(e, ERR_BAD_FIELD, name, "at most %zu ids", max);
		if (!int_parse(text, len, REQUEST_NUMBER_MAX, &ids[(*n)++]))
			return err_set(e, ERR_BAD_FIELD, name, "expected ids with commas between");
		text += len;
		if (*text == ',' && !*++text)
			return err_set(e, ERR_BAD_FIELD, name, "expected ids with commas between");
	}
	return 0;
}

int request_limit(const struct request *q, int64_t initial, int64_t *out, struct err *e)
{
	*out = MIN_OF(initial, q->config->limits.page);
	return request_query_int(q, "limit", 1, q->config->limits.page, out, e);
}

static void find_method(struct request *q)
{
	const char *name = request_env(q, "REQUEST_METHOD");

	q->method = METHOD_OTHER;
	q->method_name = name ? name : "";
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (!strcmp(q->method_name, methods[i].name)) {
			q->method = methods[i].method;
			q->head = methods[i].head;
		}
}

int request_parse(struct request *q, struct err *e)
{
	unsigned char random[8];
	const char *uri = request_env(q, "REQUEST_URI");
	const char *question;
	size_t n, path_n;

	rand_bytes(random, sizeof(random));
	hex_encode(q->id, random, sizeof(random));
	q->path = "";
	find_method(q);
	q->client_known = peer_find(q->config->api.trusted_proxies, request_env(q, "REMOTE_ADDR"),
				    request_env(q, "HTTP_X_FORWARDED_FOR"), q->client);
	if (!uri)
		return err_set(e, ERR_BAD_REQUEST, NULL, "the web server gave no REQUEST_URI");
	n = strnlen(uri, REQUEST_URI_MAX + 1);
	if (n > REQUEST_URI_MAX)
		return err_set(e, ERR_BAD_REQUEST, NULL, "the request target is over %zu bytes", REQUEST_URI_MAX);
	/* the absolute form, which proxies use */
	if (!strncasecmp(uri, "http://", 7) || !strncasecmp(uri, "https://", 8)) {
		const char *slash = strchr(strstr(uri, "://") + 3, '/');

		uri = slash ? slash : "/";
		n = strlen(uri);
	}
	question = memchr(uri, '?', n);
	path_n = question ? (size_t)(question - uri) : n;
	q->path = arena_strndup(q->arena, uri, path_n);
	if (memchr(uri, '#', n))
		return err_set(e, ERR_BAD_REQUEST, NULL, "a request target has no fragment");
	if (uri_path(q->arena, uri, path_n, q->segment, COUNT_OF(q->segment), &q->segments, e) < 0)
		return -1;
	return question
		       ? uri_query(q->arena, question + 1, n - path_n - 1, q->query, COUNT_OF(q->query), &q->queries, e)
		       : 0;
}

void request_release(struct request *q)
{
	jx_free(&q->json);
}

static int cut_short(struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, NULL, "the body ended before its Content-Length");
}

/* CONTENT_LENGTH is empty or absent where there is no body, or (FastCGI alone) where its length is not known. */
int request_read_body(struct request *q, size_t limit, struct err *e)
{
	const char *length = request_env(q, "CONTENT_LENGTH");
	int64_t expected = -1;
	size_t room, n = 0;
	char *p;

	if (length && *length && !int_parse(length, strnlen(length, 20), INT64_MAX, &expected))
		return err_set(e, ERR_BAD_REQUEST, NULL, "Content-Length is not a number");
	if (expected > (int64_t)limit)
		return err_set(e, ERR_TOO_LARGE, NULL, "the body is over %zu bytes", limit);
	q->body = (struct span){"", 0};
	if (expected == 0)
		return 0;
	room = expected > 0 ? (size_t)expected : limit + 1;
	p = arena_alloc(q->arena, room);
	while (n < room) {
		long got = q->io->read(q->io->ctx, p + n, room - n);

		if (got < 0)
			return cut_short(e);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	if (n > limit)
		return err_set(e, ERR_TOO_LARGE, NULL, "the body is over %zu bytes", limit);
	if (expected > 0 && n < (size_t)expected)
		return cut_short(e);
	q->body = (struct span){p, n};
	return 0;
}

const char *request_address(const struct request *q)
{
	return q->client_known ? q->client : "";
}

struct origin_request request_origin(const struct request *q, enum origin_kind kind)
{
	return (struct origin_request){
		.kind = kind,
		.method = q->method_name,
		.by_cookie = q->by_cookie,
		.origin = request_env(q, "HTTP_ORIGIN"),
		.sec_fetch_site = request_env(q, "HTTP_SEC_FETCH_SITE"),
		.client = request_env(q, "HTTP_PULSECHAT_CLIENT"),
	};
}

struct acting request_acting(const struct request *q)
{
	return (struct acting){
		.user = q->session.user,
		.admin = (q->session.scopes & SCOPE_ADMIN) != 0,
		.request = q->id,
		.address = q->client,
	};
}
