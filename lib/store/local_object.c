/* local_object: bodies that come in, objects that are there, objects that go. */
#include "lib/store/local_private.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define PUSH_BYTES ((int64_t)8 << 20) /* the disk writes while more comes: the fsync at the end is short */
#define KEEP_FREE ((int64_t)64 << 20) /* never filled to the brim */
#define NUMBER_SIZE 24

void local_etag(const unsigned char digest[32], int parts, char out[LOCAL_ETAG_SIZE])
{
	char hex[33];

	hex_encode(hex, digest, 16);
	if (parts)
		snprintf(out, LOCAL_ETAG_SIZE, "\"%s-%d\"", hex, parts);
	else
		snprintf(out, LOCAL_ETAG_SIZE, "\"%s\"", hex);
}

/* ---- what is there */

static bool number(const char *s, int64_t max, int64_t *out)
{
	return int_parse(s, strlen(s), max, out);
}

static enum s3_err read_meta(const struct local *l, const char *path, struct local_meta *m)
{
	char size[NUMBER_SIZE], at[NUMBER_SIZE], parts[NUMBER_SIZE], hex[LOCAL_HASH_LEN + 1];
	struct local_line lines[] = {
		{"type", m->type, sizeof(m->type)},
		{"size", size, sizeof(size)},
		{"at", at, sizeof(at)},
		{"parts", parts, sizeof(parts)},
		{"upload", m->upload, sizeof(m->upload)},
		{"sha256", hex, sizeof(hex)},
	};
	int64_t n = 0;

	if (local_lines_read(l->dir, path, lines, COUNT_OF(lines)) < 0)
		return errno == ENOENT || errno == ENOTDIR ? S3_NO_KEY : local_trouble(l, "meta");
	if (!number(size, INT64_MAX, &m->size) || !number(at, INT64_MAX, &m->at) ||
	    !number(parts, STORE_PARTS_MAX, &n) || strlen(hex) != LOCAL_HASH_LEN ||
	    !hex_decode(m->sha256, hex, LOCAL_HASH_LEN)) {
		errno = EBADMSG;
		return local_trouble(l, "meta");
	}
	m->parts = (int)n;
	return S3_OK;
}

enum s3_err local_look(const struct local *l, const char *bucket, const char *key, struct local_meta *m,
		       char path[LOCAL_PATH_SIZE])
{
	char object[LOCAL_PATH_SIZE], meta[LOCAL_PATH_SIZE + 8];

	local_object_path(bucket, key, object);
	snprintf(meta, sizeof(meta), "%s/meta", object);
	if (path && snprintf(path, LOCAL_PATH_SIZE, "%.*s/data", LOCAL_PATH_SIZE - 8, object) >= LOCAL_PATH_SIZE)
		return S3_INTERNAL;
	return read_meta(l, meta, m);
}

enum s3_err local_delete(struct local *l, const char *bucket, const char *key)
{
	char path[LOCAL_PATH_SIZE], name[LOCAL_ID_LEN + 1];

	local_object_path(bucket, key, path);
	local_name(name);
	if (renameat(l->dir, path, l->tmp, name) < 0)
		return errno == ENOENT ? S3_OK : local_trouble(l, "delete");
	if (local_sync_name(l->dir, path) < 0)
		return local_trouble(l, "delete");
	local_remove(l->tmp, name);
	return S3_OK;
}

/* ---- what comes in */

static bool has_room(const struct local *l, int64_t size)
{
	struct statvfs v;

	return fstatvfs(l->dir, &v) < 0 || (int64_t)(v.f_bavail * v.f_frsize) - KEEP_FREE >= size;
}

enum s3_err local_write_new(struct local *l, int64_t size, const unsigned char *expected, struct local_write **out)
{
	struct local_write *w;

	*out = NULL;
	if (!has_room(l, size))
		return S3_FULL;
	w = xcalloc(1, sizeof(*w));
	w->l = l;
	w->size = size;
	w->fd = -1;
	if (expected) {
		w->has_expected = true;
		memcpy(w->expected, expected, sizeof(w->expected));
	}
	w->dir = local_tmp_new(l, w->name);
	if (w->dir >= 0)
		w->fd = openat(w->dir, "data", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LOCAL_FILE_MODE);
	if (w->fd < 0) {
		enum s3_err rc = local_trouble(l, "create");

		local_write_free(&w);
		return rc;
	}
	w->hash = EVP_MD_CTX_new();
	if (!w->hash || EVP_DigestInit_ex(w->hash, EVP_sha256(), NULL) != 1) {
		local_write_free(&w);
		return S3_INTERNAL;
	}
	*out = w;
	return S3_OK;
}

void local_write_pushed(struct local_write *w, int64_t n)
{
	w->got += n;
	if (w->got - w->pushed < PUSH_BYTES)
		return;
	/* only a hint: what goes wrong is told by fsync() */
	sync_file_range(w->fd, w->pushed, w->got - w->pushed, SYNC_FILE_RANGE_WRITE);
	w->pushed = w->got;
}

