/* etag: strong validators of answers (RFC 9110, 8.8.3 and 13.1.2). */
#pragma once
#include "lib/base/base.h"

#define ETAG_MAX 28

/* A quoted tag of the bytes: equal bytes, equal tag. */
void etag_make(char out[ETAG_MAX], const void *p, size_t n);
/* True where an If-None-Match header (NULL: absent) names the tag or is "*". Weak comparison. */
bool etag_matches(const char *if_none_match, const char *etag);
