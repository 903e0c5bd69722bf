/* store: the object store of [files], S3 or the local one, which speaks S3 too: addresses for browsers, and what the
 * server itself asks of it. What asks goes over the network and blocks: for worker and care threads, never for a loop.
 * Any thread; a store is constant once made. Errors: ERR_STORE_UNAVAILABLE (no answer, 5xx, refused by the store: the
 * log has its words), ERR_UPLOAD_MISSING (no such object or multipart upload) and those that are named. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct config;
struct store;

#define STORE_KEY_SIZE 96
#define STORE_UPLOAD_ID_MAX 1024
#define STORE_PARTS_MAX 10000
#define STORE_TYPE_SIZE 128

/* NULL in *out where [files] store = none. Errors: ERR_BAD_FIELD: a setting. */
MUST_CHECK int store_new(const struct config *c, struct store **out, struct err *e);
void store_free(struct store **s);

/* A new object's name: PREFIX/<2>/<26 of a-z2-7>, 128 random bits. */
void store_key(const struct store *s, char key[STORE_KEY_SIZE]);

/* Whether the store itself holds a body against its x-amz-checksum-sha256. */
bool store_verifies(const struct store *s);
/* The origins that browsers must be let to: where uploads go to, and where downloads come from (may be the same). */
const char *store_upload_origin(const struct store *s);
const char *store_download_origin(const struct store *s);

/* What a browser sends to upload an object, or one of its parts (number 1 up, with the multipart upload's id; 0:
 * whole). Signed are content-length, x-amz-checksum-sha256, for a whole one content-type and if-none-match too. */
struct store_put {
	const char *key, *type; /* type: NULL for a part */
	int64_t size;
	const uint8_t *sha256; /* 32 bytes */
	const char *upload_id;
	int number;
	int64_t expires_at; /* out: seconds since 1970 */
};
/* Appends {"method":"PUT","url":"…","headers":{…},"expires_at":"…"}; content-length is not among the headers, which a
 * browser sets itself. */
MUST_CHECK int store_put_render(const struct store *s, struct store_put *p, struct strbuf *b, struct err *e);

/* How it comes down: under its name (RFC 6266), shown in the page or as a download. */
struct store_get {
	const char *key, *name, *type;
	bool show;
	bool steady; /* of what everybody may have: the same address for a day, which browsers keep what they got by */
};
/* Appends the URL that a GET is redirected to: CloudFront's where it is configured. lasts_s: how long it may be reused.
 */
MUST_CHECK int store_get_url(const struct store *s, const struct store_get *g, struct strbuf *url, int64_t *lasts_s,
			     struct err *e);

struct store_object {
	int64_t size;
	char type[STORE_TYPE_SIZE];
	bool has_sha256; /* as the store tells it */
	uint8_t sha256[32];
};
MUST_CHECK int store_head(const struct store *s, const char *key, struct store_object *o, struct err *e);

/* Reads n bytes from offset on (n 0: to the end) in pieces; read returns false to stop, which is no error. */
typedef bool (*store_reader)(void *arg, const uint8_t *p, size_t n);
MUST_CHECK int store_read(const struct store *s, const char *key, int64_t offset, int64_t n, store_reader read,
			  void *arg, struct err *e);

/* Deletes; what is not there is deleted. */
MUST_CHECK int store_delete(const struct store *s, const char *key, struct err *e);

/* Multipart uploads. begin: *upload_id is free()'s. */
MUST_CHECK int store_multipart_begin(const struct store *s, const char *key, const char *type, char **upload_id,
				     struct err *e);
struct store_part {
	int number;
	int64_t size;
	char etag[72];   /* with its quotes */
	char sha256[48]; /* base64, as the store tells it; "": it does not */
};
/* The parts that are there, ascending, in *parts (free()). */
MUST_CHECK int store_multipart_parts(const struct store *s, const char *key, const char *upload_id,
				     struct store_part **parts, size_t *n, struct err *e);
MUST_CHECK int store_multipart_complete(const struct store *s, const char *key, const char *upload_id,
					const struct store_part *parts, size_t n, struct err *e);
/* Again, or of one that has ended: harmless. */
MUST_CHECK int store_multipart_abort(const struct store *s, const char *key, const char *upload_id, struct err *e);
