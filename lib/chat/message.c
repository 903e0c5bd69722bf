/* message: body, rendering, sending. */
#include "lib/chat/message.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include "lib/chat/access.h"
#include "lib/chat/acting.h"
#include "lib/chat/mention.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include "lib/preview/links.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for what stands beside a text, or a body, as a rule. */
#define BODY_FRAME 64
#define ID_DIGITS 20
#define TAIL_FRAME 128

static const char *const body_names[] = {"text", "mentions", "files", "reply_to", "forward", NULL};
static const char *const edit_names[] = {"text", "mentions", NULL};

static void render_ids(struct strbuf *b, const char *name, const int64_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s%s%s%lld", i ? "" : ",\"", i ? "" : name, i ? "," : "\":[", (long long)ids[i]);
	if (n)
		strbuf_addc(b, ']');
}

/* The body but for its brace. */
static void render_body(struct strbuf *b, const struct span *text, const struct mentions *m)
{
	strbuf_adds(b, "{\"text\":");
	strbuf_add_json(b, text->p, text->n);
	mentions_render(b, m);
}

/* Ids, each once. */
static int read_ids(const struct jx *body, const char *path, const char *name, size_t max, int64_t *ids, size_t *n,
		    struct err *e)
{
	char field[32];

	if (jx_ids(body, path, name, JX_OPTIONAL, ids, max, n, e) < 0)
		return -1;
	snprintf(field, sizeof(field), "%s%s", path, name);
	for (size_t i = 1; i < *n; i++)
		for (size_t k = 0; k < i; k++)
			if (ids[i] == ids[k])
				return err_set(e, ERR_BAD_FIELD, field, "names one twice");
	return 0;
}

int message_text(const struct config *c, const struct jx *body, const char *path, struct span *text, bool *blank,
		 struct err *e)
{
	char field[32];

	if (jx_string(body, path, "text", JX_REQUIRED, 0, (size_t)c->limits.message_chars, text, e) < 0)
		return -1;
	*blank = utf8_blank(text->p, text->n);
	snprintf(field, sizeof(field), "%stext", path);
	if (utf8_has_control(text->p, text->n, "\t\n\r"))
		return err_set(e, ERR_BAD_FIELD, field, "contains a control character");
	return 0;
}

int message_files(const struct config *c, const struct jx *body, const char *path, int64_t ids[MESSAGE_FILES_MAX],
		  size_t *n, struct err *e)
{
	int64_t max = MIN_OF(c->files.message_files, (int64_t)MESSAGE_FILES_MAX);

	if (!config_files(c))
		max = 0; /* an empty list is welcome */
	return read_ids(body, path, "files", (size_t)max, ids, n, e);
}

int message_reply_to(const struct jx *body, const char *path, int64_t *seq, struct err *e)
{
	return jx_int(body, path, "reply_to", JX_OPTIONAL, 1, INT64_MAX, seq, e);
}

/* What it quotes or forwards, as items hold it; appended as it was sent. */
static int read_refs(const struct jx *body, struct write_item *item, struct strbuf *b, struct err *e)
{
	static const char *const names[] = {"channel", "seq", NULL};
	const struct jx *forward = NULL;
	int64_t quoted = 0, *r = item->refs;

	if (message_reply_to(body, "body.", &quoted, e) < 0 ||
	    jx_object(body, "body.", "forward", JX_OPTIONAL, &forward, e) < 0)
		return -1;
	if (quoted) {
		*r++ = 0;
		*r++ = quoted;
		strbuf_addf(b, ",\"reply_to\":%" PRId64, quoted);
	}
	if (forward) {
		if (jx_only(forward, "body.forward.", names, e) < 0 ||
		    jx_int(forward, "body.forward.", "channel", JX_REQUIRED, 1, INT64_MAX, &r[0], e) < 0 ||
		    jx_int(forward, "body.forward.", "seq", JX_REQUIRED, 1, INT64_MAX, &r[1], e) < 0)
			return -1;
		strbuf_addf(b, ",\"forward\":{\"channel\":%" PRId64 ",\"seq\":%" PRId64 "}", r[0], r[1]);
		r += 2;
		if (jx_get(body, "files"))
			return err_set(e, ERR_BAD_FIELD, "body.files", "a forwarded message has its original's");
	}
	item->refs_n = (size_t)(r - item->refs);
	return 0;
}

