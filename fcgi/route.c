/* route: finds the route, does all that is common to every request, calls the handler. */
#include "fcgi/route.h"
#include "fcgi/app.h"
#include "fcgi/authorise.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ETAG_BODY_MAX ((size_t)64 << 10)

/* Compares pattern and segments; ids go to param, a text to *text. */
static bool matches(const char *pattern, const struct request *q, int64_t param[REQUEST_PARAMS_MAX], const char **text)
{
	size_t params = 0;

	for (size_t i = 0; i < q->segments; i++) {
		size_t n;

		if (*pattern++ != '/')
			return false;
		n = strcspn(pattern, "/");
		if (!strncmp(pattern, "{=", 2)) {
			*text = q->segment[i]; /* an empty one too: what it may be, its handler says */
		} else if (*pattern == '{') {
			if (!int_parse(q->segment[i], strlen(q->segment[i]), REQUEST_NUMBER_MAX, &param[params]) ||
			    param[params] == 0)
				return false;
			params++;
		} else if (strlen(q->segment[i]) != n || strncmp(q->segment[i], pattern, n) != 0) {
			return false;
		}
		pattern += n;
	}
	return *pattern == 0;
}

static void allow(struct route_match *m, const char *name)
{
	size_t n = strlen(m->allow);

	snprintf(m->allow + n, sizeof(m->allow) - n, "%s%s", n ? ", " : "", name);
}

void route_find(const struct route *table, struct request *q, struct route_match *m)
{
	static const char *const names[] = {"GET, HEAD", "POST", "PUT", "PATCH", "DELETE"};

	memset(m, 0, sizeof(*m));
	for (const struct route *t = table; t->pattern; t++) {
		int64_t param[REQUEST_PARAMS_MAX] = {0};
		const char *text = NULL;

		if (!matches(t->pattern, q, param, &text))
			continue;
		m->path_known = true;
		allow(m, names[t->method]);
		if (t->method == q->method) {
			m->route = t;
			memcpy(q->param, param, sizeof(param));
			q->text = text;
		}
	}
	if (m->path_known)
		allow(m, "OPTIONS");
}

static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = list; p && *p;) {
		size_t k = strcspn(p, ",");

		if (k == n && !strncmp(p, name, n))
			return true;
		p += k;
		p += *p == ',';
	}
	return false;
}

static int check_query(const struct request *q, const struct route *route, struct err *e)
{
	if (route->query && !strcmp(route->query, "*"))
		return 0;
	for (size_t i = 0; i < q->queries; i++)
		if (!listed(route->query, q->query[i].name))
			return err_set(e, ERR_BAD_FIELD, q->query[i].name, "no such parameter here");
	return 0;
}

/* The media type name, alone or with charset=utf-8. */
static bool is_type(const char *type, const char *name)
{
	static const char charset[] = "charset=";
	const char *p;

	if (!type || strncasecmp(type, name, strlen(name)) != 0)
		return false;
	p = type + strlen(name);
	p += strspn(p, " \t");
	if (!*p)
		return true;
	if (*p != ';')
		return false;
	p++;
	p += strspn(p, " \t");
	if (strncasecmp(p, charset, sizeof(charset) - 1) != 0)
		return false;
	p += sizeof(charset) - 1;
	return !strcasecmp(p, "utf-8") || !strcasecmp(p, "\"utf-8\"");
}

static int take_input(struct request *q, const struct route *route, struct err *e)
{
	static const char *const none[] = {NULL};
	static const char *const types[] = {[INPUT_JSON] = "application/json", [INPUT_LINES] = "application/x-ndjson"};
	const char *type = request_env(q, "CONTENT_TYPE");

	if (q->method == METHOD_GET)
		return 0;
	if ((route->input == INPUT_JSON || route->input == INPUT_LINES) && !is_type(type, types[route->input]))
		return err_set(e, ERR_UNSUPPORTED_MEDIA_TYPE, NULL, "expected Content-Type: %s", types[route->input]);
	if (request_read_body(q, (size_t)q->config->limits.request_bytes, e) < 0)
		return -1;
	if (route->input == INPUT_RAW || route->input == INPUT_LINES || (route->input == INPUT_NONE && q->body.n == 0))
		return 0;
	if (!is_type(type, types[INPUT_JSON]))
		return err_set(e, ERR_UNSUPPORTED_MEDIA_TYPE, NULL, "expected no body, or an empty JSON object");
	if (jx_parse(q->body.p, q->body.n, &q->json, e) < 0)
		return -1;
	return route->input == INPUT_NONE ? jx_only(q->json, "", none, e) : 0;
}

static int answer(struct request *q, struct response *r, struct route_match *m, struct err *e)
{
	const struct route *route;

	if (request_parse(q, e) < 0)
		return -1;
	log_set_request(q->id);
	if (rate_address(q->app->rate, RATE_ADDRESS, request_address(q), &q->rate, e) < 0)
		return -1;
	route_find(routes, q, m);
	route = m->route;
	if (!m->path_known)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such path");
	if (q->method == METHOD_OPTIONS) {
		r->status = 204;
		return 0;
	}
	if (!route)
		return err_set(e, ERR_METHOD_NOT_ALLOWED, NULL, "this path takes %s", m->allow);
	if (route->need != NEED_NONE && authorise(q, route, e) < 0)
		return -1;
	if (check_query(q, route, e) < 0 || take_input(q, route, e) < 0)
		return -1;
	if (route->handler(q, r, e) < 0)
		return -1;
	if (r->parked)
		return 0;
	if (r->body.failed || r->headers.failed)
		return err_set(e, ERR_INTERNAL, NULL, "the answer grew over its limit");
	if (q->method == METHOD_GET && route->need != NEED_NONE && r->body.n <= ETAG_BODY_MAX &&
	    !strcmp(r->type, "application/json"))
		response_etag(r, q);
	return 0;
}

void route_request(struct request *q, struct response *r)
{
	int64_t start = clock_mono_ms();
	struct route_match m = {0};
	struct err e = {0};
	int failed = answer(q, r, &m, &e);

	log_set_request(q->id);
	if (failed < 0) {
		response_problem(r, &e, q->id);
		if (r->status >= 500)
			log_error("request.failed", "method=%s path=%s code=%s detail=%s", q->method_name,
				  log_quote(q->path), err_name(e.code), log_quote(e.detail));
	}
	if (m.path_known && !m.route)
		response_header(r, "Allow", m.allow);
	if (!r->parked)
		rate_headers(&q->rate, &r->headers);
	log_debug("request", "method=%s path=%s status=%d ms=%lld client=%s user=%lld", q->method_name,
		  log_quote(q->path), r->status, (long long)(clock_mono_ms() - start), q->client,
		  (long long)q->session.user);
}
