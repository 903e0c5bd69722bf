/* local: the local object store: a folder of objects, each under the SHA-256 of its key, so that no key's text is ever
 * a file's name. What is visible is whole, durable and never changes: an object is a folder of two files, data and
 * meta, that is made in tmp/ and comes to its place by one rename (doc/files.md). Several processes may share a folder.
 * Any thread; a struct that is made here is one thread's at a time. Nothing here knows who may do what. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
#include "lib/store/s3_err.h"
#include "lib/store/store.h"
#include <sys/uio.h>

#define LOCAL_KEY_MAX 1024
#define LOCAL_ID_LEN 26                     /* of uploads: a-z2-7, 130 random bits */
#define LOCAL_ETAG_SIZE 48                  /* with its quotes */
#define LOCAL_PART_MIN ((int64_t)5 << 20)   /* of each part but the last, as S3 has it */
#define LOCAL_PATH_SIZE 96                  /* of an object's data, below the folder */
#define LOCAL_TMP_S ((int64_t)86400)        /* what nobody has touched for so long is swept */
#define LOCAL_UPLOAD_S ((int64_t)8 * 86400) /* longer than any signature holds */

struct local;

/* Opens the folder, and makes what is missing in it. Errors: ERR_BAD_FIELD. */
MUST_CHECK int local_open(const char *dir, struct local **out, struct err *e);
void local_free(struct local **l);
/* Deletes what interrupted uploads have left. now: seconds since 1970. Returns how many. */
int local_sweep(struct local *l, int64_t now);

struct local_meta {
	int64_t size, at; /* at: seconds since 1970 */
	char type[STORE_TYPE_SIZE];
	unsigned char sha256[32];      /* of the body; of an object of parts: of their SHA-256s in a row */
	int parts;                     /* 0: sent as one */
	char upload[LOCAL_ID_LEN + 1]; /* the multipart upload that made it, or "" */
};
/* "<32 hex digits>" of the SHA-256, with -N where it is of N parts. */
void local_etag(const unsigned char sha256[32], int parts, char out[LOCAL_ETAG_SIZE]);

/* path: where the data is, relative to the folder. S3_NO_KEY. */
MUST_CHECK enum s3_err local_look(const struct local *l, const char *bucket, const char *key, struct local_meta *m,
				  char path[LOCAL_PATH_SIZE]);
/* What is not there is deleted. */
MUST_CHECK enum s3_err local_delete(struct local *l, const char *bucket, const char *key);

/* A body on its way. size: how much must come. sha256: what it must have, NULL: anything. */
struct local_write;
MUST_CHECK enum s3_err local_write_new(struct local *l, int64_t size, const unsigned char *sha256,
				       struct local_write **out);
/* Some pieces in a row, IOV_MAX at most. S3_INCOMPLETE: more than was declared. */
MUST_CHECK enum s3_err local_write_add(struct local_write *w, const struct iovec *pieces, size_t n);
/* Makes it an object: after S3_OK it survives a loss of power. S3_INCOMPLETE, S3_BAD_DIGEST, S3_PRECONDITION: there is
 * one of this key. */
MUST_CHECK enum s3_err local_write_object(struct local_write *w, const char *bucket, const char *key, const char *type,
					  struct local_meta *m);
/* Makes it a part, in place of a former one of this number: of several that are sent at once the last to come is there,
 * whole, and one is at any moment. After S3_OK it survives a loss of power. */
MUST_CHECK enum s3_err local_write_part(struct local_write *w, const char *upload, int number,
					char etag[LOCAL_ETAG_SIZE]);
void local_write_free(struct local_write **w); /* what is not finished is gone */

/* --- multipart uploads (lib/store/local_parts.c) */
MUST_CHECK enum s3_err local_upload_new(struct local *l, const char *bucket, const char *key, const char *type,
					char upload[LOCAL_ID_LEN + 1]);
/* S3_NO_UPLOAD: none of this id, or of another key. type may be NULL. */
MUST_CHECK enum s3_err local_upload_look(const struct local *l, const char *bucket, const char *key, const char *upload,
					 char type[STORE_TYPE_SIZE]);
MUST_CHECK enum s3_err local_upload_abort(struct local *l, const char *bucket, const char *key, const char *upload);

struct local_part {
	int number;
	int64_t size, at_ns;
	unsigned char sha256[32];
};
/* Up to max of those with a number above after, ascending; *parts is free()'s. */
MUST_CHECK enum s3_err local_parts(const struct local *l, const char *upload, int after, size_t max,
				   struct local_part **parts, size_t *n);

/* What is to become of parts: one object, by copying in steps, so that nobody holds a thread for long. The parts stay
 * until the object is there. */
struct local_wanted {
	int number;
	char etag[LOCAL_ETAG_SIZE]; /* with or without its quotes */
};
struct local_join;
/* S3_NO_UPLOAD, S3_BAD_PART, S3_PART_ORDER, S3_TOO_SMALL, S3_TOO_LARGE: over max bytes in all. */
MUST_CHECK enum s3_err local_join_new(struct local *l, const char *bucket, const char *key, const char *upload,
				      const struct local_wanted *wanted, size_t n, int64_t max,
				      struct local_join **out);
/* Copies up to n bytes. *done: the object is there, and m tells of it. */
MUST_CHECK enum s3_err local_join_step(struct local_join *j, int64_t n, bool *done, struct local_meta *m);
void local_join_free(struct local_join **j);
