/* checker: threads that look at what was uploaded (lib/chat/upload.h), so that a large file holds no worker. */
#pragma once
#include "lib/base/err.h"
struct checker;
struct config;
struct store;

struct checker *checker_start(const struct config *c, const struct store *s);
/* Has a claimed upload checked, and waits up to wait_ms for the outcome (as upload_check()), unless half of the workers
 * wait already; 0 also where it goes on after that. ERR_BUSY: too many are to be checked, and it is the caller's to
 * give the claim back. Any thread. */
MUST_CHECK int checker_run(struct checker *c, int64_t user, int64_t upload, int64_t checks, int64_t wait_ms,
			   struct err *e);
/* Checks under way are broken off, to be begun again by whoever asks next. NULL is fine. */
void checker_drain(struct checker *c);
/* Ends it within ms, or returns false: it is busy in the store, and its memory is left alone. *c NULL is fine. */
bool checker_stop(struct checker **c, int64_t ms);
