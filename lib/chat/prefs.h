/* prefs: what somebody wants of his channels, and how his side bar is arranged. All errors as access.h and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct db;
struct jx;

#define SIDEBAR_SECTIONS_MAX 50
#define SIDEBAR_NAME_CHARS 40

/* patch: any of {"notify","quiet_until","favourite","section"}. Appends Prefs as they are then. */
MUST_CHECK int prefs_change(struct db *d, int64_t channel, int64_t user, const struct jx *patch, struct strbuf *b,
			    struct err *e);
/* Appends Sidebar. */
MUST_CHECK int sidebar_get(struct db *d, int64_t user, struct strbuf *b, struct err *e);
/* o: {"sections":[…],"version"?}. ERR_CONFLICT, field version: it is of another one. */
MUST_CHECK int sidebar_set(struct db *d, int64_t user, const struct jx *o, struct strbuf *b, struct err *e);
