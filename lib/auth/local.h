/* local: accounts of this site itself, by handle and password; for hosts without a provider, off by default. Worker
 * threads. */
#pragma once
#include "lib/auth/login.h"
struct acting;
struct config;
struct db;

/* Who it is. ERR_FORBIDDEN: no such pair, whatever the cause, after the same time; ERR_RATE_LIMITED: too many tries at
 * this name, retry_after_ms says when the next may be. */
MUST_CHECK int local_verify(struct db *d, const char *handle, const char *password, int64_t *user, struct err *e);
/* Sets the password of a user; his browser sessions end. ERR_BAD_FIELD, ERR_UNPROCESSABLE (a bot has none). */
MUST_CHECK int local_set_password(struct db *d, const struct acting *who, int64_t user, const char *password,
				  struct err *e);
