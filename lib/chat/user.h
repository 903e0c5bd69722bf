/* user: people, appended as JSON. viewer: a guest may not know of everyone (doc/roles.md). */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/chat/page.h"
struct db;

#define USER_IDS_MAX 100
#define USER_HANDLE_MAX 32
#define USER_WISH_CHARS 80

/* True for the form of a handle. */
bool user_handle_valid(const char *s, size_t n);
/* ERR_BAD_FIELD (handle): none of that form. */
MUST_CHECK int user_handle_check(const char *handle, struct err *e);
/* ERR_CONFLICT (handle): one that nobody gets. Whether it is taken shows when it is. */
MUST_CHECK int user_handle_look(struct db *d, const char *handle, struct err *e);

/* Appends a User. ERR_NOT_FOUND. */
MUST_CHECK int user_get(struct db *d, int64_t viewer, int64_t user, struct strbuf *b, struct err *e);
/* Appends {"users":[…],"next":null}: those of the ids that exist, deactivated ones too. */
MUST_CHECK int user_list_ids(struct db *d, int64_t viewer, const int64_t *ids, size_t n, struct strbuf *b,
			     struct page *p, struct err *e);
/* Appends {"users":[…],"next":…}: active people by handle. wish: the beginning of a handle or of a word in a name, ""
 * for all. */
MUST_CHECK int user_list(struct db *d, int64_t viewer, const char *wish, const char *after, int64_t limit,
			 struct strbuf *b, struct page *p, struct err *e);
