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
/* Sets the password of a user; his browser sessions end, all but spared (0: none). ERR_BAD_FIELD, ERR_UNPROCESSABLE (a
 * bot has none). */
MUST_CHECK int local_set_password(struct db *d, const struct acting *who, int64_t user, const char *password,
				  int64_t spared, struct err *e);
/* Whether the user signs in by a password of this site. */
MUST_CHECK int local_has_password(struct db *d, int64_t user, bool *has, struct err *e);
/* One's own password: the former one is asked for, tries at it count as at the door. ERR_FORBIDDEN (field old),
 * ERR_RATE_LIMITED, ERR_UNPROCESSABLE (there is none), ERR_BAD_FIELD (field password: the new one). */
MUST_CHECK int local_change_password(struct db *d, const struct acting *who, int64_t user, const char *old,
				     const char *password, int64_t spared, struct err *e);

struct local_wish {
	const char *invite; /* the code */
	const char *handle, *name, *password;
};
/* A new account by an invitation. ERR_BAD_FIELD, ERR_CONFLICT (field handle: taken or reserved), ERR_FORBIDDEN (field
 * invite: it is none, or is no good any more). */
MUST_CHECK int local_join(struct db *d, const struct config *c, const struct local_wish *w, int64_t *user,
			  struct err *e);