/* Whether what read_refs() has read is forwarded. */
static bool forwards(const struct write_item *item)
{
	return item->refs_n && item->refs[item->refs_n - 2];
}

static int64_t *copy_ids(const int64_t *ids, size_t n)
{
	return n ? memcpy(xcalloc(n, sizeof(*ids)), ids, n * sizeof(*ids)) : NULL;
}

static void add_uuid(struct strbuf *b, const unsigned char u[16])
{
	char text[37];

	hex_encode(text, u, 4);
	hex_encode(text + 9, u + 4, 2);
	hex_encode(text + 14, u + 6, 2);
	hex_encode(text + 19, u + 8, 2);
	hex_encode(text + 24, u + 10, 6);
	text[8] = text[13] = text[18] = text[23] = '-';
	strbuf_add(b, text, 36);
}

/* What follows created_at in the line; see message_render_row() for the same from a row. */
static void render_tail(struct strbuf *b, int64_t sender, const unsigned char client_id[16], int64_t root,
			const char *body, size_t body_n)
{
	strbuf_adds(b, "\"sender\":");
	strbuf_addi(b, sender);
	strbuf_adds(b, ",\"client_id\":\"");
	add_uuid(b, client_id);
	strbuf_adds(b, "\",\"version\":1,");
	if (root)
		strbuf_addf(b, "\"thread\":%" PRId64 "%s,", root < 0 ? -root : root,
			    root < 0 ? ",\"in_channel\":true" : "");
	strbuf_adds(b, "\"body\":");
	strbuf_add(b, body, body_n);
	strbuf_addc(b, '}');
}

/* The root of a reply, as items hold it; what is no reply is left as it is. */
static int read_root(const struct jx *o, int64_t *root, struct err *e)
{
	bool both = false;

	if (jx_int(o, "", "thread", JX_OPTIONAL, 1, INT64_MAX, root, e) < 0 ||
	    jx_bool(o, "", "in_channel", JX_OPTIONAL, &both, e) < 0)
		return -1;
	if (both && !*root)
		return err_set(e, ERR_BAD_FIELD, "in_channel", "only a reply has it: thread is missing");
	if (both)
		*root = -*root;
	return 0;
}

int message_item(const struct config *c, const struct jx *o, int64_t channel, int64_t sender, struct write_item **out,
		 struct err *e)
{
	struct write_item *item = write_item_new();
	struct strbuf body = {0}, tail = {0}, refs = {0};
	const struct jx *b = NULL;
	struct span text = {0};
	unsigned char digest[32];
	int64_t files[MESSAGE_FILES_MAX];
	struct mentions m;
	size_t files_n = 0, frame, whole;
	bool blank = false;

