/* report: the rules are in sql/functions/75_reports.sql. */
#include "lib/chat/report.h"
#include "lib/base/utf8.h"
#include "lib/chat/access.h"
#include "lib/chat/list.h"
#include "lib/chat/moderation.h"
#include "lib/db/db.h"
#include <string.h>

static int one_of(const char *const *names, const char *field, struct span s, struct err *e)
{
	for (; *names; names++)
		if (strlen(*names) == s.n && !memcmp(*names, s.p, s.n))
			return 0;
	return err_set(e, ERR_BAD_FIELD, field, "is none of those that there are");
}

int report_make(struct db *d, const struct acting *who, int64_t channel, int64_t seq, const struct jx *o, bool *again,
		struct strbuf *b, struct err *e)
{
	static const char *const names[] = {"reason", "text", NULL};
	static const char *const reasons[] = {"spam", "abuse", "private", "illegal", "other", NULL};
	struct span reason = {0}, text = {"", 0};
	PGresult *r = NULL;
	const char *code;
	int64_t id;

	if (jx_only(o, "", names, e) < 0 || jx_string(o, "", "reason", JX_REQUIRED, 1, 16, &reason, e) < 0 ||
	    one_of(reasons, "reason", reason, e) < 0 ||
	    jx_string(o, "", "text", JX_OPTIONAL, 0, REPORT_TEXT_CHARS, &text, e) < 0)
		return -1;
	if (utf8_has_control(text.p, text.n, "\n\t"))
		return err_set(e, ERR_BAD_FIELD, "text", "contains a control character");
	if (db_one(d, STMT_report_make, &r, e, "iiiss", who->user, channel, seq, reason.p, reason.n, text.p, text.n) <
	    0)
		return -1;
	code = r ? result_text(r, 0, 0) : "";
	if (access_code(code, NULL, e) < 0) {
		PQclear(r);
		return -1;
	}
	*again = !strcmp(code, "again");
	id = result_int(r, 0, 1);
	PQclear(r);
	r = NULL;
	if (db_one(d, STMT_report_own_get, &r, e, "ii", id, who->user) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such report");
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int report_get(struct db *d, const struct acting *who, int64_t report, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_report_get, &r, e, "ibi", who->user, who->admin, report) < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such report");
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int report_list(struct db *d, const struct acting *who, int64_t channel, bool open, int64_t before, int64_t limit,
		struct strbuf *b, struct page *p, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_report_list, &r, e, "ibibii", who->user, who->admin, channel, open, before, limit) < 0)
		return -1;
	return list_render(r, 0, "reports", b, p, e);
}

int report_count_open(struct db *d, const struct acting *who, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_report_open, &r, e, "ib", who->user, who->admin) < 0)
		return -1;
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int report_list_own(struct db *d, int64_t reporter, int64_t before, int64_t limit, struct strbuf *b, struct page *p,
		    struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_report_list_own, &r, e, "iii", reporter, before, limit) < 0)
		return -1;
	return list_render(r, 0, "reports", b, p, e);
}

int report_resolve(struct db *d, const struct acting *who, int64_t report, const struct jx *o, struct err *e)
{
	static const char *const names[] = {"action", "until", "site", "note", NULL};
	static const char *const actions[] = {"dismiss", "delete", "mute", "remove", "ban", "deactivate", NULL};
	struct span action = {0}, note = {"", 0};
	char until[SANCTION_UNTIL_MAX];
	bool site = false;
	PGresult *r = NULL;

	if (jx_only(o, "", names, e) < 0 || jx_string(o, "", "action", JX_REQUIRED, 1, 16, &action, e) < 0 ||
	    one_of(actions, "action", action, e) < 0 || sanction_until(o, until, e) < 0 ||
	    jx_bool(o, "", "site", JX_OPTIONAL, &site, e) < 0 ||
	    jx_string(o, "", "note", JX_OPTIONAL, 0, SANCTION_REASON_CHARS, &note, e) < 0 ||
	    sanction_check_reason("note", note, e) < 0)
		return -1;
	if (db_one(d, STMT_report_settle, &r, e, "ibttistbs", who->user, who->admin, who->request, who->address, report,
		   action.p, action.n, until, site, note.p, note.n) < 0)
		return -1;
	return access_outcome(r, "report", e);
}
