/* mapped: the file is made under another name and renamed. Who finds none that fits holds a lock on the folder
 * (flock(), which ends with its process) while he looks again and makes one: so those who start together have the same.
 */
#include "lib/base/mapped.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAGIC "PulseChat shared"
#define HEAD_BYTES 4096 /* so that what follows begins with a page */
#define LOCK_TRIES 100
#define LOCK_PAUSE_NS 10000000
#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"

struct head {
	char magic[16], kind[MAPPED_KIND_MAX], boot[40];
	uint64_t n, secret[2];
};

struct place {
	const char *path, *name; /* the last part of path */
	int dir;
	struct head wanted; /* without the secret */
};

static int fail(struct err *e, const char *path, const char *why)
{
	err_set(e, ERR_INTERNAL, NULL, "%.150s: %s", path, why);
	return -1;
}

/* Times by CLOCK_MONOTONIC mean nothing after a reboot. */
static int read_boot(char out[40])
{
	int fd = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, 39);

	if (fd >= 0)
		close(fd);
	return n > 0 ? 0 : -1;
}

static int open_place(const char *path, const char *kind, size_t n, struct place *p, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];
	struct stat st;

	memset(p, 0, sizeof(*p));
	p->dir = -1;
	if (path[0] != '/' || !slash[1] || (size_t)(slash - path) >= sizeof(folder))
		return fail(e, path, "expected the absolute name of a file");
	p->path = path;
	p->name = slash + 1;
	memcpy(p->wanted.magic, MAGIC, sizeof(p->wanted.magic));
	memccpy(p->wanted.kind, kind, 0, sizeof(p->wanted.kind) - 1);
	p->wanted.n = n;
	if (read_boot(p->wanted.boot) < 0)
		return fail(e, BOOT_ID_FILE, strerror(errno));
	snprintf(folder, sizeof(folder), "%.*s", (int)MAX_OF(slash - path, 1), path);
	p->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0 || fstat(p->dir, &st) < 0)
		return fail(e, folder, strerror(errno));
	if ((st.st_uid != geteuid() && st.st_uid != 0) || ((st.st_mode & 022) && !(st.st_mode & S_ISVTX)))
		return fail(e, folder, "others could replace what is in this folder");
	return 0;
}

static void close_place(struct place *p)
{
	if (p->dir >= 0)
		close(p->dir);
	p->dir = -1;
}

/* What stands in the way of using fd; NULL: nothing. Sets secret. */
static const char *misfit(int fd, const struct place *p, uint64_t secret[2])
{
	struct head h;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "is no file";
	if (st.st_uid != geteuid() || (st.st_mode & 077) || st.st_nlink != 1)
		return "does not belong to this user alone";
	if (st.st_size != (off_t)(HEAD_BYTES + p->wanted.n) || pread(fd, &h, sizeof(h), 0) != sizeof(h))
		return "is of another version";
	memcpy(secret, h.secret, sizeof(h.secret));
	memset(h.secret, 0, sizeof(h.secret));
	return memcmp(&h, &p->wanted, sizeof(h)) ? "is of another version, or of before the last reboot" : NULL;
}

/* -1: none that fits, and *why says it: NULL where there is none at all. */
static int open_fitting(const struct place *p, uint64_t secret[2], const char **why)
{
	int fd = openat(p->dir, p->name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0) {
		*why = errno == ENOENT ? NULL : "cannot be opened";
		return -1;
	}
	*why = misfit(fd, p, secret);
	if (!*why)
		return fd;
	close(fd);
	return -1;
}

/* Its blocks are there from the beginning: a full disk shall not be told by a signal. */
static int fill(int fd, const struct place *p, uint64_t secret[2])
{
	struct head h = p->wanted;
	int rc = posix_fallocate(fd, 0, (off_t)(HEAD_BYTES + p->wanted.n));

	if (rc) {
		errno = rc;
		return -1;
	}
	rand_bytes(secret, sizeof(h.secret));
	memcpy(h.secret, secret, sizeof(h.secret));
	rc = pwrite(fd, &h, sizeof(h), 0) == sizeof(h) ? 0 : -1;
	secret_wipe(&h, sizeof(h));
	return rc;
}

/* In place of what is there, under the lock: the one leftover of a process that was killed is removed. */
static int make(const struct place *p, uint64_t secret[2], struct err *e)
{
	char name[NAME_MAX + 1];
	int fd = -1, rc;

	rc = snprintf(name, sizeof(name), "%s.new", p->name);
	if (rc < 0 || (size_t)rc >= sizeof(name))
		return fail(e, p->path, "the name is too long");
	unlinkat(p->dir, name, 0);
	fd = openat(p->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0 && fill(fd, p, secret) == 0 && renameat(p->dir, name, p->dir, p->name) == 0)
		return fd;
	fail(e, p->path, strerror(errno));
	if (fd >= 0) {
		unlinkat(p->dir, name, 0);
		close(fd);
	}
	return -1;
}

static int lock(const struct place *p, struct err *e)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int i = 0; flock(p->dir, LOCK_EX | LOCK_NB) < 0; i++) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || i == LOCK_TRIES)
			return fail(e, p->path, "its folder is locked by another process");
		nanosleep(&pause, NULL);
	}
	return 0;
}

/* An open file that fits, and its secret. */
static int open_or_make(const struct place *p, uint64_t secret[2], struct err *e)
{
	const char *why;
	int fd = open_fitting(p, secret, &why);

	if (fd >= 0)
		return fd;
	if (lock(p, e) < 0)
		return -1;
	fd = open_fitting(p, secret, &why);
	return fd >= 0 ? fd : make(p, secret, e); /* the lock ends with the folder's descriptor */
}

int mapped_open(const char *path, const char *kind, size_t n, struct mapped *s, struct err *e)
{
	struct place p;
	void *map;
	int fd = -1, rc = -1;

	memset(s, 0, sizeof(*s));
	if (open_place(path, kind, n, &p, e) < 0)
		goto out;
	fd = open_or_make(&p, s->secret, e);
	if (fd < 0)
		goto out;
	map = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HEAD_BYTES);
	if (map == MAP_FAILED) {
		fail(e, path, strerror(errno));
		goto out;
	}
	s->at = map;
	s->n = n;
	rc = 0;
out:
	if (fd >= 0)
		close(fd);
	close_place(&p);
	return rc;
}

void mapped_close(struct mapped *s)
{
	if (s->at)
		munmap(s->at, s->n);
	s->at = NULL;
}

int mapped_check(const char *path, const char *kind, size_t n, struct err *e)
{
	uint64_t secret[2];
	const char *why = NULL;
	struct place p;
	int fd, rc = -1;

	if (open_place(path, kind, n, &p, e) == 0) {
		fd = open_fitting(&p, secret, &why);
		if (fd >= 0)
			close(fd);
		if (why)
			fail(e, path, why);
		else if (fd < 0 && faccessat(p.dir, ".", W_OK, AT_EACCESS) < 0)
			fail(e, path, "it is not there, and this user cannot make it");
		else
			rc = 0;
	}
	close_place(&p);
	secret_wipe(secret, sizeof(secret));
	return rc;
}