	if (jx_uuid(o, "", "client_id", item->client_id, e) < 0 || jx_object(o, "", "body", JX_REQUIRED, &b, e) < 0 ||
	    jx_only(b, "body.", body_names, e) < 0 || message_files(c, b, "body.", files, &files_n, e) < 0 ||
	    message_text(c, b, "body.", &text, &blank, e) < 0 || mentions_read(b, &m, e) < 0 ||
	    read_root(o, &item->root, e) < 0 || read_refs(b, item, &refs, e) < 0)
		goto fail;
	if (blank && !files_n && !forwards(item)) {
		err_set(e, ERR_BAD_FIELD, "body.text", "must not be empty");
		goto fail;
	}
	strbuf_reserve(&body, text.n + BODY_FRAME + (m.named_n + m.calls_n + files_n) * ID_DIGITS + refs.n);
	render_body(&body, &text, &m);
	frame = body.n;
	render_ids(&body, "files", files, files_n);
	strbuf_add(&body, refs.p, refs.n);
	strbuf_addc(&body, '}');
	whole = body.n;
	if (item->root) /* the same text elsewhere is another message */
		strbuf_addf(&body, "%" PRId64, item->root);
	sha256(body.p, body.n, digest);
	memcpy(item->digest, digest, sizeof(item->digest));
	body.n = whole;
	if (files_n || item->refs_n) { /* the database puts there what is told of them */
		body.n = frame;
		strbuf_addc(&body, '}');
	}
	strbuf_reserve(&tail, body.n + TAIL_FRAME);
	render_tail(&tail, sender, item->client_id, item->root, body.p, body.n);
	item->channel = channel;
	item->sender = sender;
	item->body = strbuf_take(&body, &item->body_n);
	item->tail = strbuf_take(&tail, &item->tail_n);
	item->named = copy_ids(m.named, m.named_n);
	item->named_n = m.named_n;
	item->calls = copy_ids(m.calls, m.calls_n);
	item->calls_n = m.calls_n;
	item->files = copy_ids(files, files_n);
	item->files_n = files_n;
	strbuf_release(&refs);
	*out = item;
	return 0;
fail:
	strbuf_release(&refs);
	strbuf_release(&body);
	strbuf_release(&tail);
	write_item_free(&item);
	return -1;
}

bool message_renders(const struct write_item *item)
{
	return !item->files_n && !item->calls_n && !item->refs_n;
}

void message_render_item(struct strbuf *b, const struct write_item *item)
{
	char at[TIME_TEXT_MAX];

	time_text(item->at_us, at);
	strbuf_adds(b, "\"channel\":");
	strbuf_addi(b, item->channel);
	strbuf_adds(b, ",\"seq\":");
	strbuf_addi(b, item->seq);
	strbuf_adds(b, ",\"id\":");
	strbuf_addi(b, item->id);
	strbuf_adds(b, ",\"created_at\":\"");
	strbuf_adds(b, at);
	strbuf_adds(b, "\",");
	strbuf_add(b, item->tail, item->tail_n - 1); /* its last byte is the object's brace */
}

enum {
	CHANNEL_ID,
	SEQ,
	ID,
	SENDER,
	CLIENT_ID,
	CREATED_US,
	VERSION,
	BODY,
	EDITED_US,
	DELETED_BY,
	REACTIONS,
	REACTIONS_VERSION,
	THREAD,
	ASIDE,
	REPLIES
};

/* Where it stands as a reply, and what was replied to it. */
static void render_thread(struct strbuf *b, const PGresult *r, int row, int first_col)
{
	if (!result_null(r, row, first_col + THREAD))
		strbuf_addf(b, ",\"thread\":%s%s", result_text(r, row, first_col + THREAD),
			    result_bool(r, row, first_col + ASIDE) ? "" : ",\"in_channel\":true");
	if (result_null(r, row, first_col + REPLIES))
		return;
	strbuf_adds(b, ",\"replies\":");
	strbuf_add(b, result_text(r, row, first_col + REPLIES), result_length(r, row, first_col + REPLIES));
}

