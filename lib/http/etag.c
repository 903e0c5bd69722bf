/* etag: 128 bits of the body's SHA-256. */
#include "lib/http/etag.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include <string.h>

#define ETAG_BYTES 16

void etag_make(char out[ETAG_MAX], const void *p, size_t n)
{
	unsigned char hash[32];

	sha256(p, n, hash);
	out[0] = '"';
	base64url_encode(out + 1, hash, ETAG_BYTES);
	out[1 + BASE64URL_LEN(ETAG_BYTES)] = '"';
	out[2 + BASE64URL_LEN(ETAG_BYTES)] = 0;
}

bool etag_matches(const char *if_none_match, const char *etag)
{
	size_t n = strlen(etag);

	for (const char *p = if_none_match; p && *p;) {
		p += strspn(p, " \t,");
		if (*p == '*')
			return true;
		if (!strncmp(p, "W/", 2))
			p += 2;
		if (*p != '"')
			return false; /* not a list of tags */
		if (!strncmp(p, etag, n))
			return true;
		p = strchr(p + 1, '"');
		if (p)
			p++;
	}
	return false;
}
