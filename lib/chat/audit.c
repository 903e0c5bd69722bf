/* audit: the list. */
#include "lib/chat/audit.h"
#include "lib/base/clock.h"
#include "lib/chat/list.h"
#include "lib/db/db.h"
#include <string.h>

bool audit_action_valid(const char *s)
{
	size_t n = strlen(s), word = strspn(s, "abcdefghijklmnopqrstuvwxyz");

	if (n > AUDIT_ACTION_CHARS || word == 0)
		return false;
	if (word == n)
		return true;
	return s[word] == '.' && n > word + 1 && word + 1 + strspn(s + word + 1, "abcdefghijklmnopqrstuvwxyz_") == n;
}

int audit_list(struct db *d, const struct audit_filter *f, int64_t before, int64_t limit, struct strbuf *b,
	       struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (f->action && !audit_action_valid(f->action))
		return err_set(e, ERR_BAD_FIELD, "action", "expected a name as member.muted, or its first word");
	if (f->from && !time_valid(f->from, strlen(f->from)))
		return err_set(e, ERR_BAD_FIELD, "from", "must be a time as 2026-11-25T10:04:31Z");
	if (f->to && !time_valid(f->to, strlen(f->to)))
		return err_set(e, ERR_BAD_FIELD, "to", "must be a time as 2026-11-25T10:04:31Z");
	if (db_one(d, STMT_audit_list, &r, e, "itiittii", f->actor, f->action, f->target, f->channel, f->from, f->to,
		   before, limit) < 0)
		return -1;
	return list_render(r, 0, "entries", b, p, e);
}
