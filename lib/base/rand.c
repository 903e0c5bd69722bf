/* rand: getrandom(2). */
#include "lib/base/rand.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n) {
		ssize_t k = getrandom(at, n, 0);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			abort();
		at += k;
		n -= (size_t)k;
	}
}

uint32_t rand_below(uint32_t below)
{
	uint32_t v, limit = UINT32_MAX - UINT32_MAX % below;

	do
		rand_bytes(&v, sizeof(v));
	while (v >= limit);
	return v % below;
}

void rand_uuid(char out[37])
{
	unsigned char b[16];
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	rand_bytes(b, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		out[n++] = hex[b[i] >> 4];
		out[n++] = hex[b[i] & 15];
	}
	out[n] = 0;
}
