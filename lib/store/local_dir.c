/* local_dir: folders, names, small files; what is left behind. */
#include "lib/store/local_private.h"
#include "lib/base/codec.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define LINES_MAX 4096
#define FIRST_LINE "pulsechat-store 1\n"

enum s3_err local_trouble(const struct local *l, const char *what)
{
	int number = errno;

	log_error("files.store", "what=%s dir=%s errno=%d reason=%s", what, log_quote(l->path), number,
		  log_quote(strerror(number)));
	return number == ENOSPC || number == EDQUOT ? S3_FULL : S3_INTERNAL;
}

void local_object_path(const char *bucket, const char *key, char out[LOCAL_PATH_SIZE])
{
	struct strbuf b = {.max = LOCAL_KEY_MAX + 256};
	unsigned char digest[32];
	char hex[LOCAL_HASH_LEN + 1];

	strbuf_addf(&b, "%s/%s", bucket, key);
	sha256(b.p, b.n, digest);
	strbuf_release(&b);
	hex_encode(hex, digest, sizeof(digest));
	snprintf(out, LOCAL_PATH_SIZE, "objects/%.2s/%s", hex, hex + 2);
}

void local_name(char out[LOCAL_ID_LEN + 1])
{
	unsigned char random[LOCAL_ID_LEN];

	rand_bytes(random, sizeof(random));
	for (size_t i = 0; i < LOCAL_ID_LEN; i++)
		out[i] = "abcdefghijklmnopqrstuvwxyz234567"[random[i] & 31];
	out[LOCAL_ID_LEN] = 0;
}

bool local_name_valid(const char *s)
{
	return strlen(s) == LOCAL_ID_LEN && strspn(s, "abcdefghijklmnopqrstuvwxyz234567") == LOCAL_ID_LEN;
}

int local_tmp_new(struct local *l, char name[LOCAL_ID_LEN + 1])
{
	local_name(name);
	if (mkdirat(l->tmp, name, LOCAL_DIR_MODE) < 0)
		return -1;
	return openat(l->tmp, name, DIR_FLAGS);
}

