/* session: lookups by hash, creation, the end. */
#include "lib/auth/session.h"
#include "lib/auth/device.h"
#include "lib/auth/person.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include "lib/chat/acting.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

void session_secret_hash(const char *secret, char hex[SESSION_HASH_MAX])
{
	unsigned char hash[32];

	sha256(secret, strlen(secret), hash);
	hex_encode(hex, hash, sizeof(hash));
}

bool session_secret_valid(const char *s, size_t n)
{
	unsigned char raw[SESSION_SECRET_LEN];
	bool ok = n == SESSION_SECRET_LEN && base64url_decode(raw, s, n) == 32;

	secret_wipe(raw, sizeof(raw));
	return ok;
}

void session_new_secret(char secret[SESSION_SECRET_MAX])
{
	unsigned char raw[32];

	rand_bytes(raw, sizeof(raw));
	base64url_encode(secret, raw, sizeof(raw));
	secret_wipe(raw, sizeof(raw));
}

enum session_state session_from_row(const PGresult *r, struct session *out)
{
	const char *state;

	memset(out, 0, sizeof(*out));
	if (!r || result_rows(r) < 1)
		return out->state;
	state = result_text(r, 0, 7);
	out->state = !strcmp(state, "live")          ? SESSION_LIVE
		     : !strcmp(state, "deactivated") ? SESSION_DEACTIVATED
						     : SESSION_ENDED;
	out->id = result_int(r, 0, 0);
	out->user = result_int(r, 0, 1);
	out->is_token = strcmp(result_text(r, 0, 2), "session") != 0;
	snprintf(out->role, sizeof(out->role), "%s", result_text(r, 0, 3));
	out->scopes = (result_bool(r, 0, 4) ? SCOPE_READ : 0) | (result_bool(r, 0, 5) ? SCOPE_WRITE : 0) |
		      (result_bool(r, 0, 10) ? SCOPE_FILES : 0) | (result_bool(r, 0, 11) ? SCOPE_ADMIN : 0) |
		      (out->is_token ? 0 : SCOPE_ACCOUNT);
	out->expires_us = result_int(r, 0, 6);
	out->left_ms = out->expires_us ? MAX_OF(result_int(r, 0, 9), (int64_t)1) : 0;
	out->by_provider = result_bool(r, 0, 12);
	out->stale = out->state == SESSION_LIVE && result_bool(r, 0, 8);
	return out->state;
}

int session_check(const struct session *s, struct err *e)
{
	switch (s->state) {
	case SESSION_LIVE:
		return 0;
	case SESSION_NONE:
		return err_set(e, ERR_UNAUTHENTICATED, NULL, "sign in first");
	case SESSION_DEACTIVATED:
		return err_set(e, ERR_UNAUTHENTICATED, NULL, "this account is deactivated");
	case SESSION_ENDED:
		break;
	}
	return err_set(e, ERR_UNAUTHENTICATED, NULL, "this session has ended: sign in again");
}

int session_find(struct db *d, const char *secret, struct session *out, struct err *e)
{
	char hash[SESSION_HASH_MAX];
	PGresult *r = NULL;

	memset(out, 0, sizeof(*out));
	session_secret_hash(secret, hash);
	if (db_one(d, STMT_session_find, &r, e, "t", hash) < 0)
		return -1;
	session_from_row(r, out);
	PQclear(r);
	if (out->stale) {
		struct err ignored = {0};

		/* the request does not depend on it; the next one tries again */
		r = NULL;
		if (db_query(d, STMT_session_touch, &r, &ignored, "i", out->id) < 0)
			log_warning("session.touch_failed", "session=%lld code=%s", (long long)out->id,
				    err_name(ignored.code));
		PQclear(r);
	}
	return session_check(out, e);
}

