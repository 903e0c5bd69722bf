/* jose: what key sets and tokens have in common: strict JSON objects, base64url members, algorithms. Any thread. */
#pragma once
#include "lib/base/base.h"
#include <jansson.h>

/* The allow-list. There is no "none" and nothing symmetric. */
enum jose_alg { JOSE_NONE = 0, JOSE_RS256, JOSE_PS256, JOSE_ES256, JOSE_EDDSA };

/* JOSE_NONE where it is not on the list. */
enum jose_alg jose_alg(const char *name);

enum jose_json { JOSE_OK, JOSE_MALFORMED, JOSE_DUPLICATE };
#define JOSE_DEPTH_MAX 64

/* One JSON object of at most JOSE_DEPTH_MAX levels, no member twice, no U+0000, nothing behind it. *out: json_decref().
 */
enum jose_json jose_parse(const char *p, size_t n, json_t **out);
/* Decodes the member `name`, a base64url string of at most max bytes, into out. Returns the bytes or -1. */
long jose_bytes(const json_t *o, const char *name, unsigned char *out, size_t max);
