/* record: headers of eight bytes; what we write has no padding. */
#include "fcgi/record.h"
#include <fastcgi.h>
#include <string.h>

#define CONTENT_MAX ((size_t)0xfff8) /* a multiple of eight, as the specification likes it */

static void start(struct strbuf *b, unsigned char type, int request_id, size_t n)
{
	FCGI_Header h = {
		.version = FCGI_VERSION_1,
		.type = type,
		.requestIdB1 = (unsigned char)(request_id >> 8),
		.requestIdB0 = (unsigned char)request_id,
		.contentLengthB1 = (unsigned char)(n >> 8),
		.contentLengthB0 = (unsigned char)n,
	};

	strbuf_add(b, &h, sizeof(h));
}

static void output(struct strbuf *b, int request_id, struct span s)
{
	while (s.n) {
		size_t n = MIN_OF(s.n, CONTENT_MAX);

		start(b, FCGI_STDOUT, request_id, n);
		strbuf_add(b, s.p, n);
		s.p += n;
		s.n -= n;
	}
}

void record_answer(struct strbuf *b, int request_id, struct span head, struct span body)
{
	FCGI_EndRequestBody end = {.protocolStatus = FCGI_REQUEST_COMPLETE};

	output(b, request_id, head);
	output(b, request_id, body);
	start(b, FCGI_STDOUT, request_id, 0);
	start(b, FCGI_END_REQUEST, request_id, sizeof(end));
	strbuf_add(b, &end, sizeof(end));
}

bool record_aborts(const unsigned char *p, size_t n)
{
	while (n >= FCGI_HEADER_LEN) {
		size_t all = FCGI_HEADER_LEN + ((size_t)p[4] << 8 | p[5]) + p[6];

		if (p[1] == FCGI_ABORT_REQUEST)
			return true;
		if (all > n)
			return false;
		p += all;
		n -= all;
	}
	return false;
}

/* ---- what comes in */

static size_t content_of(const struct record_reader *r)
{
	return (size_t)r->head[4] << 8 | r->head[5];
}

/* At the end of a record without content. */
static bool ended(const struct record_reader *r, record_on on, void *arg)
{
	int id = r->head[2] << 8 | r->head[3];

	switch (r->head[1]) {
	case FCGI_PARAMS:
		return on(arg, RECORD_PARAMS_END, id, NULL, 0);
	case FCGI_STDIN:
		return on(arg, RECORD_BODY_END, id, NULL, 0);
	case FCGI_ABORT_REQUEST:
		return on(arg, RECORD_ABORT, id, NULL, 0);
	default:
		return true;
	}
}

static bool content(struct record_reader *r, const char *p, size_t n, record_on on, void *arg)
{
	int id = r->head[2] << 8 | r->head[3];

	switch (r->head[1]) {
	case FCGI_BEGIN_REQUEST:
		if (r->begin_n + n > sizeof(r->begin))
			return false;
		memcpy(r->begin + r->begin_n, p, n);
		r->begin_n += n;
		return r->begin_n < sizeof(r->begin) || on(arg, RECORD_BEGIN, id, (const char *)r->begin, r->begin_n);
	case FCGI_PARAMS:
		return on(arg, RECORD_PARAMS, id, p, n);
	case FCGI_STDIN:
		return on(arg, RECORD_BODY, id, p, n);
	case FCGI_ABORT_REQUEST:
		return on(arg, RECORD_ABORT, id, NULL, 0);
	default:
		return true; /* FCGI_DATA, FCGI_GET_VALUES: not for us */
	}
}

bool record_read(struct record_reader *r, const char *p, size_t n, record_on on, void *arg)
{
	while (n) {
		size_t take;

		if (r->head_n < sizeof(r->head)) {
			take = MIN_OF(n, sizeof(r->head) - r->head_n);
			memcpy(r->head + r->head_n, p, take);
			r->head_n += take;
			if (r->head_n == sizeof(r->head)) {
				if (r->head[0] != FCGI_VERSION_1)
					return false;
				r->content = content_of(r);
				r->padding = r->head[6];
				if (!r->content && !ended(r, on, arg))
					return false;
			}
		} else if (r->content) {
			take = MIN_OF(n, r->content);
			r->content -= take;
			if (!content(r, p, take, on, arg))
				return false;
		} else {
			take = MIN_OF(n, r->padding);
			r->padding -= take;
		}
		p += take;
		n -= take;
		if (r->head_n == sizeof(r->head) && !r->content && !r->padding)
			r->head_n = 0;
	}
	return true;
}

static bool length(const char **p, const char *end, size_t *n)
{
	const unsigned char *s = (const unsigned char *)*p;

	if (end - *p < 1)
		return false;
	if (!(s[0] & 0x80)) {
		*n = s[0];
		*p += 1;
		return true;
	}
	if (end - *p < 4)
		return false;
	*n = (size_t)(s[0] & 0x7f) << 24 | (size_t)s[1] << 16 | (size_t)s[2] << 8 | s[3];
	*p += 4;
	return true;
}

bool record_param(const char **p, const char *end, struct span *name, struct span *value)
{
	const char *at = *p;

	if (!length(&at, end, &name->n) || !length(&at, end, &value->n) || name->n > (size_t)(end - at) ||
	    value->n > (size_t)(end - at) - name->n)
		return false;
	name->p = at;
	value->p = at + name->n;
	*p = value->p + value->n;
	return true;
}
