/* maintain: what must be done from time to time: partitions of the log made ahead and dropped, old log-ins and sessions
 * deleted. Any process may do it at any time; one does, the others go on. Blocks. */
#pragma once
#include "lib/base/err.h"
struct config;
struct db;

/* say (may be NULL) is told each thing done. */
MUST_CHECK int maintain(struct db *d, const struct config *c, void (*say)(const char *what), struct err *e);
