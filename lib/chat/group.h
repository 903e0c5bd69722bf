/* group: groups of people, which messages may name. Who may change them says [groups] managers: admins, or all members.
 * Errors as access_code() says. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct acting;
struct config;
struct db;
struct jx;

#define GROUP_MEMBERS_MAX 500
#define GROUP_NAME_CHARS 80

/* Appends {"groups":[Group],"next":…,"manage":…}, by handle; after: "" from the first on. */
MUST_CHECK int group_list(struct db *d, const struct config *c, const struct acting *who, const char *after,
			  int64_t limit, struct strbuf *b, struct page *p, struct err *e);
/* These append a Group with the ids of its members. o: {"handle","name","members"?}, {"handle"?,"name"?,"add"?,
 * "remove"?}. */
MUST_CHECK int group_get(struct db *d, int64_t group, struct strbuf *b, struct err *e);
MUST_CHECK int group_make(struct db *d, const struct config *c, const struct acting *who, const struct jx *o,
			  struct strbuf *b, struct err *e);
MUST_CHECK int group_change(struct db *d, const struct config *c, const struct acting *who, int64_t group,
			    const struct jx *o, struct strbuf *b, struct err *e);
MUST_CHECK int group_delete(struct db *d, const struct config *c, const struct acting *who, int64_t group,
			    struct err *e);
