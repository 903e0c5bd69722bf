/* return_to: where a log-in may lead: pages of this site, and no others. Any thread. */
#pragma once
#include "lib/base/base.h"

#define RETURN_TO_MAX 1025

/* Copies wish (decoded from the query; NULL: none) where it is a plain path of the site with its query and fragment,
 * else "/": in doubt the start page. Never a path under /auth/ or /api/, nor /sign-in, which would lead round in
 * circles. */
void return_to_check(const char *wish, char out[RETURN_TO_MAX]);
