/* local_parts: multipart uploads. One is a folder in multipart/ with meta (whose key it is) and a file for each part,
 * NUMBER: the body, and behind it its SHA-256. So a part and what is known of it come at once, and take the place of a
 * former one by one rename: there is a whole one at any moment, and nobody has anything to remove. */
#include "lib/store/local_private.h"
#include "lib/base/clock.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_NAME_LEN 5
#define PART_END 32 /* bytes behind the body: its SHA-256 */

static void part_name(int number, char out[PART_NAME_LEN + 1])
{
	snprintf(out, PART_NAME_LEN + 1, "%05u", (unsigned)number % 100000);
}

/* The number that a file's name says, or 0. */
static int part_number(const char *name)
{
	int number = 0;

	if (strlen(name) != PART_NAME_LEN)
		return 0;
	for (int i = 0; i < PART_NAME_LEN; i++) {
		if (name[i] < '0' || name[i] > '9')
			return 0;
		number = number * 10 + (name[i] - '0');
	}
	return number <= STORE_PARTS_MAX ? number : 0;
}

static bool part_read(int fd, struct local_part *p)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	errno = EBADMSG;
	p->size = st.st_size - PART_END;
	p->at_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	return p->size >= 0 && pread(fd, p->sha256, PART_END, p->size) == PART_END;
}

/* The part of that number, and what is known of this very one: what takes its place changes neither. -1 with errno. */
static int part_open(int dir, int number, struct local_part *p)
{
	char name[PART_NAME_LEN + 1];
	int fd, why;

	part_name(number, name);
	p->number = number;
	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || part_read(fd, p))
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* ---- the upload itself */

enum s3_err local_upload_new(struct local *l, const char *bucket, const char *key, const char *type,
			     char upload[LOCAL_ID_LEN + 1])
{
	AUTO_STRBUF b = {.max = 4096};
	char name[LOCAL_ID_LEN + 1];
	int fd = local_tmp_new(l, name);
	bool ok;

	if (fd < 0)
		return local_trouble(l, "create");
	strbuf_addf(&b, "bucket %s\nkey %s\ntype %s\nat %lld\n", bucket, key, type,
		    (long long)(clock_now_us() / 1000000));
	local_name(upload);
	ok = local_file_write(fd, "meta", &b) == 0 && fsync(fd) == 0 &&
	     local_rename_new(l->tmp, name, l->uploads, upload) == 0 && fsync(l->uploads) == 0;
	close(fd);
	if (ok)
		return S3_OK;
	local_remove(l->tmp, name);
	return local_trouble(l, "upload");
}

enum s3_err local_upload_look(const struct local *l, const char *bucket, const char *key, const char *upload,
			      char type[STORE_TYPE_SIZE])
{
	char path[LOCAL_ID_LEN + 8], of_bucket[256], of_key[LOCAL_KEY_MAX + 1], of_type[STORE_TYPE_SIZE];
	struct local_line lines[] = {{"bucket", of_bucket, sizeof(of_bucket)},
				     {"key", of_key, sizeof(of_key)},
				     {"type", of_type, sizeof(of_type)}};

	if (!local_name_valid(upload))
		return S3_NO_UPLOAD;
	snprintf(path, sizeof(path), "%s/meta", upload);
	if (local_lines_read(l->uploads, path, lines, COUNT_OF(lines)) < 0)
		return errno == ENOENT ? S3_NO_UPLOAD : local_trouble(l, "meta");
	if (strcmp(of_bucket, bucket) != 0 || strcmp(of_key, key) != 0)
		return S3_NO_UPLOAD;
	if (type)
		memcpy(type, of_type, STORE_TYPE_SIZE);
	return S3_OK;
}

/* Away first, so that it is gone at once and whole. */
static enum s3_err drop(struct local *l, const char *upload)
{
	char name[LOCAL_ID_LEN + 1];

	local_name(name);
	if (renameat(l->uploads, upload, l->tmp, name) < 0)
		return errno == ENOENT ? S3_NO_UPLOAD : local_trouble(l, "abort");
	local_remove(l->tmp, name);
	return S3_OK;
}

enum s3_err local_upload_abort(struct local *l, const char *bucket, const char *key, const char *upload)
{
	enum s3_err rc = local_upload_look(l, bucket, key, upload, NULL);

	return rc == S3_OK ? drop(l, upload) : rc;
}

/* ---- its parts */

/* The highest number that the folder tells of. -1: it cannot be read. */
static int highest(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while ((d = readdir(dir)))
		n = MAX_OF(n, part_number(d->d_name));
	closedir(dir);
	return n;
}

/* Opened one by one: readdir() need not tell of a name whose file is being replaced, which some file systems move to
 * the folder's end then. So it says how far to go at least. */
