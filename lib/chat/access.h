/* access: who may do what in a channel (doc/protocol.md, sections 2 and 4). What depends on a state that others may
 * change meanwhile is judged once more under the channel's lock, by the functions of sql/functions. */
#pragma once
#include "lib/base/err.h"
#include "lib/db/result.h"
struct strbuf;

/* What one reader is to one channel. */
struct access {
	bool exists, is_public, is_direct, archived;
	bool member;
	char role[12]; /* in the channel; "" where not a member */
};

/* From a row whose columns, from first_col on, are kind, archived and role; r NULL or row out of range: no such
 * channel. */
struct access access_from_row(const PGresult *r, int row, int first_col);

/* May know of the channel: a member, or anyone of a public one. ERR_NOT_FOUND. */
MUST_CHECK int access_see(const struct access *a, struct err *e);
/* May read messages and members, and move his marker: members alone. ERR_NOT_FOUND, ERR_NOT_A_MEMBER. */
MUST_CHECK int access_read(const struct access *a, struct err *e);
/* May read this message, by a row whose columns from first_col on are those of access_from_row(), and whose seq_col is
 * null where there is no message that he sees. ERR_NOT_FOUND, ERR_NOT_A_MEMBER. */
MUST_CHECK int access_read_message(const PGresult *r, int first_col, int seq_col, struct err *e);

/* A guest joins and makes no public or private channels; he is invited. role: of the user. ERR_FORBIDDEN. */
MUST_CHECK int access_make_channel(const char *role, struct err *e);
MUST_CHECK int access_join(const char *role, struct err *e);

/* What the functions of sql/functions/40_channels.sql return, as an error. field: the one that named another user
 * (NULL: none). 0 for "ok" and "again". */
MUST_CHECK int access_code(const char *code, const char *field, struct err *e);
/* The same of a row's first column; takes r. */
MUST_CHECK int access_outcome(PGresult *r, const char *field, struct err *e);
/* … and what there is then, which the second column has as JSON, goes to b. */
MUST_CHECK int access_outcome_json(PGresult *r, const char *field, struct strbuf *b, struct err *e);
/* The code of a row whose columns, from first_col on, are that and, where it is "muted", until when (µs since 1970,
 * 0: until it is lifted). r NULL: no such channel. */
MUST_CHECK int access_write_code(const PGresult *r, int first_col, struct err *e);
