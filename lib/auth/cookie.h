/* cookie: the two cookies of the site: the session's, and the one that binds log-ins under way to their browser. Over
 * https both bear the prefix __Host-; on a loopback site over plain http the port stands in the name instead, since
 * ports share cookies. Their values are secrets as session_new_secret() makes them. Any thread. */
#pragma once
#include "lib/auth/session.h"
#include "lib/base/strbuf.h"
struct config;

#define COOKIE_NAME_MAX 32
#define COOKIE_HEADER_MAX ((size_t)16 << 10)

enum cookie { COOKIE_SESSION, COOKIE_LOGIN };

void cookie_name(const struct config *c, enum cookie which, char out[COOKIE_NAME_MAX]);
/* The cookie's value in a Cookie header (NULL: none). False where it is absent, malformed, or there twice with
 * different values. */
bool cookie_find(const struct config *c, enum cookie which, const char *header, char value[SESSION_SECRET_MAX]);
/* Appends the value of a Set-Cookie header. max_age: seconds; 0 deletes the cookie (value is ignored). */
void cookie_set(struct strbuf *b, const struct config *c, enum cookie which, const char *value, int64_t max_age);
