/* retention: erases messages that are older than their channel keeps them, in batches of one channel (doc/roles.md). */
#pragma once
#include "lib/base/err.h"
struct db;

/* One batch. *n: how many messages it went through; 0: there is nothing to do. Errors as db.h says. */
MUST_CHECK int retention_step(struct db *d, int64_t *n, struct err *e);
/* All there is to do. */
MUST_CHECK int retention_run(struct db *d, int64_t *n, struct err *e);
