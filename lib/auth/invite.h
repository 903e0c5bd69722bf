/* invite: links that let new people in where registration asks for one (doc/signin.md). The code is 128 bits; the
 * database has its SHA-256. Worker threads. */
#pragma once
#include "lib/auth/session.h"
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct acting;
struct config;
struct db;

#define INVITE_CODE_LEN 22
#define INVITE_NOTE_MAX 200 /* characters */
#define INVITE_USES_MAX 100000
#define INVITE_TTL_MAX_MS ((int64_t)400 * 86400000)

/* True for the form of a code; NULL is none. */
bool invite_code_valid(const char *code);

/* A code of 128 bits and what the database keeps of it (session_secret_hash()). Wipe it after use. */
struct invite_code {
	char code[INVITE_CODE_LEN + 1], hash[SESSION_HASH_MAX];
};
void invite_code_make(struct invite_code *c);
/* Appends a JSON object of n bytes with "code" and "url" in it; the code stands behind the #, where no server sees it.
 */
void invite_code_add(struct strbuf *json, const char *object, size_t n, const struct config *c, const char *path,
		     const struct invite_code *code);

struct invite_wish {
	const char *note, *role; /* role: member or guest */
	int64_t uses;            /* 0: any number */
	int64_t ttl_ms;          /* 0: for ever */
};
/* Appends {…,"code":"…","url":"…"} to json (the invitation as in a list, and what is shown this once). */
MUST_CHECK int invite_create(struct db *d, const struct config *c, const struct acting *who,
			     const struct invite_wish *w, struct strbuf *json, struct err *e);
/* Appends {"invites":[…],"next":…}, newest first; before: an id, 0 from the newest on. */
MUST_CHECK int invite_list(struct db *d, int64_t before, int64_t limit, struct strbuf *json, struct err *e);
/* ERR_NOT_FOUND. Again is harmless. */
MUST_CHECK int invite_revoke(struct db *d, const struct acting *who, int64_t id, struct err *e);
/* Appends {"state":"open"}: open, used_up, expired, revoked, unknown. */
MUST_CHECK int invite_look(struct db *d, const char *code, struct strbuf *json, struct err *e);
