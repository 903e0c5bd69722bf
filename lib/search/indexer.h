/* indexer: fills the index of messages behind the writer, by following the log, a batch at a time. Any process may do
 * it at any time: one does, the others look again later. Blocks. */
#pragma once
#include "lib/base/err.h"
struct db;

/* One batch. *ms: how long to rest before the next one. */
MUST_CHECK int indexer_step(struct db *d, int64_t *ms, struct err *e);
/* All that there is; *n gets how many messages were looked at. For `pulsechat maintain`. */
MUST_CHECK int indexer_run(struct db *d, int64_t *n, struct err *e);