void message_render_row(struct strbuf *b, const PGresult *r, int row, int first_col)
{
	char at[TIME_TEXT_MAX];
	bool deleted = !result_null(r, row, first_col + DELETED_BY);

	time_text(result_int(r, row, first_col + CREATED_US), at);
	strbuf_addf(b, "\"channel\":%s,\"seq\":%s,\"id\":%s,\"created_at\":\"%s\",\"sender\":%s,",
		    result_text(r, row, first_col + CHANNEL_ID), result_text(r, row, first_col + SEQ),
		    result_text(r, row, first_col + ID), at, result_text(r, row, first_col + SENDER));
	if (!deleted)
		strbuf_addf(b, "\"client_id\":\"%s\",", result_text(r, row, first_col + CLIENT_ID));
	strbuf_addf(b, "\"version\":%s", result_text(r, row, first_col + VERSION));
	render_thread(b, r, row, first_col);
	if (deleted) {
		strbuf_adds(b, ",\"deleted\":true");
		if (result_int(r, row, first_col + DELETED_BY))
			strbuf_addf(b, ",\"deleted_by\":%s", result_text(r, row, first_col + DELETED_BY));
		return;
	}
	strbuf_adds(b, ",\"body\":");
	strbuf_add(b, result_text(r, row, first_col + BODY), result_length(r, row, first_col + BODY));
	if (!result_null(r, row, first_col + EDITED_US)) {
		time_text(result_int(r, row, first_col + EDITED_US), at);
		strbuf_addf(b, ",\"edited_at\":\"%s\"", at);
	}
	if (!result_null(r, row, first_col + REACTIONS)) {
		strbuf_adds(b, ",\"reactions\":");
		strbuf_add(b, result_text(r, row, first_col + REACTIONS), result_length(r, row, first_col + REACTIONS));
		strbuf_addf(b, ",\"reactions_version\":%s", result_text(r, row, first_col + REACTIONS_VERSION));
	}
}

void message_render_hidden(struct strbuf *b, const PGresult *r, int row, int first_col)
{
	strbuf_addf(b, "\"channel\":%s,\"seq\":%s,\"hidden\":true", result_text(r, row, first_col + CHANNEL_ID),
		    result_text(r, row, first_col + SEQ));
	render_thread(b, r, row, first_col);
}

int message_edit(struct db *d, const struct config *c, const struct jx *o, int64_t channel, int64_t sender, int64_t seq,
		 struct err *e)
{
	static const char *const names[] = {"body", "version", NULL};
	AUTO_STRBUF body = {0};
	struct mentions m;
	int64_t version = 0;
	const struct jx *b = NULL;
	struct span text = {0}, link = {0};
	char url[LINK_MAX + 1];
	PGresult *r = NULL;
	bool blank = false;
	int rc;

	if (jx_only(o, "", names, e) < 0 || jx_object(o, "", "body", JX_REQUIRED, &b, e) < 0 ||
	    jx_int(o, "", "version", JX_OPTIONAL, 1, INT64_MAX, &version, e) < 0 ||
	    jx_only(b, "body.", edit_names, e) < 0 || message_text(c, b, "body.", &text, &blank, e) < 0 ||
	    mentions_read(b, &m, e) < 0)
		return -1;
	render_body(&body, &text, &m);
	strbuf_addc(&body, '}');
	if (link_find(text.p, text.n, &link))
		memcpy(url, link.p, link.n);
	url[link.n] = 0;
	if (db_one(d, STMT_message_edit, &r, e, "iiisbIiit", channel, sender, seq, body.p, body.n, (int)blank, m.named,
		   m.named_n, version, c->messages.edit_window, link.p ? url : NULL) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	PQclear(r);
	return rc;
}

int message_delete(struct db *d, const struct acting *who, int64_t channel, int64_t seq, struct strbuf *b,
		   struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_message_delete, &r, e, "iiibtt", channel, who->user, seq, who->admin, who->request,
		   who->address) < 0)
		return -1;
	rc = access_code(r ? result_text(r, 0, 0) : "", NULL, e);
	if (rc == 0) {
		strbuf_addc(b, '{');
		message_render_row(b, r, 0, 1);
		strbuf_addc(b, '}');
	}
	PQclear(r);
	return rc;
}

int64_t message_sender(struct span line)
{
	static const char name[] = ",\"sender\":";
	/* the first one: a text that says so comes later, and with its quotes escaped */
	const char *at = memmem(line.p, line.n, name, sizeof(name) - 1), *end;
	int64_t sender;

	if (!at)
		return 0;
	at += sizeof(name) - 1;
	end = memchr(at, ',', line.n - (size_t)(at - line.p));
	return end && int_parse(at, (size_t)(end - at), INT64_MAX, &sender) ? sender : 0;
}

void message_item_error(const struct write_item *item, struct err *e)
{
	*e = item->err;
}
