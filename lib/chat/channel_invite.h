/* channel_invite: links by which people of the site come into a channel. Made by its moderators and owners; errors as
 * access_code() says. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct acting;
struct config;
struct db;

/* Appends {"invites":[…],"next":…}, newest first; before: an id, 0 from the newest on. */
MUST_CHECK int channel_invite_list(struct db *d, const struct acting *who, int64_t channel, int64_t before,
				   int64_t limit, struct strbuf *b, struct err *e);
/* Appends {…,"code":"…","url":"…"}, which are shown this once. uses 0: any number; ttl_ms 0: for ever. */
MUST_CHECK int channel_invite_make(struct db *d, const struct config *c, const struct acting *who, int64_t channel,
				   int64_t uses, int64_t ttl_ms, struct strbuf *b, struct err *e);
/* Again is harmless. */
MUST_CHECK int channel_invite_revoke(struct db *d, const struct acting *who, int64_t channel, int64_t invite,
				     struct err *e);
/* Appends {"state":"open","channel":ChannelCore or null}. */
MUST_CHECK int channel_invite_look(struct db *d, const char *code, struct strbuf *b, struct err *e);
/* Who has the code comes in; *channel: where. */
MUST_CHECK int channel_invite_use(struct db *d, const struct config *c, const char *code, int64_t person,
				  int64_t *channel, struct err *e);
