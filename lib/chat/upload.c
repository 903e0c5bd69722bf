/* upload: input, rows, addresses. */
#include "lib/chat/upload.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/chat/access.h"
#include "lib/chat/upload_private.h"
#include "lib/db/db.h"
#include "lib/http/disposition.h"
#include "lib/json/jx.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARS 4096 /* as it comes; a name is cut to 255 bytes */
#define TYPE_CHARS 255
#define DURATION_MAX 1e8 /* seconds */
#define PART_ROUND ((int64_t)1 << 20)
#define SHA256_HEX 64

static int check_desk(const struct upload_desk *d, struct err *e)
{
	if (d->store)
		return 0;
	return err_set(e, ERR_UNPROCESSABLE, NULL, "this site keeps no files");
}

/* ---- the row */

int upload_row_get(const struct upload_desk *d, int64_t upload, int64_t put_ms, struct upload_row *u, struct err *e)
{
	enum { ID, CLIENT_ID, STATE, CHANNEL, FILE_JSON, KEY, TYPE, SIZE, SHA256, UPLOAD_ID, PART_SIZE };

	*u = (struct upload_row){0};
	if (db_one(d->db, STMT_upload_get, &u->r, e, "iii", d->user, upload, put_ms) < 0)
		return -1;
	if (!u->r)
		return err_set(e, ERR_NOT_FOUND, NULL, "no such upload");
	u->id = result_int(u->r, 0, ID);
	u->client_id = result_text(u->r, 0, CLIENT_ID);
	u->state = result_text(u->r, 0, STATE);
	u->channel = result_int(u->r, 0, CHANNEL);
	u->file = result_text(u->r, 0, FILE_JSON);
	u->key = result_text(u->r, 0, KEY);
	u->type = result_text(u->r, 0, TYPE);
	u->size = result_int(u->r, 0, SIZE);
	u->sha256 = result_text(u->r, 0, SHA256);
	u->upload_id = result_text(u->r, 0, UPLOAD_ID);
	u->part_size = result_int(u->r, 0, PART_SIZE);
	return 0;
}

void upload_row_release(struct upload_row *u)
{
	PQclear(u->r);
	u->r = NULL;
}

bool upload_row_is(const struct upload_row *u, const char *state)
{
	return !strcmp(u->state, state);
}

int64_t upload_row_parts(const struct upload_row *u)
{
	return u->part_size ? (u->size + u->part_size - 1) / u->part_size : 0;
}

int64_t upload_row_part_size(const struct upload_row *u, int64_t number)
{
	return MIN_OF(u->part_size, u->size - (number - 1) * u->part_size);
}

/* ---- beginning */

struct wish {
	unsigned char client_id[16];
	int64_t channel, thumbnail_of, size, width, height, part_size;
	struct span name, type, sha256;
	char clean[FILE_NAME_SIZE], kept_type[STORE_TYPE_SIZE], duration[40], client_hex[33];
};

static int read_duration(const struct jx *o, char out[40], struct err *e)
{
	const struct jx *v = jx_get(o, "duration");
	AUTO_STRBUF b = {0};
	double seconds;

	out[0] = 0;
	if (!v || jx_is(v, JX_NULL))
		return 0;
	if (jx_is(v, JX_INT) || jx_is(v, JX_REAL)) {
		jx_write(&b, v);
		seconds = strtod(strbuf_cstr(&b), NULL);
		if (seconds >= 0 && seconds <= DURATION_MAX && b.n < 40) {
			memcpy(out, strbuf_cstr(&b), b.n + 1);
			return 0;
		}
	}
	return err_set(e, ERR_BAD_FIELD, "duration", "must be a number of seconds, 0 or more");
}

static int check_sha256(const char *field, struct span hex, struct err *e)
{
	unsigned char bytes[SHA256_HEX / 2];

	if (hex.n != SHA256_HEX || !hex_decode(bytes, hex.p, hex.n))
		return err_set(e, ERR_BAD_FIELD, field, "must be a SHA-256 in 64 hexadecimal digits");
	return 0;
}