int session_create(struct db *d, const struct config *c, int64_t user, const char *agent, const char *issuer,
		   const char *sid, char secret[SESSION_SECRET_MAX], int64_t *id, struct err *e)
{
	char hash[SESSION_HASH_MAX], name[PERSON_AGENT_MAX];
	PGresult *r = NULL;

	person_clean(agent ? agent : "", PERSON_AGENT_POINTS, name, sizeof(name));
	session_new_secret(secret);
	session_secret_hash(secret, hash);
	if (db_one(d, STMT_session_create, &r, e, "titttii", hash, user, name, issuer, sid, c->session.absolute,
		   c->session.idle) < 0)
		goto fail;
	if (!r) {
		err_set(e, ERR_FORBIDDEN, NULL, "this account is deactivated");
		goto fail;
	}
	*id = result_int(r, 0, 0);
	PQclear(r);
	return 0;
fail:
	secret_wipe(secret, SESSION_SECRET_MAX);
	return -1;
}

int session_renew(struct db *d, const struct config *c, int64_t id, const char *current, const char *issuer,
		  const char *sid, char secret[SESSION_SECRET_MAX], struct err *e)
{
	char old_hash[SESSION_HASH_MAX], new_hash[SESSION_HASH_MAX];
	PGresult *r = NULL;

	session_secret_hash(current, old_hash);
	session_new_secret(secret);
	session_secret_hash(secret, new_hash);
	if (db_one(d, STMT_session_renew, &r, e, "ittiitt", id, issuer, sid, c->session.absolute, c->session.idle,
		   old_hash, new_hash) < 0)
		goto fail;
	if (!r) {
		err_set(e, ERR_UNAUTHENTICATED, NULL, "this session has ended: sign in again");
		goto fail;
	}
	PQclear(r);
	return 0;
fail:
	secret_wipe(secret, SESSION_SECRET_MAX);
	return -1;
}

int session_revoke(struct db *d, int64_t id, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_session_revoke, &r, e, "i", id) < 0)
		return -1;
	PQclear(r);
	return 0;
}

static void render(struct strbuf *b, const PGresult *r, int row, int64_t current)
{
	char device[DEVICE_NAME_MAX], made[TIME_TEXT_MAX], used[TIME_TEXT_MAX], end[TIME_TEXT_MAX];

	device_name(result_text(r, row, 1), device);
	time_text(result_int(r, row, 2), made);
	time_text(result_int(r, row, 3), used);
	time_text(result_int(r, row, 4), end);
	strbuf_addf(b, "%s{\"id\":%lld,\"current\":%s,\"device\":\"%s\",\"agent\":", row ? "," : "",
		    (long long)result_int(r, row, 0), result_int(r, row, 0) == current ? "true" : "false", device);
	strbuf_add_json(b, result_text(r, row, 1), result_length(r, row, 1));
	strbuf_addf(b, ",\"created_at\":\"%s\",\"last_used_at\":\"%s\",\"expires_at\":\"%s\"}", made, used, end);
}

int session_list(struct db *d, int64_t user, int64_t current, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;

	if (db_query(d, STMT_session_list, &r, e, "i", user) < 0)
		return -1;
	strbuf_adds(b, "{\"sessions\":[");
	for (int i = 0; i < result_rows(r); i++)
		render(b, r, i, current);
	strbuf_adds(b, "]}");
	PQclear(r);
	return 0;
}

int session_revoke_by(struct db *d, const struct acting *who, int64_t user, int64_t id, const char *kind, bool *ended,
		      struct err *e)
{
	PGresult *r = NULL;
	bool found;

	if (db_one(d, STMT_session_end, &r, e, "ibttiit", who->user, who->admin, who->request, who->address, id, user,
		   kind) < 0)
		return -1;
	found = r && !result_null(r, 0, 0);
	if (ended)
		*ended = found && result_bool(r, 0, 0);
	PQclear(r);
	return found ? 0
		     : err_set(e, ERR_NOT_FOUND, NULL, "there is no %s of this id", kind ? kind : "session or token");
}

int session_revoke_others(struct db *d, int64_t user, int64_t spared, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_session_revoke_others, &r, e, "ii", user, spared) < 0)
		return -1;
	PQclear(r);
	return 0;
}
