/* paging: pages of messages by seq, of a channel and of a thread: what is asked, and where the next page is. */
#pragma once
#include "fcgi/request.h"
#include "fcgi/response.h"
#include "lib/chat/history.h"

/* One of before, after and around in the query; without any the newest page. ERR_BAD_FIELD. */
MUST_CHECK int paging_read(const struct request *q, enum history_mode *mode, int64_t *seq, struct err *e);
/* PulseChat-Cursor, and Link to the pages beside this one. place: the path. seq, limit: what was asked. */
void paging_headers(struct response *r, const char *place, const struct history *h, int64_t seq, int64_t limit);
