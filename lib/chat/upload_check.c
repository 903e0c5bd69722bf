/* upload_check: whether what lies in the store is what was declared. */
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/log.h"
#include "lib/chat/upload_private.h"
#include "lib/db/db.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define RENEW_EACH_MS 5000
#define HASH_BYTES 32

struct check {
	const struct upload_desk *desk;
	const struct upload_row *u;
	int64_t checks;
	bool (*go_on)(void *arg);
	void *arg;
	int64_t renew_at;
	bool stopped; /* it is not ours any more, or the process stops */

	/* of the bytes that are read */
	EVP_MD_CTX *hash;
	unsigned char head[MEDIA_HEAD_BYTES];
	size_t head_n;
	int64_t read, part_left;                     /* part_left: of the part that is being hashed */
	int64_t part;                                /* its number, 0: the whole */
	const unsigned char (*declared)[HASH_BYTES]; /* of the whole, or of each part */
	bool wrong;
};

/* Keeps the lease. */
static bool keep(struct check *c)
{
	int64_t now = clock_mono_ms();
	PGresult *r = NULL;
	struct err e = {0};

	if (c->stopped || (c->go_on && !c->go_on(c->arg)))
		return !(c->stopped = true);
	if (now < c->renew_at)
		return true;
	if (db_one(c->desk->db, STMT_upload_check_renew, &r, &e, "iii", c->u->id, c->checks,
		   (int64_t)UPLOAD_LEASE_MS) == 0)
		c->stopped = !r; /* where the database is away the lease may last until it is back */
	PQclear(r);
	c->renew_at = now + RENEW_EACH_MS;
	return !c->stopped;
}

static void hash_start(struct check *c)
{
	if (!EVP_DigestInit_ex(c->hash, EVP_sha256(), NULL))
		abort();
}

static void hash_end(struct check *c)
{
	unsigned char got[HASH_BYTES];

	if (!EVP_DigestFinal_ex(c->hash, got, NULL))
		abort();
	if (memcmp(got, c->declared[c->part ? c->part - 1 : 0], HASH_BYTES) != 0)
		c->wrong = true;
}

static bool on_bytes(void *arg, const uint8_t *p, size_t n)
{
	struct check *c = arg;
	size_t more = MIN_OF(n, sizeof(c->head) - c->head_n);

	memcpy(c->head + c->head_n, p, more);
	c->head_n += more;
	c->read += (int64_t)n;
	while (c->hash && n && !c->wrong) {
		size_t take = (size_t)MIN_OF((int64_t)n, c->part_left);

		if (!take) { /* more than there should be */
			c->wrong = true;
			break;
		}
		if (!EVP_DigestUpdate(c->hash, p, take))
			abort();
		p += take;
		n -= take;
		c->part_left -= (int64_t)take;
		if (!c->part_left && c->part && c->read - (int64_t)n < c->u->size) {
			hash_end(c);
			hash_start(c);
			c->part_left = upload_row_part_size(c->u, ++c->part);
		}
	}
	return !c->wrong && keep(c);
}

static int missing(struct err *e, const char *what)
{
	return err_set(e, ERR_UPLOAD_MISSING, NULL, "%s", what);
}

/* What the parts were declared to be; ERR_UPLOAD_MISSING where an address for one was never asked for. */
static int declared_parts(struct check *c, unsigned char (**out)[HASH_BYTES], struct err *e)
{
	int64_t n = upload_row_parts(c->u);
	PGresult *r = NULL;
	int rc = 0;

	if (db_query(c->desk->db, STMT_upload_part_list, &r, e, "i", c->u->id) < 0)
		return -1;
	*out = xcalloc((size_t)n, sizeof(**out));
	if (result_rows(r) != n)
		rc = missing(e, "parts are missing");
	for (int i = 0; rc == 0 && i < n; i++)
		if (!hex_decode((*out)[i], result_text(r, i, 2), result_length(r, i, 2)))
			rc = err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
	PQclear(r);
	return rc;
}

static bool parts_fit(const struct upload_row *u, const struct store_part *parts, size_t n)
{
	if ((int64_t)n != upload_row_parts(u))
		return false;
	for (size_t i = 0; i < n; i++)
		if (parts[i].number != (int)i + 1 || parts[i].size != upload_row_part_size(u, (int64_t)i + 1))
			return false;
	return true;
}

/* Makes one object of its parts. Where the store knows of no such upload it may be one already. */
static int join_parts(struct check *c, struct err *e)
{
	const struct upload_row *u = c->u;
	const struct store *s = c->desk->store;
	struct store_part *parts = NULL;
	struct err why = {0};
	size_t n = 0;
	int rc;

	if (!u->upload_id[0])
		return missing(e, "nothing was uploaded");
	rc = store_multipart_parts(s, u->key, u->upload_id, &parts, &n, &why);
	if (rc == 0 && !parts_fit(u, parts, n))
		rc = missing(&why, "parts are missing, or not of their size");
	else if (rc == 0)
		rc = store_multipart_complete(s, u->key, u->upload_id, parts, n, &why);
	else if (why.code == ERR_UPLOAD_MISSING)
		rc = 0;
	free(parts);
	if (rc < 0)
		*e = why;
	return rc;
}