static int read_wish(const struct config *c, const struct jx *o, struct wish *w, struct err *e)
{
	static const char *const names[] = {"client_id", "channel", "name",     "size",         "type", "sha256",
					    "width",     "height",  "duration", "thumbnail_of", NULL};

	if (jx_only(o, "", names, e) < 0 || jx_uuid(o, "", "client_id", w->client_id, e) < 0 ||
	    jx_int(o, "", "channel", JX_REQUIRED, 1, INT64_MAX, &w->channel, e) < 0 ||
	    jx_string(o, "", "name", JX_REQUIRED, 1, NAME_CHARS, &w->name, e) < 0 ||
	    jx_int(o, "", "size", JX_REQUIRED, 0, INT64_MAX, &w->size, e) < 0 ||
	    jx_string(o, "", "type", JX_REQUIRED, 0, TYPE_CHARS, &w->type, e) < 0 ||
	    jx_string(o, "", "sha256", JX_OPTIONAL, 1, 128, &w->sha256, e) < 0 ||
	    jx_int(o, "", "width", JX_OPTIONAL, 1, UPLOAD_DIMENSION_MAX, &w->width, e) < 0 ||
	    jx_int(o, "", "height", JX_OPTIONAL, 1, UPLOAD_DIMENSION_MAX, &w->height, e) < 0 ||
	    jx_int(o, "", "thumbnail_of", JX_OPTIONAL, 1, INT64_MAX, &w->thumbnail_of, e) < 0 ||
	    read_duration(o, w->duration, e) < 0 || media_type(w->type, w->kept_type, e) < 0)
		return -1;
	if (w->size > c->files.max_size)
		return err_set(e, ERR_TOO_LARGE, "size", "a file may have %lld bytes at most",
			       (long long)c->files.max_size);
	if (w->thumbnail_of && !media_is_picture(w->kept_type))
		return err_set(e, ERR_BAD_FIELD, "type", "a thumbnail is a picture that browsers show");
	if (w->size > c->files.multipart_above) { /* no more parts than stores take */
		w->part_size = MAX_OF(c->files.part_size, (w->size + STORE_PARTS_MAX - 1) / STORE_PARTS_MAX);
		w->part_size = (w->part_size + PART_ROUND - 1) / PART_ROUND * PART_ROUND;
		w->sha256 = (struct span){NULL, 0}; /* each part has its own */
	} else if (check_sha256("sha256", w->sha256, e) < 0) {
		return -1;
	}
	file_name_clean(w->name.p, w->name.n, w->clean);
	hex_encode(w->client_hex, w->client_id, sizeof(w->client_id));
	return 0;
}

static int begin_code(const char *code, int64_t retry_s, struct err *e)
{
	if (!strcmp(code, "client_id_reused"))
		return err_set(e, ERR_CLIENT_ID_REUSED, "client_id", "was used before for another file");
	if (!strcmp(code, "bad_thumbnail"))
		return err_set(e, ERR_BAD_FIELD, "thumbnail_of",
			       "is no file of yours in this channel that is in no message yet");
	if (!strcmp(code, "quota_user"))
		return err_set(e, ERR_QUOTA_EXCEEDED, NULL, "you have as much in files as you may: erase some first");
	if (!strcmp(code, "quota_day") && retry_s)
		return err_retry(e, ERR_QUOTA_EXCEEDED, (int)retry_s * 1000,
				 "you have uploaded as much within 24 hours as you may");
	if (!strcmp(code, "quota_day"))
		return err_set(e, ERR_QUOTA_EXCEEDED, "size", "is more than you may upload within 24 hours");
	return access_code(code, NULL, e);
}

