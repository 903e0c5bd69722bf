/* http_head: spans into the bytes as they came. */
#include "ws/http_head.h"
#include "lib/base/secret.h"
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GROW 1024

struct part {
	uint16_t at, n;
};

struct http_head {
	char *p;
	size_t n, cap, parsed, end;
	llhttp_t parser;
	struct part target;
	struct part name[HTTP_HEADERS_MAX], value[HTTP_HEADERS_MAX];
	size_t headers;
	unsigned method;
	bool upgrades, too_many, last;
};

_Static_assert(HTTP_HEAD_MAX <= UINT16_MAX, "parts count in 16 bits");

static struct http_head *head_of(llhttp_t *parser)
{
	return parser->data;
}

/* ---- what llhttp tells; a part may come in pieces */

static void extend(struct http_head *h, struct part *part, const char *at, size_t n)
{
	if (!part->n)
		part->at = (uint16_t)(at - h->p);
	part->n = (uint16_t)(part->n + n);
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
	extend(head_of(parser), &head_of(parser)->target, at, n);
	return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
	struct http_head *h = head_of(parser);

	if (h->headers == HTTP_HEADERS_MAX) {
		h->too_many = true;
		return -1;
	}
	extend(h, &h->name[h->headers], at, n);
	return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
	struct http_head *h = head_of(parser);

	extend(h, &h->value[h->headers], at, n);
	return 0;
}

static int on_value_complete(llhttp_t *parser)
{
	head_of(parser)->headers++;
	return 0;
}

/* Leaves the body, and what else comes, unread. */
static int on_whole(llhttp_t *parser)
{
	struct http_head *h = head_of(parser);
	bool has_body = parser->content_length > 0 || (parser->flags & (F_CHUNKED | F_TRANSFER_ENCODING));

	h->method = parser->method;
	h->upgrades = parser->upgrade;
	h->last = has_body || !llhttp_should_keep_alive(parser);
	return 2;
}

static const llhttp_settings_t settings = {
	.on_url = on_url,
	.on_header_field = on_name,
	.on_header_value = on_value,
	.on_header_value_complete = on_value_complete,
	.on_headers_complete = on_whole,
};

/* ---- */

static void begin(struct http_head *h)
{
	llhttp_init(&h->parser, HTTP_REQUEST, &settings);
	h->parser.data = h;
}

struct http_head *http_head_new(void)
{
	struct http_head *h = xcalloc(1, sizeof(*h));

	begin(h);
	return h;
}

void http_head_reset(struct http_head *h)
{
	char *p = h->p;
	size_t cap = h->cap;

	if (p)
		secret_wipe(p, h->n);
	memset(h, 0, sizeof(*h));
	h->p = p;
	h->cap = cap;
	begin(h);
}

void http_head_free(struct http_head **h)
{
	if (!*h)
		return;
	if ((*h)->p)
		secret_wipe((*h)->p, (*h)->n);
	free((*h)->p);
	free(*h);
	*h = NULL;
}

char *http_head_room(struct http_head *h, size_t *n)
{
	if (h->cap - h->n < GROW && h->cap < HTTP_HEAD_MAX) {
		char *wider;

		h->cap = MIN_OF(MAX_OF(h->cap * 2, (size_t)GROW * 2), (size_t)HTTP_HEAD_MAX);
		wider = xmalloc(h->cap);
		if (h->p) {
			memcpy(wider, h->p, h->n);
			secret_wipe(h->p, h->n);
			free(h->p);
		}
		h->p = wider;
	}
	*n = h->cap - h->n;
	return h->p + h->n;
}

void http_head_came(struct http_head *h, size_t n)
{
	h->n += n;
}

bool http_head_full(const struct http_head *h)
{
	return h->n == HTTP_HEAD_MAX;
}

bool http_head_large(const struct http_head *h)
{
	return h->cap > (size_t)GROW * 4;
}

const char *http_head_bytes(const struct http_head *h, size_t *n)
{
	*n = h->n;
	return h->p;
}

