/* read_marker: how far a member has read. */
#pragma once
#include "lib/base/err.h"
struct db;

/* Moves the marker forward to seq, at most to the channel's last; *out: where it stands now. Errors as access_read().
 */
MUST_CHECK int read_marker_move(struct db *d, int64_t channel, int64_t reader, int64_t seq, int64_t *out,
				struct err *e);