static int differs(struct err *e, const char *field, const char *detail)
{
	return err_set(e, ERR_UPLOAD_DIFFERS, field, "%s", detail);
}

static int read_object(struct check *c, int64_t n, struct err *e)
{
	if (c->u->size && store_read(c->desk->store, c->u->key, 0, n, on_bytes, c, e) < 0)
		return -1;
	if (c->stopped)
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the check was interrupted, try again");
	return 0;
}

/* Reads it all, where the store holds nothing against a checksum, else what the type is seen by. */
static int read_bytes(struct check *c, struct err *e)
{
	unsigned char(*declared)[HASH_BYTES] = NULL;
	int rc = 0;

	if (store_verifies(c->desk->store))
		return read_object(c, MIN_OF(c->u->size, (int64_t)MEDIA_HEAD_BYTES), e);
	if (c->u->part_size) {
		rc = declared_parts(c, &declared, e);
	} else {
		declared = xcalloc(1, sizeof(*declared));
		if (!hex_decode(declared[0], c->u->sha256, strlen(c->u->sha256)))
			rc = err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
	}
	if (rc == 0) {
		c->declared = (const unsigned char(*)[HASH_BYTES])declared;
		c->hash = EVP_MD_CTX_new();
		c->part = c->u->part_size ? 1 : 0;
		c->part_left = c->part ? upload_row_part_size(c->u, 1) : c->u->size;
		hash_start(c);
		rc = read_object(c, 0, e);
		if (rc == 0 && !c->wrong && c->read == c->u->size)
			hash_end(c);
		if (rc == 0 && (c->wrong || c->read != c->u->size))
			rc = differs(e, "sha256", "what was uploaded has another checksum than was declared");
		EVP_MD_CTX_free(c->hash);
		c->hash = NULL;
	}
	free(declared);
	return rc;
}

static int look(struct check *c, struct media_sniffer *m, char type[STORE_TYPE_SIZE], struct err *e)
{
	struct store_object o = {0};
	unsigned char sha256[HASH_BYTES];

	if (c->u->part_size && join_parts(c, e) < 0)
		return -1;
	if (!keep(c))
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the check was interrupted, try again");
	if (store_head(c->desk->store, c->u->key, &o, e) < 0)
		return -1;
	if (o.size != c->u->size)
		return differs(e, "size", "what was uploaded has another size than was declared");
	if (!c->u->part_size && o.has_sha256 &&
	    (!hex_decode(sha256, c->u->sha256, strlen(c->u->sha256)) || memcmp(sha256, o.sha256, HASH_BYTES) != 0))
		return differs(e, "sha256", "what was uploaded has another checksum than was declared");
	if (read_bytes(c, e) < 0)
		return -1;
	return media_judge(m, c->u->type, c->head, c->head_n, type, e);
}

int upload_check(const struct upload_desk *d, struct media_sniffer *m, int64_t upload, int64_t checks,
		 bool (*go_on)(void *arg), void *arg, struct err *e)
{
	struct check *c = xcalloc(1, sizeof(*c));
	struct upload_row u = {0};
	char type[STORE_TYPE_SIZE] = "";
	const char *state = "pending";
	PGresult *r = NULL;
	struct err lost = {0};
	int rc = upload_row_get(d, upload, 0, &u, e);

	*c = (struct check){.desk = d, .u = &u, .checks = checks, .go_on = go_on, .arg = arg};
	c->renew_at = clock_mono_ms() + RENEW_EACH_MS;
	if (rc == 0)
		rc = look(c, m, type, e);
	if (rc == 0)
		state = "ready";
	else if (e->code == ERR_UPLOAD_DIFFERS)
		state = "erased";
	if (rc < 0)
		log_info("upload.check", "file=%" PRId64 " code=%s field=%s", upload, err_name(e->code),
			 log_quote(e->field));
	if (db_one(d->db, STMT_upload_check_end, &r, &lost, "iittt", upload, checks, state, rc == 0 ? type : NULL,
		   e->code == ERR_UPLOAD_DIFFERS && rc < 0 ? e->field : NULL) < 0) {
		if (rc == 0) {
			*e = lost;
			rc = -1;
		}
	} else if (rc == 0 && !(r && result_bool(r, 0, 0))) {
		rc = err_set(e, ERR_NOT_FOUND, NULL, "no such upload"); /* it was erased meanwhile */
	}
	PQclear(r);
	upload_row_release(&u);
	free(c);
	return rc;
}
