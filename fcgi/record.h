/* record: FastCGI records (FastCGI specification 1.0, sections 3.3 and 5): a whole answer, and a request as it comes,
 * for who must not block in libfcgi's streams. */
#pragma once
#include "lib/base/strbuf.h"

/* Appends head and body as FCGI_STDOUT, its end, and FCGI_END_REQUEST. request_id: as in the FCGX_Request. */
void record_answer(struct strbuf *b, int request_id, struct span head, struct span body);
/* True where the bytes that came in ask for the request's end (FCGI_ABORT_REQUEST); else they are of no interest. */
bool record_aborts(const unsigned char *p, size_t n);

/* What comes in on a connection, in pieces of any size. */
enum record_event {
	RECORD_BEGIN,  /* of a request; p: its FCGI_BeginRequestBody, whole */
	RECORD_PARAMS, /* some bytes of them */
	RECORD_PARAMS_END,
	RECORD_BODY, /* some bytes of it */
	RECORD_BODY_END,
	RECORD_ABORT,
};
struct record_reader {
	unsigned char head[8], begin[8];
	size_t head_n, begin_n, content, padding; /* content, padding: what is left of the record */
};
/* Returns false from on: no more. */
typedef bool (*record_on)(void *arg, enum record_event event, int request_id, const char *p, size_t n);
/* False: the peer does not speak FastCGI, or `on` wants no more. */
MUST_CHECK bool record_read(struct record_reader *r, const char *p, size_t n, record_on on, void *arg);

/* The next name and value of FastCGI's parameters (section 3.4) from *p on; false: there are no more, or they are
 * broken (*p is not end then). */
bool record_param(const char **p, const char *end, struct span *name, struct span *value);
