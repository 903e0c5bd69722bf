/* message: a message's body, its rendering (doc/protocol.md, section 3), and how a send becomes a write_item. The one
 * renderer of messages: live line, replay and history. */
#pragma once
#include "lib/base/strbuf.h"
#include "lib/db/result.h"
#include "lib/db/write_item.h"
struct acting;
struct config;
struct db;
struct jx;

#define MESSAGE_FILES_MAX 100 /* files of one message, whatever [files] message_files says */

/* Checks a send's client_id, body ({"text": …, "mentions"?: […], "files"?: […], "reply_to"?: …, "forward"?: …}), thread
 * and in_channel in o and makes the item for it: canonical body text, digest, the event's tail; the files, whom it
 * reaches and what it refers to come into both in the database. The caller sets done and arg. Errors: ERR_BAD_FIELD. */
MUST_CHECK int message_item(const struct config *c, const struct jx *o, int64_t channel, int64_t sender,
			    struct write_item **out, struct err *e);

/* Appends the members of a message object between its braces, without them: from a stored item that renders, or
 * from a row of a
 * statement whose columns, from first_col on, are: channel_id, seq, id, sender, client_id, created_us, version, body,
 * edited_us, deleted_by (null: it is not), reactions (null: there were none), reactions_version, thread, aside, replies
 * (null: there were none), as in sql/queries/messages.sql. */
#define MESSAGE_COLUMNS 15 /* of such a row */
/* Whether a stored item says all that is told: the database has added nothing to its body. */
bool message_renders(const struct write_item *item);
void message_render_item(struct strbuf *b, const struct write_item *item);
void message_render_row(struct strbuf *b, const PGresult *r, int row, int first_col);
/* Of a root that its reader may not see: its name, and what is told of its replies. */
void message_render_hidden(struct strbuf *b, const PGresult *r, int row, int first_col);

/* Edits one's own message, by what a PATCH says in o ({"body": …, "version"?}); the same again is harmless. Errors:
 * ERR_BAD_FIELD, and as access_code() says. */
MUST_CHECK int message_edit(struct db *d, const struct config *c, const struct jx *o, int64_t channel, int64_t sender,
			    int64_t seq, struct err *e);
/* Deletes a message, or finds it deleted, and appends the Message that is left. Errors as access_code() says. */
MUST_CHECK int message_delete(struct db *d, const struct acting *who, int64_t channel, int64_t seq, struct strbuf *b,
			      struct err *e);
/* Who sent the message of an event's line, as rendered here; 0: that is none. */
int64_t message_sender(struct span line);

/* The outcome of a write as an error (item->ok is false). */
void message_item_error(const struct write_item *item, struct err *e);

/* What drafts have in common with messages: the text of a body, at most limits.message_chars of it, without control
 * characters (*blank: it says nothing), its files, each once, and what it is an answer to. path: "body." or "". */
MUST_CHECK int message_text(const struct config *c, const struct jx *body, const char *path, struct span *text,
			    bool *blank, struct err *e);
MUST_CHECK int message_reply_to(const struct jx *body, const char *path, int64_t *seq, struct err *e); /* 0: none */
MUST_CHECK int message_files(const struct config *c, const struct jx *body, const char *path,
			     int64_t ids[MESSAGE_FILES_MAX], size_t *n, struct err *e);
