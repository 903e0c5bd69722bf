/* profile: what a person says of himself: his name, his picture, his time zone (doc/protocol.md, section 3, User).
 * Errors as access_code() and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
struct config;
struct db;
struct jx;
struct store;

#define TIME_ZONE_CHARS 64

/* Appends {"own_name","own_picture","provider_name"}: where name and picture come from. */
MUST_CHECK int profile_render(struct db *d, int64_t user, struct strbuf *b, struct err *e);
/* o: {"name"?,"time_zone"?}, one of them at least: a name or null (what the provider says), an IANA name or null. */
MUST_CHECK int profile_change(struct db *d, const struct acting *who, const struct jx *o, struct err *e);
/* o: {"name"}: another person's, by the power of a role. */
MUST_CHECK int profile_rename(struct db *d, const struct acting *who, int64_t person, const struct jx *o,
			      struct err *e);

/* o: {"file"}: one's own upload. Again is harmless. store (NULL: the site keeps no files) is asked for it: blocks. */
MUST_CHECK int profile_picture_set(struct db *d, const struct config *c, const struct store *store,
				   const struct acting *who, const struct jx *o, struct err *e);
/* Again is harmless. */
MUST_CHECK int profile_picture_remove(struct db *d, const struct acting *who, int64_t person, struct err *e);
