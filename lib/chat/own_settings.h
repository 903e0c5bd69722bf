/* own_settings: what a person shows of himself: invisible, do-not-disturb, status, read receipts. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct config;
struct db;
struct jx;

#define STATUS_EMOJI_CHARS 34 /* a custom one's name with its colons */
#define STATUS_TEXT_CHARS 100

/* Appends Settings (doc/protocol.md, section 3). */
MUST_CHECK int own_settings_get(struct db *d, int64_t user, struct strbuf *b, struct err *e);
/* patch: any of the members of Settings but version. Appends the settings as they are then. */
MUST_CHECK int own_settings_change(struct db *d, const struct config *c, int64_t user, const struct jx *patch,
				   struct strbuf *b, struct err *e);
/* status: {"emoji"?,"text"?,"until"?}; NULL: none any more. */
MUST_CHECK int own_status_set(struct db *d, const struct config *c, int64_t user, const struct jx *status,
			      struct strbuf *b, struct err *e);
