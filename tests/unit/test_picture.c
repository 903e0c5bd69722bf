/* picture: how large a picture is, by its headers, be they cut off or made to deceive. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/chat/picture.h"
#include <stdlib.h>
#include <string.h>

/* A copy of its own size, so that a look behind its end is seen. */
static bool size_of(const char *p, size_t n, struct picture_size *out)
{
	char *copy = xmalloc(n ? n : 1);
	bool known;

	memcpy(copy, p, n);
	known = picture_size(copy, n, out);
	free(copy);
	return known;
}

#define SIZE_IS(text, w, h) size_is((text), sizeof(text) - 1, (w), (h))
static void size_is(const char *p, size_t n, uint32_t width, uint32_t height)
{
	struct picture_size s;

	assert_true(size_of(p, n, &s));
	assert_int_equal(s.width, width);
	assert_int_equal(s.height, height);
}

/* Cut off anywhere before `from` it says nothing; behind it the same. */
#define SAYS_FROM(text, from) says_from((text), sizeof(text) - 1, (from))
static void says_from(const char *p, size_t n, size_t from)
{
	struct picture_size s;

	for (size_t k = 0; k <= n; k++)
		assert_int_equal(size_of(p, k, &s), k >= from);
}

#define PNG "\x89PNG\r\n\x1a\n\0\0\0\15IHDR"
#define GIF "GIF89a"
#define WEBP "RIFF\x40\0\0\0WEBP"

static void a_png(void **state)
{
	(void)state;
	SIZE_IS(PNG "\0\0\x4e\x20\0\0\x4e\x20\1\0\0\0\0", 20000, 20000);
	SIZE_IS(PNG "\x7f\xff\xff\xff\0\0\0\1\1\0\0\0\0", 0x7fffffff, 1);
	SAYS_FROM(PNG "\0\0\4\0\0\0\4\0\1\0\0\0\0crc.", 24);
}

static void a_gif_and_its_frames(void **state)
{
	(void)state;
	SIZE_IS(GIF "\0\4\1\0\0\0\0", 1024, 1);
	/* a table of two colours, an extension, a frame that is larger than the whole, a second one further out */
#define FRAMES                                                       \
	GIF "\1\0\1\0\x80\0\0"                                       \
	    "\0\0\0\xff\xff\xff"                                     \
	    "\x21\xf9\4\0\0\0\0\0"                                   \
	    "\x2c\0\0\0\0\x20\x4e\2\0\0\2\2\x4c\1\0"                 \
	    "\x2c\x10\0\xff\x7f\1\0\2\0\x80\0\0\0\0\0\0\2\2\x4c\1\0" \
	    "\x3b"
	SIZE_IS(FRAMES, 20000, 0x7fff + 2);
	SAYS_FROM(FRAMES, 13);
	SIZE_IS(GIF "\1\0\1\0\x87\0\0", 1, 1); /* the table is cut off */
	SIZE_IS(GIF "\1\0\1\0\0\0\0\x21\xfe\xff", 1, 1);
}

static void a_webp_of_each_kind(void **state)
{
	(void)state;
	SIZE_IS(WEBP "VP8 \x0a\0\0\0\x30\1\0\x9d\1\x2a\xff\x7f\0\x44", 0x3fff, 0x400);
	SAYS_FROM(WEBP "VP8 \x0a\0\0\0\x30\1\0\x9d\1\x2a\xff\x7f\0\x44", 30);
	SIZE_IS(WEBP "VP8L\5\0\0\0\x2f\xff\xff\xff\x0f", 0x4000, 0x4000);
	SIZE_IS(WEBP "VP8L\5\0\0\0\x2f\xff\xc3\xff\0", 0x400, 0x400);
	SIZE_IS(WEBP "VP8X\x0a\0\0\0\2\0\0\0\x1f\x4e\0\xff\xff\xff", 20000, 0x1000000);
	/* a small canvas, and behind a chunk of odd length something larger */
	SIZE_IS(WEBP "VP8X\x0a\0\0\0\2\0\0\0\0\0\0\0\0\0"
		     "ICCP\1\0\0\0x\0"
		     "VP8L\5\0\0\0\x2f\xff\xc3\xff\0",
		0x400, 0x400);
	/* a frame of an animation, and what stands within it */
	SIZE_IS(WEBP "VP8X\x0a\0\0\0\2\0\0\0\0\0\0\0\0\0"
		     "ANMF\x20\0\0\0\4\0\0\0\0\0\x0f\0\0\x1f\0\0\0\0\0\0"
		     "VP8L\5\0\0\0\x2f\0\xc0\xff\0",
		24, 0x400);
	SIZE_IS(WEBP "VP8X\x0a\0\0\0\2\0\0\0\0\0\0\0\0\0"
		     "JUNK\xff\xff\xff\xff",
		1, 1);
}

static void a_jpeg(void **state)
{
	(void)state;
	/* a thumbnail of 1 by 1 within what another marker holds is none */
#define PHOTO                                                        \
	"\xff\xd8\xff\xe1\0\x0e\xff\xd8\xff\xc0\0\x0b\x08\0\1\0\1\0" \
	"\xff\xff\xc2\0\x0b\x08\x4e\x20\x4e\x21\1\1\x11\0"
	SIZE_IS(PHOTO, 20001, 20000);
	SAYS_FROM(PHOTO, 28);
}

static void what_is_none(void **state)
{
	static const char *const none[] = {"", "BM", "<svg width='1' height='1'/>",
					   "\xff\xd8\xff\xda\0\2\xff\xc0\0\x0b\x08\1\1\1\1",
					   "\xff\xd8\xff\xd9\xff\xc0\0\x0b\x08\1\1\1\1"};
	struct picture_size s;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_false(size_of(none[i], strlen(none[i]), &s));
#define NONE(text) assert_false(size_of((text), sizeof(text) - 1, &s))
	NONE(PNG "\0\0\0\0\0\0\0\1");
	NONE("\x89PNG\r\n\x1a\n\0\0\0\15CgBI\0\0\0\1\0\0\0\1");
	NONE(GIF "\0\0\1\0\0\0\0");
	NONE(WEBP "JUNK\4\0\0\0abcd");
	NONE("\xff\xd8\xff\xc0\0\x0b\x08\0\0\0\1\1\1\x11\0"); /* its height is said later, or never */
}

/* Whatever it is, it ends, and stays within its bytes. */
static void anything(void **state)
{
	static const char *const starts[] = {GIF, "\xff\xd8\xff", WEBP};
	char p[256];
	struct picture_size s;

	(void)state;
	srandom(1);
	for (int n = 0; n < 20000; n++) {
		const char *start = starts[n % 3];
		size_t k = n % 3 == 2 ? 12 : strlen(start);

		for (size_t i = 0; i < sizeof(p); i++)
			p[i] = (char)(random() & (n % 2 ? 0xff : 0x0f));
		memcpy(p, start, k);
		if (n % 3 == 1)
			p[2] = (char)0xff;
		size_of(p, (size_t)random() % sizeof(p), &s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_png),  cmocka_unit_test(a_gif_and_its_frames), cmocka_unit_test(a_webp_of_each_kind),
		cmocka_unit_test(a_jpeg), cmocka_unit_test(what_is_none),         cmocka_unit_test(anything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