/* Writes what a short writev() has left, piece by piece. False with errno. */
static bool write_rest(int fd, const struct iovec *pieces, size_t n, size_t done)
{
	for (size_t i = 0; i < n; i++) {
		const char *p = pieces[i].iov_base;
		size_t at = MIN_OF(done, pieces[i].iov_len);

		done -= at;
		while (at < pieces[i].iov_len) {
			ssize_t put = write(fd, p + at, pieces[i].iov_len - at);

			if (put < 0 && errno != EINTR)
				return false;
			at += put < 0 ? 0 : (size_t)put;
		}
	}
	return true;
}

enum s3_err local_write_add(struct local_write *w, const struct iovec *pieces, size_t n)
{
	size_t all = 0;
	ssize_t put;

	for (size_t i = 0; i < n; i++)
		all += pieces[i].iov_len;
	if ((int64_t)all > w->size - w->got)
		return S3_INCOMPLETE;
	put = writev(w->fd, pieces, (int)n);
	if (put < 0 && errno != EINTR)
		return local_trouble(w->l, "write");
	put = MAX_OF(put, (ssize_t)0);
	if ((size_t)put < all && !write_rest(w->fd, pieces, n, (size_t)put))
		return local_trouble(w->l, "write");
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(w->hash, pieces[i].iov_base, pieces[i].iov_len) != 1)
			return S3_INTERNAL;
	local_write_pushed(w, (int64_t)all);
	return S3_OK;
}

/* Whether what has come is what was to come. */
static enum s3_err check(struct local_write *w)
{
	if (w->got != w->size)
		return S3_INCOMPLETE;
	if (w->hash && EVP_DigestFinal_ex(w->hash, w->sha256, NULL) != 1)
		return S3_INTERNAL;
	if (w->has_expected && !equal_const_time(w->expected, w->sha256, sizeof(w->sha256)))
		return S3_BAD_DIGEST;
	return S3_OK;
}

/* The descriptor of meta, or -1. */
static int begin_meta(struct local_write *w, const char *bucket, const char *key, const struct local_meta *m)
{
	AUTO_STRBUF b = {.max = 4096};
	char hex[LOCAL_HASH_LEN + 1];

	hex_encode(hex, m->sha256, sizeof(m->sha256));
	strbuf_addf(&b, "bucket %s\nkey %s\ntype %s\nsize %lld\nat %lld\nsha256 %s\nparts %d\nupload %s\n", bucket, key,
		    m->type, (long long)m->size, (long long)m->at, hex, m->parts, m->upload);
	return local_file_begin(w->dir, "meta", &b);
}

/* Data, meta and their folder, durably. The disk is told of both files before the first is waited for: a file system
 * with a journal then has them in one commit, and the other calls find it done. */
static enum s3_err sync_object(struct local_write *w, const char *bucket, const char *key, const struct local_meta *m)
{
	int meta;
	bool ok;

	sync_file_range(w->fd, w->pushed, 0, SYNC_FILE_RANGE_WRITE);
	meta = begin_meta(w, bucket, key, m);
	if (meta < 0)
		return local_trouble(w->l, "meta");
	ok = fsync(w->fd) == 0 && fsync(meta) == 0 && fsync(w->dir) == 0;
	close(meta);
	return ok ? S3_OK : local_trouble(w->l, "fsync");
}

enum s3_err local_write_object(struct local_write *w, const char *bucket, const char *key, const char *type,
			       struct local_meta *m)
{
	char path[LOCAL_PATH_SIZE];
	enum s3_err rc = check(w);

	if (rc != S3_OK)
		return rc;
	memset(m, 0, sizeof(*m));
	m->size = w->size;
	m->at = clock_now_us() / 1000000;
	m->parts = w->parts;
	memcpy(m->sha256, w->sha256, sizeof(m->sha256));
	memcpy(m->upload, w->upload, sizeof(m->upload));
	snprintf(m->type, sizeof(m->type), "%s", type);
	rc = sync_object(w, bucket, key, m);
	if (rc != S3_OK)
		return rc;
	local_object_path(bucket, key, path);
	if (local_rename_new(w->l->tmp, w->name, w->l->dir, path) < 0)
		return errno == EEXIST ? S3_PRECONDITION : local_trouble(w->l, "rename");
	w->renamed = true;
	return local_sync_name(w->l->dir, path) < 0 ? local_trouble(w->l, "fsync") : S3_OK;
}

enum s3_err local_write_part(struct local_write *w, const char *upload, int number_of, char etag[LOCAL_ETAG_SIZE])
{
	const struct iovec end = {.iov_base = w->sha256, .iov_len = sizeof(w->sha256)};
	enum s3_err rc = check(w);

	if (rc == S3_OK && !write_rest(w->fd, &end, 1, 0))
		rc = local_trouble(w->l, "write");
	if (rc == S3_OK && fsync(w->fd) < 0)
		rc = local_trouble(w->l, "fsync");
	if (rc == S3_OK)
		rc = local_part_place(w, upload, number_of);
	if (rc == S3_OK)
		local_etag(w->sha256, 0, etag);
	return rc;
}

void local_write_free(struct local_write **wp)
{
	struct local_write *w = *wp;

	if (!w)
		return;
	EVP_MD_CTX_free(w->hash);
	if (w->fd >= 0)
		close(w->fd);
	if (w->dir >= 0)
		close(w->dir);
	if (!w->renamed)
		local_remove(w->l->tmp, w->name);
	free(w);
	*wp = NULL;
}
