/* problem: an error as application/problem+json (RFC 9457; doc/protocol.md, section 2). */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

#define PROBLEM_TYPE "application/problem+json"

void problem_render(struct strbuf *b, const struct err *e, const char *request_id);
/* Seconds for Retry-After; 0: none is due. */
int problem_retry_after(const struct err *e);
/* Appends the header lines that go with it: Retry-After, WWW-Authenticate, Upgrade. */
void problem_headers(struct strbuf *b, const struct err *e);
