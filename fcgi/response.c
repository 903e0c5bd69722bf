/* response: headers in the form that CGI and FastCGI share. */
#include "fcgi/response.h"
#include "fcgi/request.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/http/etag.h"
#include "lib/http/headers.h"
#include "lib/http/problem.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RESPONSE_HEADERS_MAX ((size_t)32 << 10)
#define RESPONSE_VALUE_MAX 1024 /* of response_headerf */

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{409, "Conflict"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{422, "Unprocessable Content"},
	{426, "Upgrade Required"},
	{429, "Too Many Requests"},
	{500, "Internal Server Error"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
};

static void set_initial(struct response *r)
{
	r->status = 200;
	r->type = "application/json";
	r->cache_control = headers_api.cache_control;
	r->policy = headers_api.policy;
	r->referrer = headers_api.referrer;
}

void response_init(struct response *r)
{
	memset(r, 0, sizeof(*r));
	r->headers.max = RESPONSE_HEADERS_MAX;
	r->body.max = RESPONSE_BODY_MAX;
	set_initial(r);
}

void response_release(struct response *r)
{
	strbuf_release(&r->headers);
	strbuf_release(&r->body);
}

void response_restart(struct response *r)
{
	strbuf_reset(&r->headers);
	strbuf_reset(&r->body);
	set_initial(r);
}

void response_header(struct response *r, const char *name, const char *value)
{
	if (strpbrk(name, "\r\n:") || strpbrk(value, "\r\n")) {
		log_error("response.bad_header", "name=%s", log_quote(name));
		return;
	}
	strbuf_addf(&r->headers, "%s: %s\r\n", name, value);
}

void response_headerf(struct response *r, const char *name, const char *fmt, ...)
{
	char value[RESPONSE_VALUE_MAX];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value)) {
		log_error("response.long_header", "name=%s", log_quote(name));
		return;
	}
	response_header(r, name, value);
}

void response_cookie(struct response *r, const struct config *c, enum cookie which, const char *value,
		     int64_t max_age_ms)
{
	struct strbuf b = {.max = 512};

	cookie_set(&b, c, which, value, max_age_ms / 1000);
	response_header(r, "Set-Cookie", strbuf_cstr(&b));
	if (b.p)
		secret_wipe(b.p, b.cap);
	strbuf_release(&b);
}

void response_redirect(struct response *r, int status, const char *location)
{
	r->status = status;
	strbuf_reset(&r->body);
	response_header(r, "Location", location);
}

void response_lead(struct response *r, const char *location)
{
	strbuf_adds(&r->body, "{\"redirect\":");
	strbuf_add_json(&r->body, location, strlen(location));
	strbuf_addc(&r->body, '}');
}

void response_problem(struct response *r, const struct err *e, const char *request_id)
{
	response_restart(r);
	r->status = err_status(e->code);
	r->type = PROBLEM_TYPE;
	problem_render(&r->body, e, request_id);
	problem_headers(&r->headers, e);
}

void response_etag(struct response *r, const struct request *q)
{
	char tag[ETAG_MAX];

	if (r->status != 200 || r->body.failed)
		return;
	etag_make(tag, strbuf_cstr(&r->body), r->body.n);
	response_header(r, "ETag", tag);
	if (etag_matches(request_env(q, "HTTP_IF_NONE_MATCH"), tag))
		r->status = 304;
}

static const char *reason(int status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

static bool is_empty(const struct response *r)
{
	return r->status == 204 || r->status == 304;
}

void response_head(const struct response *r, const char *request_id, struct strbuf *b)
{
	strbuf_addf(b, "Status: %d %s\r\n", r->status, reason(r->status));
	if (!is_empty(r) && r->body.n)
		strbuf_addf(b, "Content-Type: %s\r\n", r->type);
	if (!is_empty(r))
		strbuf_addf(b, "Content-Length: %zu\r\n", r->body.n);
	headers_add(b, &(struct headers){r->cache_control, r->policy, r->referrer}, request_id);
	strbuf_add(b, r->headers.p, r->headers.n);
	strbuf_adds(b, "\r\n");
}

void response_send(struct response *r, const struct request *q)
{
	AUTO_STRBUF head = {.max = 2 * RESPONSE_HEADERS_MAX};

	response_head(r, q->id, &head);
	q->io->write(q->io->ctx, head.p, head.n);
	if (!is_empty(r) && !q->head && r->body.n)
		q->io->write(q->io->ctx, r->body.p, r->body.n);
}
