/* bot: programs' accounts. A bot is a user that nobody signs in to: an admin makes it, and it acts by its tokens alone
 * (lib/auth/access_token.h). It is never more than a member. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct acting;
struct db;

/* A new one. ERR_BAD_FIELD (handle or name), ERR_CONFLICT (the handle is taken or reserved). */
MUST_CHECK int bot_add(struct db *d, const struct acting *who, const char *handle, const char *name, int64_t *id,
		       struct err *e);
/* Whether this is one. ERR_NOT_FOUND. */
MUST_CHECK int bot_check(struct db *d, int64_t user, struct err *e);
/* Appends {"bots":[User],"next":…}, by handle, deactivated ones too. */
MUST_CHECK int bot_list(struct db *d, const char *after, int64_t limit, struct strbuf *b, struct err *e);
