/* authorise: who asks, and may this request act for him (doc/protocol.md, section 1)? */
#pragma once
#include "fcgi/route.h"

/* Fills q->session and q->by_cookie. ERR_UNAUTHENTICATED, ERR_ORIGIN_REFUSED, ERR_INSUFFICIENT_SCOPE, or the database's
 * errors. */
MUST_CHECK int authorise(struct request *q, const struct route *route, struct err *e);