void local_remove(int parent, const char *name)
{
	int fd = openat(parent, name, DIR_FLAGS | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		if (d->d_name[0] != '.')
			unlinkat(fd, d->d_name, 0);
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	unlinkat(parent, name, AT_REMOVEDIR);
}

int local_rename_new(int from_dir, const char *from, int to_dir, const char *to)
{
	if (renameat2(from_dir, from, to_dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	/* Not every file system knows the flag. A folder takes the place of an empty one at most, which none of ours
	 * is. */
	if ((errno == EINVAL || errno == ENOSYS) && renameat(from_dir, from, to_dir, to) == 0)
		return 0;
	if (errno == ENOTEMPTY)
		errno = EEXIST;
	return -1;
}

int local_sync_dir(int dir, const char *path)
{
	int fd = openat(dir, path, DIR_FLAGS), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

int local_sync_name(int dir, const char *path)
{
	char fan[16];

	snprintf(fan, sizeof(fan), "%.10s", path); /* objects/<2> */
	return local_sync_dir(dir, fan);
}

/* ---- small files */

int local_file_begin(int dir, const char *path, const struct strbuf *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, LOCAL_FILE_MODE);
	struct strbuf all = {.max = LINES_MAX};
	bool ok;

	if (fd < 0)
		return -1;
	strbuf_adds(&all, FIRST_LINE);
	strbuf_add(&all, text->p, text->n);
	ok = !all.failed && write(fd, all.p, all.n) == (ssize_t)all.n;
	strbuf_release(&all);
	if (!ok) {
		close(fd);
		return -1;
	}
	sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* a hint */
	return fd;
}

int local_file_write(int dir, const char *path, const struct strbuf *text)
{
	int fd = local_file_begin(dir, path, text), rc;

	if (fd < 0)
		return -1;
	rc = fsync(fd);
	close(fd);
	return rc;
}

static bool take_line(char *line, struct local_line *lines, size_t n)
{
	char *blank = strchr(line, ' ');

	if (!blank)
		return false;
	*blank = 0;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(lines[i].name, line))
			return snprintf(lines[i].value, lines[i].size, "%s", blank + 1) < (int)lines[i].size;
	return true; /* of a later version */
}

int local_lines_read(int dir, const char *path, struct local_line *lines, size_t n)
{
	char text[LINES_MAX + 1], *line, *next;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t got;

	for (size_t i = 0; i < n; i++)
		lines[i].value[0] = 0;
	if (fd < 0)
		return -1;
	got = read(fd, text, LINES_MAX);
	close(fd);
	if (got < 0)
		return -1;
	text[got] = 0;
	errno = EBADMSG;
	if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return -1;
	for (line = text + strlen(FIRST_LINE); *line; line = next) {
		next = strchr(line, '\n');
		if (!next)
			return -1; /* cut off */
		*next++ = 0;
		if (!take_line(line, lines, n))
			return -1;
	}
	return 0;
}

/* ---- from start to end */

static int make_dir(int dir, const char *path)
{
	return mkdirat(dir, path, LOCAL_DIR_MODE) < 0 && errno != EEXIST ? -1 : 0;
}

static int make_layout(struct local *l)
{
	char path[16];

	if (make_dir(l->dir, "tmp") < 0 || make_dir(l->dir, "multipart") < 0 || make_dir(l->dir, "objects") < 0)
		return -1;
	if (faccessat(l->dir, "objects/ff", F_OK, 0) < 0) {
		for (unsigned i = 0; i < 256; i++) {
			snprintf(path, sizeof(path), "objects/%02x", i);
			if (make_dir(l->dir, path) < 0)
				return -1;
		}
		if (local_sync_dir(l->dir, "objects") < 0 || fsync(l->dir) < 0)
			return -1;
	}
	l->tmp = openat(l->dir, "tmp", DIR_FLAGS);
	l->uploads = openat(l->dir, "multipart", DIR_FLAGS);
	if (l->tmp < 0 || l->uploads < 0)
		return -1;
	return faccessat(l->tmp, ".", W_OK, AT_EACCESS);
}

int local_open(const char *dir, struct local **out, struct err *e)
{
	struct local *l = xcalloc(1, sizeof(*l) + strlen(dir) + 1);

	*out = NULL;
	memcpy(l->path, dir, strlen(dir) + 1);
	l->tmp = l->uploads = -1;
	if (mkdir(dir, LOCAL_DIR_MODE) < 0 && errno != EEXIST)
		l->dir = -1;
	else
		l->dir = open(dir, DIR_FLAGS);
	if (l->dir < 0 || make_layout(l) < 0) {
		err_set(e, ERR_BAD_FIELD, "dir", "[files] dir = %s: %s", dir, strerror(errno));
		local_free(&l);
		return -1;
	}
	*out = l;
	return 0;
}

void local_free(struct local **lp)
{
	struct local *l = *lp;

	if (!l)
		return;
	if (l->tmp >= 0)
		close(l->tmp);
	if (l->uploads >= 0)
		close(l->uploads);
	if (l->dir >= 0)
		close(l->dir);
	free(l);
	*lp = NULL;
}

/* When anything in it was touched last; INT64_MAX where that cannot be told. */
static int64_t touched(int parent, const char *name)
{
	int fd = openat(parent, name, DIR_FLAGS | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int64_t newest = 0;
	struct dirent *d;
	struct stat st;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return INT64_MAX;
	}
	if (fstat(fd, &st) == 0)
		newest = st.st_mtime;
	while ((d = readdir(dir)))
		if (d->d_name[0] != '.' && fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			newest = MAX_OF(newest, (int64_t)st.st_mtime);
	closedir(dir);
	return newest;
}

static int sweep(struct local *l, int parent, int64_t before)
{
	int fd = openat(parent, ".", DIR_FLAGS), n = 0;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		local_trouble(l, "sweep");
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((d = readdir(dir)))
		if (local_name_valid(d->d_name) && touched(parent, d->d_name) < before) {
			local_remove(parent, d->d_name);
			n++;
		}
	closedir(dir);
	return n;
}

int local_sweep(struct local *l, int64_t now)
{
	return sweep(l, l->tmp, now - LOCAL_TMP_S) + sweep(l, l->uploads, now - LOCAL_UPLOAD_S);
}
