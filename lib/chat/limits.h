/* limits: what a client is told of the limits it meets: GET /api/v1/limits, and `hello`. */
#pragma once
#include "lib/base/strbuf.h"
struct config;

/* Appends a JSON object. */
void limits_render(struct strbuf *b, const struct config *c);
