/* disposition: names of files. */
#include "lib/http/disposition.h"
#include "lib/base/utf8.h"
#include "lib/http/uri.h"
#include <string.h>

#define EXTENSION_MAX 32 /* bytes, with its dot: what is longer is no extension */

/* Seen by nobody, or turning round what is seen. */
static bool invisible(uint32_t c)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{0, 0x1f},                            /* controls */
		{0x7f, 0x9f},     {0xad, 0xad},       /* the soft hyphen */
		{0x61c, 0x61c},                       /* Arabic letter mark */
		{0x180e, 0x180e}, {0x200b, 0x200b},   /* zero width */
		{0x200e, 0x200f},                     /* left-to-right and right-to-left marks */
		{0x2028, 0x202e},                     /* line ends, embeddings, overrides */
		{0x2060, 0x206f},                     /* isolates, invisible operators */
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb},   /* annotations */
		{0xfffe, 0xffff}, {0xe0000, 0xe0fff}, /* tags, variation selectors of no use in names */
	};

	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return true;
	return (c & 0xfffe) == 0xfffe;
}

static bool blank(uint32_t c)
{
	return c == ' ' || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x202f || c == 0x205f ||
	       c == 0x3000 || c == 0x2800;
}

/* The length of the character at s, 0: broken. */
static size_t length_at(const char *s, size_t n)
{
	for (size_t k = 1; k <= 4 && k <= n; k++)
		if (utf8_valid(s, k))
			return k;
	return 0;
}

static void cut_path(const char **name, size_t *n)
{
	while (*n && strchr("/\\", (*name)[*n - 1]) && (*name)[*n - 1])
		--*n;
	for (size_t i = *n; i > 0; i--)
		if ((*name)[i - 1] == '/' || (*name)[i - 1] == '\\') {
			*name += i;
			*n -= i;
			return;
		}
}

/* To at most FILE_NAME_SIZE - 1 bytes, whole characters, with the extension. */
static void cut_length(struct strbuf *b)
{
	const size_t max = FILE_NAME_SIZE - 1;
	const char *dot;
	size_t keep, extension = 0;

	if (b->n <= max)
		return;
	dot = memrchr(b->p, '.', b->n);
	if (dot && dot > b->p && (size_t)(b->p + b->n - dot) <= EXTENSION_MAX)
		extension = (size_t)(b->p + b->n - dot);
	for (keep = max - extension; keep && ((unsigned char)b->p[keep] & 0xc0) == 0x80; keep--)
		;
	memmove(b->p + keep, b->p + b->n - extension, extension);
	b->n = keep + extension;
	b->p[b->n] = 0;
}

static void trim(struct strbuf *b)
{
	size_t from = 0, len;

	while (from < b->n && blank(utf8_decode(b->p + from, &len)))
		from += len;
	memmove(b->p, b->p + from, b->n - from);
	b->n -= from;
	while (b->n) {
		size_t at = b->n - 1;

		while (at && ((unsigned char)b->p[at] & 0xc0) == 0x80)
			at--;
		if (b->p[at] != '.' && !blank(utf8_decode(b->p + at, &len)))
			break;
		b->n = at;
	}
	b->p[b->n] = 0;
}

void file_name_clean(const char *name, size_t n, char out[FILE_NAME_SIZE])
{
	AUTO_STRBUF b = {0};

	n = MIN_OF(n, (size_t)64 << 10);
	cut_path(&name, &n);
	strbuf_reserve(&b, n + 1);
	strbuf_adds(&b, "");
	while (n) {
		size_t len = length_at(name, n), got;

		if (!len)
			strbuf_addc(&b, '_');
		else if (!invisible(utf8_decode(name, &got)))
			strbuf_add(&b, name, len);
		len = MAX_OF(len, (size_t)1);
		name += len;
		n -= len;
	}
	trim(&b);
	cut_length(&b);
	trim(&b);
	if (!b.n)
		strbuf_adds(&b, "file");
	memcpy(out, b.p, b.n + 1);
}

void disposition_add(struct strbuf *b, bool attachment, const char *name)
{
	bool same = true;

	strbuf_adds(b, attachment ? "attachment; filename=\"" : "inline; filename=\"");
	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		/* quotes, backslashes and % are read in several ways; one "_" for a character of several bytes */
		if (c >= ' ' && c < 0x7f && !strchr("\"\\%", c)) {
			strbuf_addc(b, *p);
			continue;
		}
		same = false;
		if ((c & 0xc0) != 0x80)
			strbuf_addc(b, '_');
	}
	strbuf_addc(b, '"');
	if (same)
		return;
	strbuf_adds(b, "; filename*=UTF-8''");
	uri_encode(b, name, strlen(name));
}
