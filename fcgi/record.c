/* record: headers of eight bytes, contents without padding. */
#include "fcgi/record.h"
#include <fastcgi.h>

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
