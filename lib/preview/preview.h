/* preview: what becomes of the messages that link to pages (doc/previews.md). */
#pragma once
#include "lib/preview/fetch.h"
struct config;
struct db;

struct preview_desk {
	struct db *db;
	const struct config *config;
	struct guard guard;
	bool (*go_on)(void *arg); /* asked while a page is waited for */
	void *arg;
};

/* Reads what the configuration says. ERR_BAD_FIELD: detail names the key. */
MUST_CHECK int preview_check(const struct config *c, struct guard *g, struct err *e);
/* Looks at one message that waits for it, which takes [previews] timeout and a bit at most. *done: 0 where none waits.
 */
MUST_CHECK int preview_step(struct preview_desk *d, int *done, struct err *e);
/* Takes the preview of one's own message away. */
MUST_CHECK int preview_remove(struct db *d, int64_t channel, int64_t user, int64_t seq, struct err *e);
