/* moderation: what owners, admins, channel owners and moderators do (doc/roles.md). All is judged and written to the
 * audit log by one function of sql/functions/70_moderation.sql; errors as access_code() says. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/chat/acting.h"
#include "lib/chat/page.h"
#include "lib/db/result.h"
#include "lib/json/jx.h"
struct db;
struct jx;

#define SANCTION_REASON_CHARS 500
#define SANCTION_UNTIL_MAX 48

/* A mute or ban. */
struct sanction {
	char until[SANCTION_UNTIL_MAX]; /* RFC 3339, or "infinity" */
	struct span reason;             /* borrowed */
};

/* A role of the site, and of a channel. */
bool role_valid(const char *s, size_t n);
bool member_role_valid(const char *s, size_t n);

/* Reads {"until"?: time or null, "reason"?: text}. ERR_BAD_FIELD. */
MUST_CHECK int sanction_read(const struct jx *o, struct sanction *s, struct err *e);
/* The same of one member of an object that has others too. */
MUST_CHECK int sanction_until(const struct jx *o, char until[SANCTION_UNTIL_MAX], struct err *e);
MUST_CHECK int sanction_check_reason(const char *field, struct span reason, struct err *e);

/* ---- people */
MUST_CHECK int user_role_set(struct db *d, const struct acting *who, int64_t person, struct span role, struct err *e);
/* s NULL: lifts it. */
MUST_CHECK int user_mute(struct db *d, const struct acting *who, int64_t person, const struct sanction *s,
			 struct err *e);
MUST_CHECK int user_close(struct db *d, const struct acting *who, int64_t person, struct span reason, struct err *e);
MUST_CHECK int user_reopen(struct db *d, const struct acting *who, int64_t person, struct err *e);
/* Appends {"users":[…],"next":…}: User with what only admins are told. role NULL: any. */
MUST_CHECK int admin_user_list(struct db *d, const char *wish, const char *role, const char *after, int64_t limit,
			       struct strbuf *b, struct page *p, struct err *e);

/* ---- channels */
/* Reads {"name"?,"topic"?,"archived"?,"keep_days"?,"history"?} and makes it so. */
MUST_CHECK int channel_change(struct db *d, const struct acting *who, int64_t channel, const struct jx *o,
			      struct err *e);
MUST_CHECK int channel_hand_over(struct db *d, const struct acting *who, int64_t channel, int64_t person,
				 struct err *e);
MUST_CHECK int member_role_set(struct db *d, const struct acting *who, int64_t channel, int64_t person,
			       struct span role, struct err *e);
/* s NULL: lifts it. */
MUST_CHECK int member_mute(struct db *d, const struct acting *who, int64_t channel, int64_t person,
			   const struct sanction *s, struct err *e);
MUST_CHECK int member_ban(struct db *d, const struct acting *who, int64_t channel, int64_t person,
			  const struct sanction *s, struct err *e);
/* Appends {"restrictions":[…],"next":…}: mutes and bans that hold. */
MUST_CHECK int restriction_list(struct db *d, const struct acting *who, int64_t channel, int64_t after, int64_t limit,
				struct strbuf *b, struct page *p, struct err *e);
/* Appends {"channels":[…],"next":…}: public and private ones, with their owners. */
MUST_CHECK int admin_channel_list(struct db *d, const char *wish, int64_t after, int64_t limit, struct strbuf *b,
				  struct page *p, struct err *e);
