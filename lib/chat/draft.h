/* draft: what somebody is about to say in a channel or in a thread of it, the same on all his devices (doc/protocol.md,
 * sections 3 and 4). Errors as access_code() and db.h say. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct config;
struct db;
struct jx;

#define DRAFT_ANY ((int64_t)-1) /* in place of a version */

struct draft_place {
	int64_t channel;
	int64_t thread; /* the seq of its root; 0: the channel itself */
};

/* wish: {"text","files"?,"version"}: the version that it is based on, 0: there was none. ERR_CONFLICT where it is
 * another one by now, ERR_NOT_ATTACHABLE, ERR_UNPROCESSABLE where there can be no such thread. Appends the Draft; the
 * same again changes nothing. */
MUST_CHECK int draft_put(struct db *d, const struct config *c, const struct draft_place *at, int64_t user,
			 const struct jx *wish, struct strbuf *b, struct err *e);
/* Takes it away; version: that it is based on, or DRAFT_ANY. Appends the Draft, which says nothing any more. */
MUST_CHECK int draft_delete(struct db *d, const struct draft_place *at, int64_t user, int64_t version, struct strbuf *b,
			    struct err *e);
/* Appends the Draft; of version 0 where there never was one. */
MUST_CHECK int draft_get(struct db *d, const struct draft_place *at, int64_t user, struct strbuf *b, struct err *e);
/* Appends a page of all, also of those that say nothing any more; after: where the page before ended, zeros: from the
 * first. */
MUST_CHECK int draft_list(struct db *d, int64_t user, const struct draft_place *after, int64_t limit, struct strbuf *b,
			  struct page *p, struct err *e);