int upload_begin(const struct upload_desk *d, const struct jx *o, int64_t *upload, bool *again, struct err *e)
{
	const struct config *c = d->config;
	struct wish w = {0};
	char key[STORE_KEY_SIZE];
	PGresult *r = NULL;
	const char *code;
	int rc;

	if (check_desk(d, e) < 0 || read_wish(c, o, &w, e) < 0)
		return -1;
	store_key(d->store, key);
	if (db_one(d->db, STMT_upload_begin, &r, e, "itiititsiittiiii", d->user, w.client_hex, w.channel,
		   w.thumbnail_of, w.clean, w.size, w.kept_type, w.sha256.p, w.sha256.n, w.width, w.height,
		   w.duration[0] ? w.duration : NULL, key, w.part_size, c->files.quota_user, c->files.quota_day,
		   c->files.upload_expires) < 0)
		return -1;
	code = r ? result_text(r, 0, 0) : "";
	*again = !strcmp(code, "again");
	*upload = r ? result_int(r, 0, 1) : 0;
	rc = begin_code(code, r ? result_int(r, 0, 2) : 0, e);
	PQclear(r);
	return rc;
}

/* ---- what is told of it */

/* The store's id of the multipart upload. One of two that begin at once gives its own up. */
static int need_multipart(const struct upload_desk *d, struct upload_row *u, struct err *e)
{
	char *made = NULL;
	PGresult *r = NULL;
	int64_t id = u->id;
	bool taken;

	if (!u->part_size || u->upload_id[0] || !upload_row_is(u, "pending"))
		return 0;
	if (store_multipart_begin(d->store, u->key, u->type, &made, e) < 0)
		return -1;
	if (db_one(d->db, STMT_upload_multipart, &r, e, "it", id, made) < 0) {
		free(made); /* it may be in the row, else the store's own rules end it */
		return -1;
	}
	taken = r;
	PQclear(r);
	if (!taken) {
		struct err ignored = {0};

		if (store_multipart_abort(d->store, u->key, made, &ignored) < 0)
			ignored.code = 0; /* as above */
	}
	free(made);
	upload_row_release(u);
	return upload_row_get(d, id, 0, u, e);
}

static int render_put(const struct upload_desk *d, const struct upload_row *u, struct strbuf *b, struct err *e)
{
	unsigned char sha256[SHA256_HEX / 2];
	struct store_put p = {.key = u->key, .type = u->type, .size = u->size, .sha256 = sha256};

	if (!hex_decode(sha256, u->sha256, strlen(u->sha256)))
		return err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
	return store_put_render(d->store, &p, b, e);
}

