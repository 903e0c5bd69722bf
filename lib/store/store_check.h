/* store_check: for `pulsechat doctor`: the whole life of objects in the store of [files], as the server and a browser
 * of the site's origin go about it, and what is wrong where it fails. Leaves nothing behind. */
#pragma once
#include "lib/base/base.h"
struct config;

/* Says a line per check; false where one failed. Blocks, some seconds at most where the store answers. */
bool store_check(const struct config *c, void (*say)(void *arg, bool ok, const char *text), void *arg);
