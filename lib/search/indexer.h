/* indexer: fills the index of messages behind the writer, by following the log, a batch at a time. Any process may do
 * it at any time: one does, the others look again later. Blocks. */
#pragma once
#include "lib/base/err.h"
struct db;

/* How far the log was, and when (monotonic ms), at the last whole batch; zeros at first. */
struct indexer_pace {
	int64_t head, at;
};

/* One batch. *p: of the caller, from step to step. *ms: how long to rest before the next one. */
MUST_CHECK int indexer_step(struct db *d, struct indexer_pace *p, int64_t *ms, struct err *e);
/* All that there is; *n gets how many messages were looked at. For `pulsechat maintain`. */
MUST_CHECK int indexer_run(struct db *d, int64_t *n, struct err *e);
