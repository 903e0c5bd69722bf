/* invite: codes, and rows as JSON. */
#include "lib/auth/invite.h"
#include "lib/auth/session.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "lib/chat/acting.h"
#include "lib/db/db.h"
#include <string.h>

bool invite_code_valid(const char *code)
{
	unsigned char raw[INVITE_CODE_LEN];

	return code && strlen(code) == INVITE_CODE_LEN && base64url_decode(raw, code, INVITE_CODE_LEN) == 16;
}

void invite_code_make(struct invite_code *c)
{
	unsigned char raw[16];

	rand_bytes(raw, sizeof(raw));
	base64url_encode(c->code, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
	session_secret_hash(c->code, c->hash);
}

void invite_code_add(struct strbuf *json, const char *object, size_t n, const struct config *c, const char *path,
		     const struct invite_code *code)
{
	AUTO_STRBUF url = {.max = 1024};

	strbuf_add(json, object, n - 1); /* opened again */
	strbuf_addf(json, ",\"code\":\"%s\",\"url\":", code->code);
	strbuf_addf(&url, "%s%s#%s", c->site.url, path, code->code);
	strbuf_add_json(json, strbuf_cstr(&url), url.n);
	strbuf_addc(json, '}');
}

int invite_create(struct db *d, const struct config *c, const struct acting *who, const struct invite_wish *w,
		  struct strbuf *json, struct err *e)
{
	size_t note_n = strlen(w->note);
	struct invite_code code;
	PGresult *r = NULL;
	int rc;

	if (!utf8_valid(w->note, note_n) || utf8_has_control(w->note, note_n, "") ||
	    utf8_length(w->note, note_n) > INVITE_NOTE_MAX)
		return err_set(e, ERR_BAD_FIELD, "note", "must be one line of at most %d characters", INVITE_NOTE_MAX);
	if (strcmp(w->role, "member") != 0 && strcmp(w->role, "guest") != 0)
		return err_set(e, ERR_BAD_FIELD, "role", "must be member or guest");
	if (w->uses < 0 || w->uses > INVITE_USES_MAX)
		return err_set(e, ERR_BAD_FIELD, "max_uses", "must be 1 to %d", INVITE_USES_MAX);
	if (w->ttl_ms < 0 || w->ttl_ms > INVITE_TTL_MAX_MS)
		return err_set(e, ERR_BAD_FIELD, "expires_in", "must be 400 days at most");
	invite_code_make(&code);
	rc = db_one(d, STMT_invite_create, &r, e, "ibtttttii", who->user, who->admin, who->request, who->address,
		    code.hash, w->note, w->role, w->uses, w->ttl_ms);
	if (rc == 0 && !r)
		rc = err_set(e, ERR_INTERNAL, NULL, "no invitation was made");
	if (rc == 0)
		invite_code_add(json, result_text(r, 0, 1), result_length(r, 0, 1), c, "/join", &code);
	PQclear(r);
	secret_wipe(&code, sizeof(code));
	return rc;
}

int invite_list(struct db *d, int64_t before, int64_t limit, struct strbuf *json, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_invite_list, &r, e, "ii", before ? before : INT64_MAX, limit) < 0)
		return -1;
	strbuf_adds(json, "{\"invites\":");
	strbuf_adds(json, r ? result_text(r, 0, 0) : "[]");
	strbuf_adds(json, ",\"next\":");
	strbuf_adds(json, r && !result_null(r, 0, 1) ? result_text(r, 0, 1) : "null");
	strbuf_addc(json, '}');
	PQclear(r);
	return 0;
}

int invite_revoke(struct db *d, const struct acting *who, int64_t id, struct err *e)
{
	PGresult *r = NULL;
	bool found;

	if (db_one(d, STMT_invite_revoke, &r, e, "ibtti", who->user, who->admin, who->request, who->address, id) < 0)
		return -1;
	found = r && result_bool(r, 0, 0);
	PQclear(r);
	return found ? 0 : err_set(e, ERR_NOT_FOUND, NULL, "no such invitation");
}

int invite_look(struct db *d, const char *code, struct strbuf *json, struct err *e)
{
	char hash[SESSION_HASH_MAX];
	PGresult *r = NULL;

	if (!invite_code_valid(code)) {
		strbuf_adds(json, "{\"state\":\"unknown\"}");
		return 0;
	}
	session_secret_hash(code, hash);
	if (db_one(d, STMT_invite_look, &r, e, "t", hash) < 0)
		return -1;
	strbuf_addf(json, "{\"state\":\"%s\"}", r ? result_text(r, 0, 0) : "unknown");
	PQclear(r);
	return 0;
}
