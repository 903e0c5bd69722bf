/* audit: what was done by the power of a role. Written by the functions of sql/functions in the same transaction; read
 * here. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct db;

#define AUDIT_ACTION_CHARS 40

struct audit_filter {
	int64_t actor, target, channel; /* 0: any; actor -1: the pulsechat command */
	const char *action;             /* "member.muted", or "member" for all of them; NULL: any */
	const char *from, *to;          /* RFC 3339; NULL: no bound */
};

/* "member", "member.muted". */
bool audit_action_valid(const char *s);
/* Appends {"entries":[…],"next":…}, newest first, before an id. */
MUST_CHECK int audit_list(struct db *d, const struct audit_filter *f, int64_t before, int64_t limit, struct strbuf *b,
			  struct page *p, struct err *e);