static enum s3_err read_parts(const struct local *l, int dir, int after, size_t max, struct local_part **parts,
			      size_t *n)
{
	const int last = highest(dir);
	struct local_part one = {0};
	size_t room = 0;

	if (last < 0)
		return local_trouble(l, "parts");
	for (int number = MIN_OF(after, STORE_PARTS_MAX) + 1; number <= STORE_PARTS_MAX && *n < max; number++) {
		int fd = part_open(dir, number, &one);

		if (fd < 0 && errno != ENOENT)
			return local_trouble(l, "part");
		if (fd < 0 && number > last)
			break;
		if (fd < 0)
			continue;
		close(fd);
		if (*n == room) {
			room = room ? room * 2 : 64;
			*parts = xrealloc(*parts, room * sizeof(one));
		}
		(*parts)[(*n)++] = one;
	}
	return S3_OK;
}

enum s3_err local_parts(const struct local *l, const char *upload, int after, size_t max, struct local_part **parts,
			size_t *n)
{
	int fd = local_name_valid(upload) ? openat(l->uploads, upload, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum s3_err rc;

	*parts = NULL;
	*n = 0;
	if (fd < 0)
		return S3_NO_UPLOAD;
	rc = read_parts(l, fd, after, max, parts, n);
	close(fd);
	if (rc == S3_OK)
		return rc;
	free(*parts);
	*parts = NULL;
	*n = 0;
	return rc;
}

enum s3_err local_part_place(struct local_write *w, const char *upload, int number)
{
	char name[PART_NAME_LEN + 1];
	int fd = local_name_valid(upload) ? openat(w->l->uploads, upload, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	enum s3_err rc = S3_OK;

	if (fd < 0)
		return S3_NO_UPLOAD;
	part_name(number, name);
	if (renameat(w->dir, "data", fd, name) < 0)
		rc = errno == ENOENT ? S3_NO_UPLOAD : local_trouble(w->l, "rename");
	else if (fsync(fd) < 0)
		rc = local_trouble(w->l, "fsync");
	close(fd);
	return rc;
}

/* ---- one object of them */

struct local_join {
	struct local *l;
	const char *bucket, *key; /* copies, behind the struct */
	char upload[LOCAL_ID_LEN + 1], type[STORE_TYPE_SIZE];
	struct local_part *parts;
	size_t n, at;
	struct local_write *w;
	int dir, from; /* the upload's folder, the part that is being copied */
	int64_t left;  /* of that part */
	bool done;     /* it was there already */
	struct local_meta meta;
};

static bool same_etag(const char *asked, const struct local_part *p)
{
	char own[LOCAL_ETAG_SIZE];
	size_t n = strlen(asked);

	local_etag(p->sha256, 0, own);
	if (n >= 2 && asked[0] == '"' && asked[n - 1] == '"') {
		asked++;
		n -= 2;
	}
	return n == strlen(own) - 2 && !strncmp(asked, own + 1, n);
}

/* Looks at the parts that are wanted. */
static enum s3_err choose(struct local_join *j, const struct local_wanted *wanted, size_t n, int64_t max,
			  int64_t *total)
{
	*total = 0;
	for (size_t i = 1; i < n; i++)
		if (wanted[i].number <= wanted[i - 1].number)
			return S3_PART_ORDER;
	j->parts = xcalloc(n, sizeof(*j->parts));
	for (size_t i = 0; i < n; i++) {
		int fd = part_open(j->dir, wanted[i].number, &j->parts[i]);

		if (fd < 0)
			return errno == ENOENT ? S3_BAD_PART : local_trouble(j->l, "part");
		close(fd);
		if (!same_etag(wanted[i].etag, &j->parts[i]))
			return S3_BAD_PART;
		if (i + 1 < n && j->parts[i].size < LOCAL_PART_MIN)
			return S3_TOO_SMALL;
		*total += j->parts[i].size;
		if (*total > max)
			return S3_TOO_LARGE;
	}
	j->n = n;
	return n ? S3_OK : S3_BAD_XML;
}

static enum s3_err hash_of_hashes(const struct local_join *j, unsigned char out[32])
{
	EVP_MD_CTX *h = EVP_MD_CTX_new();
	bool ok = h && EVP_DigestInit_ex(h, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < j->n; i++)
		ok = EVP_DigestUpdate(h, j->parts[i].sha256, 32) == 1;
	ok = ok && EVP_DigestFinal_ex(h, out, NULL) == 1;
	EVP_MD_CTX_free(h);
	return ok ? S3_OK : S3_INTERNAL;
}

/* Whoever is asked to complete an upload may be overtaken, at any step, by another who has been: the object is there
 * then, or the parts are gone. All of them get the same answer. */
static enum s3_err settle(struct local_join *j, enum s3_err rc)
{
	char path[LOCAL_PATH_SIZE];

	if (rc != S3_PRECONDITION && rc != S3_NO_UPLOAD && rc != S3_BAD_PART)
		return rc;
	if (local_look(j->l, j->bucket, j->key, &j->meta, NULL) != S3_OK || strcmp(j->meta.upload, j->upload) != 0)
		return rc;
	/* The other may not have come so far. */
	local_object_path(j->bucket, j->key, path);
	if (local_sync_name(j->l->dir, path) < 0)
		return local_trouble(j->l, "fsync");
	drop(j->l, j->upload);
	j->done = true;
	return S3_OK;
}

static enum s3_err prepare(struct local_join *j, const struct local_wanted *wanted, size_t n, int64_t max)
{
	int64_t total;
	enum s3_err rc = local_look(j->l, j->bucket, j->key, &j->meta, NULL);

	if (rc != S3_NO_KEY)
		return rc == S3_OK ? S3_PRECONDITION : rc;
	rc = local_upload_look(j->l, j->bucket, j->key, j->upload, j->type);
	if (rc != S3_OK)
		return rc;
	j->dir = openat(j->l->uploads, j->upload, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = j->dir < 0 ? S3_NO_UPLOAD : choose(j, wanted, n, max, &total);
	if (rc == S3_OK)
		rc = local_write_new(j->l, total, NULL, &j->w);
	if (rc != S3_OK)
		return rc;
	EVP_MD_CTX_free(j->w->hash);
	j->w->hash = NULL;
	j->w->parts = (int)j->n;
	memcpy(j->w->upload, j->upload, sizeof(j->upload));
	return hash_of_hashes(j, j->w->sha256);
}

enum s3_err local_join_new(struct local *l, const char *bucket, const char *key, const char *upload,
			   const struct local_wanted *wanted, size_t n, int64_t max, struct local_join **out)
{
	size_t nb = strlen(bucket) + 1, nk = strlen(key) + 1;
	struct local_join *j;
	enum s3_err rc;
	char *copy;

	*out = NULL;
	if (!local_name_valid(upload))
		return S3_NO_UPLOAD;
	j = xcalloc(1, sizeof(*j) + nb + nk);
	copy = (char *)(j + 1);
	j->l = l;
	j->bucket = memcpy(copy, bucket, nb);
	j->key = memcpy(copy + nb, key, nk);
	memcpy(j->upload, upload, sizeof(j->upload));
	j->dir = j->from = -1;
	rc = settle(j, prepare(j, wanted, n, max));
	if (rc != S3_OK)
		local_join_free(&j);
	*out = j;
	return rc;
}

/* Opens the next part. False: there is none, or it is not the one that was wanted any more (*rc). */
static bool next_part(struct local_join *j, enum s3_err *rc)
{
	const struct local_part *wanted = &j->parts[j->at];
	struct local_part now;

	if (j->from >= 0)
		return true;
	if (j->at == j->n)
		return false;
	j->from = part_open(j->dir, wanted->number, &now);
	if (j->from < 0)
		*rc = errno == ENOENT ? S3_NO_UPLOAD : local_trouble(j->l, "open");
	else if (now.size != wanted->size || memcmp(now.sha256, wanted->sha256, sizeof(now.sha256)) != 0)
		*rc = S3_BAD_PART;
	j->left = wanted->size;
	return *rc == S3_OK;
}

/* Within the kernel, and where the file system can, without copying at all. */
static ssize_t copy(struct local_join *j, size_t n)
{
	static const size_t plain = 65536;
	ssize_t got = copy_file_range(j->from, NULL, j->w->fd, NULL, n, 0);
	char *buf;

	if (got >= 0 || (errno != EXDEV && errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP))
		return got;
	buf = xmalloc(plain);
	got = read(j->from, buf, MIN_OF(n, plain));
	if (got > 0 && write(j->w->fd, buf, (size_t)got) != got) {
		errno = ENOSPC;
		got = -1;
	}
	free(buf);
	return got;
}

static enum s3_err join_step(struct local_join *j, int64_t n)
{
	enum s3_err rc = S3_OK;

	while (n > 0 && next_part(j, &rc)) {
		ssize_t got = j->left ? copy(j, (size_t)MIN_OF(n, j->left)) : 0;

		if (got < 0 && errno != EINTR)
			return local_trouble(j->l, "copy");
		if (got == 0) {
			close(j->from);
			j->from = -1;
			j->at++;
		} else if (got > 0) {
			local_write_pushed(j->w, got);
			n -= got;
			j->left -= got;
		}
	}
	if (rc != S3_OK || n <= 0)
		return rc;
	rc = local_write_object(j->w, j->bucket, j->key, j->type, &j->meta);
	if (rc != S3_OK)
		return rc;
	drop(j->l, j->upload);
	j->done = true;
	return S3_OK;
}

enum s3_err local_join_step(struct local_join *j, int64_t n, bool *done, struct local_meta *m)
{
	enum s3_err rc = j->done ? S3_OK : settle(j, join_step(j, n));

	*done = rc == S3_OK && j->done;
	if (*done)
		*m = j->meta;
	return rc;
}

void local_join_free(struct local_join **jp)
{
	struct local_join *j = *jp;

	if (!j)
		return;
	local_write_free(&j->w);
	if (j->from >= 0)
		close(j->from);
	if (j->dir >= 0)
		close(j->dir);
	free(j->parts);
	free(j);
	*jp = NULL;
}