enum http_parsed http_head_parse(struct http_head *h)
{
	llhttp_errno_t rc = llhttp_execute(&h->parser, h->p + h->parsed, h->n - h->parsed);

	h->parsed = h->n;
	switch (rc) {
	case HPE_OK:
		return http_head_full(h) ? HTTP_TOO_LARGE : HTTP_MORE;
	case HPE_PAUSED_UPGRADE:
		h->end = (size_t)(llhttp_get_error_pos(&h->parser) - h->p);
		return HTTP_WHOLE;
	default:
		return h->too_many ? HTTP_TOO_LARGE : HTTP_BROKEN;
	}
}

struct http_head *http_head_rest(const struct http_head *h)
{
	struct http_head *rest;

	if (h->end == h->n)
		return NULL;
	rest = http_head_new();
	rest->cap = HTTP_HEAD_MAX;
	rest->p = xmalloc(rest->cap);
	rest->n = h->n - h->end;
	memcpy(rest->p, h->p + h->end, rest->n);
	return rest;
}

/* ---- questions */

bool http_is_get(const struct http_head *h)
{
	return h->method == HTTP_GET;
}

bool http_is_head(const struct http_head *h)
{
	return h->method == HTTP_HEAD;
}

static size_t path_length(const struct http_head *h)
{
	const char *question = memchr(h->p + h->target.at, '?', h->target.n);

	return question ? (size_t)(question - h->p) - h->target.at : h->target.n;
}

bool http_path_is(const struct http_head *h, const char *path)
{
	size_t n = path_length(h);

	return n == strlen(path) && !memcmp(h->p + h->target.at, path, n);
}

const char *http_query(const struct http_head *h, size_t *n)
{
	size_t path = path_length(h);

	*n = path < h->target.n ? h->target.n - path - 1 : 0;
	return h->p + h->target.at + MIN_OF(path + 1, (size_t)h->target.n);
}

static const char *copy(const struct http_head *h, size_t i, char *out, size_t size)
{
	size_t n = h->value[i].n;

	if (n >= size || memchr(h->p + h->value[i].at, 0, n))
		n = 0;
	memcpy(out, h->p + h->value[i].at, n);
	while (n && strchr(" \t", out[n - 1]))
		n--;
	out[n] = 0;
	return out;
}

static bool is_named(const struct http_head *h, size_t i, const char *name, size_t n)
{
	return h->name[i].n == n && !strncasecmp(h->p + h->name[i].at, name, n);
}

const char *http_header(const struct http_head *h, const char *name, char *out, size_t size)
{
	const char *found = NULL;
	size_t n = strlen(name);

	for (size_t i = 0; i < h->headers; i++) {
		if (!is_named(h, i, name, n))
			continue;
		if (found) {
			out[0] = 0;
			return out;
		}
		found = copy(h, i, out, size);
	}
	return found;
}

char *http_header_whole(const struct http_head *h, const char *name, size_t max)
{
	size_t name_n = strlen(name), n = 0;
	char *out;

	for (size_t i = 0; i < h->headers; i++)
		if (is_named(h, i, name, name_n))
			n = MAX_OF(n, (size_t)h->value[i].n + 1);
	if (!n)
		return NULL;
	n = MIN_OF(n, max);
	out = xmalloc(n);
	http_header(h, name, out, n);
	return out;
}

const char *http_header_last(const struct http_head *h, const char *name, char *out, size_t size)
{
	size_t n = strlen(name);

	for (size_t i = h->headers; i-- > 0;)
		if (is_named(h, i, name, n))
			return copy(h, i, out, size);
	return NULL;
}

bool http_upgrades_to(const struct http_head *h, const char *what)
{
	char value[64];

	return h->upgrades && http_header(h, "upgrade", value, sizeof(value)) && !strcasecmp(value, what);
}

bool http_is_last(const struct http_head *h)
{
	return h->last;
}
