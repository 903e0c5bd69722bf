/* picture: the headers of PNG (its section 11.2.2), GIF89a, WebP (RFC 9649) and JPEG (ITU-T T.81, annex B). */
#include "lib/chat/picture.h"
#include <string.h>

struct bytes {
	const unsigned char *p;
	size_t n;
};

static uint32_t be16(const unsigned char *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t be32(const unsigned char *p)
{
	return be16(p) << 16 | be16(p + 2);
}

static uint32_t le16(const unsigned char *p)
{
	return (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le24(const unsigned char *p)
{
	return (uint32_t)p[2] << 16 | le16(p);
}

static uint32_t le32(const unsigned char *p)
{
	return le16(p + 2) << 16 | le16(p);
}

static void extend(struct picture_size *s, uint32_t width, uint32_t height)
{
	s->width = MAX_OF(s->width, width);
	s->height = MAX_OF(s->height, height);
}

static bool begins(struct bytes b, size_t at, const char *with, size_t n)
{
	return b.n >= at + n && !memcmp(b.p + at, with, n);
}

static void png(struct bytes b, struct picture_size *s)
{
	if (begins(b, 12, "IHDR", 4) && b.n >= 24)
		extend(s, be32(b.p + 16), be32(b.p + 20));
}

/* Where what follows a chain of sub-blocks starts. */
static size_t behind_blocks(struct bytes b, size_t at)
{
	while (at < b.n && b.p[at])
		at += 1 + (size_t)b.p[at];
	return at + 1;
}

static size_t color_table(unsigned char flags)
{
	return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

static void gif(struct bytes b, struct picture_size *s)
{
	size_t at = 13;

	if (b.n < at)
		return;
	extend(s, le16(b.p + 6), le16(b.p + 8));
	at += color_table(b.p[10]);
	while (at < b.n)
		if (b.p[at] == 0x2c && at + 10 <= b.n) {
			extend(s, le16(b.p + at + 1) + le16(b.p + at + 5), le16(b.p + at + 3) + le16(b.p + at + 7));
			at = behind_blocks(b, at + 10 + color_table(b.p[at + 9]) + 1);
		} else if (b.p[at] == 0x21) {
			at = behind_blocks(b, at + 2);
		} else {
			break;
		}
}

static void webp_chunk(const char *name, const unsigned char *p, size_t n, struct picture_size *s)
{
	if (!memcmp(name, "VP8X", 4) && n >= 10)
		extend(s, le24(p + 4) + 1, le24(p + 7) + 1);
	else if (!memcmp(name, "VP8 ", 4) && n >= 10)
		extend(s, le16(p + 6) & 0x3fff, le16(p + 8) & 0x3fff);
	else if (!memcmp(name, "VP8L", 4) && n >= 5)
		extend(s, (le32(p + 1) & 0x3fff) + 1, (le32(p + 1) >> 14 & 0x3fff) + 1);
	else if (!memcmp(name, "ANMF", 4) && n >= 16)
		extend(s, 2 * le24(p) + le24(p + 6) + 1, 2 * le24(p + 3) + le24(p + 9) + 1);
}

static void webp(struct bytes b, struct picture_size *s)
{
	for (size_t at = 12; at + 8 <= b.n;) {
		size_t size = le32(b.p + at + 4);

		webp_chunk((const char *)b.p + at, b.p + at + 8, MIN_OF(size, b.n - at - 8), s);
		if (begins(b, at, "ANMF", 4))
			size = 16; /* into it */
		if (size > b.n)
			return;
		at += 8 + size + (size & 1);
	}
}

static void jpeg(struct bytes b, struct picture_size *s)
{
	size_t at = 2;

	while (at + 4 <= b.n && b.p[at] == 0xff) {
		unsigned char mark = b.p[at + 1];

		if (mark == 0xff) { /* filled up */
			at++;
		} else if (mark == 0x01 || (mark >= 0xd0 && mark <= 0xd8)) { /* nothing belongs to it */
			at += 2;
		} else if (mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc) {
			if (at + 9 <= b.n)
				extend(s, be16(b.p + at + 7), be16(b.p + at + 5));
			return;
		} else if (mark == 0xd9 || mark == 0xda) { /* pixels, without a frame */
			return;
		} else {
			at += 2 + be16(b.p + at + 2);
		}
	}
}

bool picture_size(const void *p, size_t n, struct picture_size *out)
{
	struct bytes b = {p, n};

	memset(out, 0, sizeof(*out));
	if (begins(b, 0, "\x89PNG\r\n\x1a\n", 8))
		png(b, out);
	else if (begins(b, 0, "GIF87a", 6) || begins(b, 0, "GIF89a", 6))
		gif(b, out);
	else if (begins(b, 0, "RIFF", 4) && begins(b, 8, "WEBP", 4))
		webp(b, out);
	else if (begins(b, 0, "\xff\xd8\xff", 3))
		jpeg(b, out);
	return out->width && out->height;
}
