/* preview_thread: looks at the pages that messages link to, one after the other (lib/preview). */
#pragma once
#include "lib/base/err.h"
struct config;
struct preview_thread;

/* NULL without an error: the site wants no previews. */
MUST_CHECK int preview_thread_start(const struct config *c, struct preview_thread **out, struct err *e);
/* False: it has not ended within ms, and nothing is freed. NULL is fine. */
bool preview_thread_stop(struct preview_thread **t, int64_t ms);