static int render_have(const struct upload_desk *d, const struct upload_row *u, struct strbuf *b, struct err *e)
{
	struct store_part *parts = NULL;
	struct err why = {0};
	size_t n = 0;

	strbuf_addf(b, "{\"part_size\":%lld,\"parts\":%lld,\"have\":[", (long long)u->part_size,
		    (long long)upload_row_parts(u));
	/* where it is not there any more it may be complete already: `complete` finds out */
	if (store_multipart_parts(d->store, u->key, u->upload_id, &parts, &n, &why) < 0 &&
	    why.code != ERR_UPLOAD_MISSING) {
		*e = why;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s{\"number\":%d,\"size\":%lld}", i ? "," : "", parts[i].number,
			    (long long)parts[i].size);
	strbuf_adds(b, "]}");
	free(parts);
	return 0;
}

static int render(const struct upload_desk *d, struct upload_row *u, struct strbuf *b, struct err *e)
{
	bool pending;

	if (need_multipart(d, u, e) < 0)
		return -1;
	pending = upload_row_is(u, "pending");
	strbuf_addf(b,
		    "{\"id\":%lld,\"client_id\":\"%s\",\"state\":\"%s\",\"channel\":%lld,\"file\":", (long long)u->id,
		    u->client_id, u->state, (long long)u->channel);
	strbuf_adds(b, u->file);
	strbuf_adds(b, ",\"put\":");
	if (!pending || u->part_size)
		strbuf_adds(b, "null");
	else if (render_put(d, u, b, e) < 0)
		return -1;
	strbuf_adds(b, ",\"multipart\":");
	if (!pending || !u->part_size)
		strbuf_adds(b, "null");
	else if (render_have(d, u, b, e) < 0)
		return -1;
	strbuf_addc(b, '}');
	return 0;
}

int upload_render(const struct upload_desk *d, int64_t upload, bool *checked, struct strbuf *b, struct err *e)
{
	struct upload_row u = {0};
	int rc = -1;

	if (check_desk(d, e) == 0 && upload_row_get(d, upload, d->config->files.upload_expires, &u, e) == 0) {
		rc = render(d, &u, b, e);
		if (checked)
			*checked = upload_row_is(&u, "ready") || upload_row_is(&u, "attached") ||
				   upload_row_is(&u, "emoji") || upload_row_is(&u, "profile");
	}
	upload_row_release(&u);
	return rc;
}

static bool take(void *arg, const uint8_t *p, size_t n)
{
	strbuf_add(arg, p, n);
	return true;
}

int upload_bytes(const struct upload_desk *d, int64_t upload, int64_t max, bool *got, struct strbuf *b, struct err *e)
{
	struct upload_row u = {0};
	int rc = upload_row_get(d, upload, 0, &u, e);

	*got = rc == 0 && d->store && upload_row_is(&u, "ready") && u.size > 0 && u.size <= max;
	if (rc < 0 && e->code == ERR_NOT_FOUND)
		rc = 0;
	else if (*got)
		rc = store_read(d->store, u.key, 0, u.size, take, b, e);
	upload_row_release(&u);
	return rc;
}

/* ---- parts */

struct asked {
	size_t n;
	int64_t numbers[UPLOAD_PARTS_ASKED], sizes[UPLOAD_PARTS_ASKED];
	const char *hashes[UPLOAD_PARTS_ASKED];
	unsigned char sha256[UPLOAD_PARTS_ASKED][SHA256_HEX / 2];
};

static int read_part(const struct jx *v, const struct upload_row *u, struct asked *a, struct err *e)
{
	static const char *const names[] = {"number", "sha256", NULL};
	struct span hex = {0};

	if (!jx_is(v, JX_OBJECT))
		return err_set(e, ERR_BAD_FIELD, "parts", "must be an array of objects");
	if (jx_only(v, "parts.", names, e) < 0 ||
	    jx_int(v, "parts.", "number", JX_REQUIRED, 1, upload_row_parts(u), &a->numbers[a->n], e) < 0 ||
	    jx_string(v, "parts.", "sha256", JX_REQUIRED, 1, 128, &hex, e) < 0 ||
	    check_sha256("parts.sha256", hex, e) < 0)
		return -1;
	for (size_t i = 0; i < a->n; i++)
		if (a->numbers[i] == a->numbers[a->n])
			return err_set(e, ERR_BAD_FIELD, "parts.number", "stands twice");
	if (!hex_decode(a->sha256[a->n], hex.p, hex.n))
		return err_set(e, ERR_BAD_FIELD, "parts.sha256", "must be hexadecimal digits");
	a->hashes[a->n] = hex.p;
	a->sizes[a->n] = upload_row_part_size(u, a->numbers[a->n]);
	a->n++;
	return 0;
}

static int read_parts(const struct jx *o, const struct upload_row *u, struct asked *a, struct err *e)
{
	static const char *const names[] = {"parts", NULL};
	const struct jx *list = jx_get(o, "parts");
	size_t n = jx_length(list);

	if (jx_only(o, "", names, e) < 0)
		return -1;
	if (!jx_is(list, JX_ARRAY) || n < 1 || n > UPLOAD_PARTS_ASKED)
		return err_set(e, ERR_BAD_FIELD, "parts", "must be an array of 1 to %d parts", UPLOAD_PARTS_ASKED);
	for (const struct jx *v = jx_element(list, NULL); v; v = jx_element(list, v))
		if (read_part(v, u, a, e) < 0)
			return -1;
	return 0;
}

static int render_parts(const struct upload_desk *d, const struct upload_row *u, const struct asked *a,
			struct strbuf *b, struct err *e)
{
	strbuf_adds(b, "{\"parts\":[");
	for (size_t i = 0; i < a->n; i++) {
		struct store_put p = {.key = u->key,
				      .size = a->sizes[i],
				      .sha256 = a->sha256[i],
				      .upload_id = u->upload_id,
				      .number = (int)a->numbers[i]};
		AUTO_STRBUF put = {0};

		if (store_put_render(d->store, &p, &put, e) < 0)
			return -1;
		/* the number comes before its members */
		strbuf_addf(b, "%s{\"number\":%d,%s", i ? "," : "", p.number, strbuf_cstr(&put) + 1);
	}
	strbuf_adds(b, "]}");
	return 0;
}

int upload_parts(const struct upload_desk *d, int64_t upload, const struct jx *o, struct strbuf *b, struct err *e)
{
	struct asked *a = xcalloc(1, sizeof(*a));
	struct upload_row u = {0};
	PGresult *r = NULL;
	int rc = -1;

	if (check_desk(d, e) < 0 || upload_row_get(d, upload, d->config->files.upload_expires, &u, e) < 0)
		goto out;
	if (!u.part_size || !upload_row_is(&u, "pending")) {
		err_set(e, ERR_UNPROCESSABLE, NULL, u.part_size ? "it is not pending any more" : "it has no parts");
		goto out;
	}
	if (need_multipart(d, &u, e) < 0 || read_parts(o, &u, a, e) < 0 ||
	    db_one(d->db, STMT_upload_parts, &r, e, "iiIIT", d->user, upload, a->numbers, a->n, a->sizes, a->n,
		   a->hashes, a->n) < 0)
		goto out;
	if (!r || strcmp(result_text(r, 0, 0), "ok") != 0)
		err_set(e, ERR_UNPROCESSABLE, NULL, "it is not pending any more");
	else
		rc = render_parts(d, &u, a, b, e);
out:
	PQclear(r);
	upload_row_release(&u);
	free(a);
	return rc;
}

/* ---- claims */

int upload_claim(const struct upload_desk *d, int64_t upload, enum upload_claim *out, int64_t *checks, struct err *e)
{
	static const char differs[] = "differs_";
	PGresult *r = NULL;
	const char *code;
	int rc = 0;

	if (check_desk(d, e) < 0 ||
	    db_one(d->db, STMT_upload_check_begin, &r, e, "iii", d->user, upload, (int64_t)UPLOAD_LEASE_MS) < 0)
		return -1;
	code = r ? result_text(r, 0, 0) : "";
	*checks = r ? result_int(r, 0, 1) : 0;
	if (!strcmp(code, "check"))
		*out = UPLOAD_CLAIMED;
	else if (!strcmp(code, "checking"))
		*out = UPLOAD_CHECKING;
	else if (!strcmp(code, "done"))
		*out = UPLOAD_DONE;
	else if (!strncmp(code, differs, sizeof(differs) - 1))
		rc = err_set(e, ERR_UPLOAD_DIFFERS, code + sizeof(differs) - 1,
			     "what was uploaded is not what was declared; upload it anew under another client_id");
	else
		rc = err_set(e, ERR_NOT_FOUND, NULL, "no such upload");
	PQclear(r);
	return rc;
}

void upload_unclaim(const struct upload_desk *d, int64_t upload, int64_t checks)
{
	PGresult *r = NULL;
	struct err ignored = {0}; /* the lease ends by itself */

	if (db_one(d->db, STMT_upload_check_end, &r, &ignored, "iittt", upload, checks, "pending", NULL, NULL) == 0)
		PQclear(r);
}
