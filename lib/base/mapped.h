/* mapped: memory that all processes of one user on this host have in common, until the host is started anew: a file of
 * a fixed size, mode 0600, mapped by each. It comes into being whole, at once and once, however many start together and
 * wherever one of them is killed. What does not fit (another size or version, another boot, another owner, garbage) is
 * replaced; who has the former one open keeps that. What the bytes are is the caller's: others of the user write them
 * at any time, so they are to be read as atomic words, and believed in nothing. */
#pragma once
#include "lib/base/err.h"

#define MAPPED_KIND_MAX 16

struct mapped {
	void *at; /* a page's beginning; zero at first */
	size_t n;
	uint64_t secret[2]; /* random, the same for all who share it */
};

/* Opens path, or makes it. Its folder must be there, be ours or root's, and others must not be able to replace what is
 * in it. kind: what the bytes are, with their version, shorter than MAPPED_KIND_MAX. Waits a second at most. Fails with
 * a detail that names path. */
MUST_CHECK int mapped_open(const char *path, const char *kind, size_t n, struct mapped *s, struct err *e);
void mapped_close(struct mapped *s); /* again is harmless */
/* Whether mapped_open() would be served: what is there fits, or nothing is there and it can be made. Makes nothing. */
MUST_CHECK int mapped_check(const char *path, const char *kind, size_t n, struct err *e);
