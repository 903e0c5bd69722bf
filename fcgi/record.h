/* record: a whole answer as FastCGI records (FastCGI specification 1.0, sections 3.3 and 5), for who must not block in
 * libfcgi's streams. */
#pragma once
#include "lib/base/strbuf.h"

/* Appends head and body as FCGI_STDOUT, its end, and FCGI_END_REQUEST. request_id: as in the FCGX_Request. */
void record_answer(struct strbuf *b, int request_id, struct span head, struct span body);
/* True where the bytes that came in ask for the request's end (FCGI_ABORT_REQUEST); else they are of no interest. */
bool record_aborts(const unsigned char *p, size_t n);
