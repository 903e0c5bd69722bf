/* read_marker: how far a member has read. */
#pragma once
#include "lib/base/err.h"
#include "lib/db/result.h"
struct db;

/* Moves the marker forward to seq, at most to the channel's last; *out: where it stands now. Errors as access_read().
 */
MUST_CHECK int read_marker_move(struct db *d, int64_t channel, int64_t reader, int64_t seq, int64_t *out,
				struct err *e);

/* The answer of STMT_live_read_mark, by which an op moves it: 0 with *seq, or ERR_NOT_A_MEMBER. */
MUST_CHECK int read_marker_moved(const PGresult *r, int64_t *seq, struct err *e);
