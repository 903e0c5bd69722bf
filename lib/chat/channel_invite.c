/* channel_invite: codes as those of lib/auth/invite.h; the rules are in sql/functions/88_channel_invites.sql. */
#include "lib/chat/channel_invite.h"
#include "lib/auth/invite.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/chat/access.h"
#include "lib/chat/acting.h"
#include "lib/db/db.h"

static int outcome(PGresult *r, struct err *e)
{
	return access_code(r ? result_text(r, 0, 0) : "", NULL, e);
}

int channel_invite_list(struct db *d, const struct acting *who, int64_t channel, int64_t before, int64_t limit,
			struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_channel_invite_list, &r, e, "ibiii", who->user, who->admin, channel,
		   before ? before : INT64_MAX, limit) < 0)
		return -1;
	rc = outcome(r, e);
	if (rc == 0) {
		strbuf_adds(b, "{\"invites\":");
		strbuf_add(b, result_text(r, 0, 1), result_length(r, 0, 1));
		strbuf_addf(b, ",\"next\":%s}", result_null(r, 0, 2) ? "null" : result_text(r, 0, 2));
	}
	PQclear(r);
	return rc;
}

int channel_invite_make(struct db *d, const struct config *c, const struct acting *who, int64_t channel, int64_t uses,
			int64_t ttl_ms, struct strbuf *b, struct err *e)
{
	struct invite_code code;
	PGresult *r = NULL;
	int rc;

	invite_code_make(&code);
	rc = db_one(d, STMT_channel_invite_make, &r, e, "ibttitii", who->user, who->admin, who->request, who->address,
		    channel, code.hash, uses, ttl_ms);
	if (rc == 0)
		rc = outcome(r, e);
	if (rc == 0)
		invite_code_add(b, result_text(r, 0, 1), result_length(r, 0, 1), c, "/c/join", &code);
	PQclear(r);
	secret_wipe(&code, sizeof(code));
	return rc;
}

int channel_invite_revoke(struct db *d, const struct acting *who, int64_t channel, int64_t invite, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_channel_invite_revoke, &r, e, "ibttii", who->user, who->admin, who->request, who->address,
		   channel, invite) < 0)
		return -1;
	rc = outcome(r, e);
	PQclear(r);
	return rc;
}

int channel_invite_look(struct db *d, const char *code, struct strbuf *b, struct err *e)
{
	char hash[SESSION_HASH_MAX];
	PGresult *r = NULL;

	if (!invite_code_valid(code)) {
		strbuf_adds(b, "{\"state\":\"unknown\",\"channel\":null}");
		return 0;
	}
	session_secret_hash(code, hash);
	if (db_query(d, STMT_channel_invite_look, &r, e, "t", hash) < 0)
		return -1;
	strbuf_add(b, result_text(r, 0, 0), result_length(r, 0, 0));
	PQclear(r);
	return 0;
}

int channel_invite_use(struct db *d, const struct config *c, const char *code, int64_t person, int64_t *channel,
		       struct err *e)
{
	char hash[SESSION_HASH_MAX];
	PGresult *r = NULL;
	int rc;

	if (!invite_code_valid(code))
		return access_code("no_invite", NULL, e);
	session_secret_hash(code, hash);
	if (db_one(d, STMT_channel_invite_use, &r, e, "iti", person, hash, c->limits.channel_members) < 0)
		return -1;
	rc = outcome(r, e);
	if (rc == 0)
		*channel = result_int(r, 0, 1);
	PQclear(r);
	return rc;
}
