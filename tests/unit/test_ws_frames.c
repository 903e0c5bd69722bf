/* ws_frames: frames of all sizes, whole and cut anywhere; what no client may send; no memory between frames. */
// needs: ws/ws_frames.o
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/strbuf.h"
#include "ws/ws_frames.h"
#include <stdlib.h>
#include <string.h>

/* A frame as a client sends it. */
static void put(struct strbuf *b, unsigned first, const char *p, size_t n)
{
	static const char mask[4] = {0x11, (char)0x92, 0x33, 0x7f};
	char head[WS_HEAD_MAX];
	size_t head_n = ws_head(head + WS_HEAD_MAX, WS_TEXT, n);

	memmove(head, head + WS_HEAD_MAX - head_n, head_n);
	head[0] = (char)first;
	head[1] = (char)(head[1] | 0x80);
	strbuf_add(b, head, head_n);
	strbuf_add(b, mask, sizeof(mask));
	for (size_t i = 0; i < n; i++)
		strbuf_addc(b, (char)(p[i] ^ mask[i & 3]));
}

static const size_t sizes[] = {0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 70001, 5};

static void check_frame(size_t which, const struct strbuf *got, const struct ws_piece *f)
{
	assert_int_equal(f->opcode, which % 2 ? WS_BINARY : WS_TEXT);
	assert_int_equal(f->fin, which % 3 == 0);
	assert_int_equal(f->frame_n, sizes[which]);
	assert_int_equal(got->n, sizes[which]);
	for (size_t i = 0; i < got->n; i++)
		if (got->p[i] != (char)(i * 31 + which))
			fail_msg("frame %zu differs at %zu", which, i);
}

static void in_pieces(void **state)
{
	static const size_t pieces[] = {1, 2, 3, 7, 1000, 4096, 16384, 1 << 20};
	AUTO_STRBUF all = {0};
	char *text = malloc(70001);

	(void)state;
	for (size_t k = 0; k < COUNT_OF(sizes); k++) {
		for (size_t i = 0; i < sizes[k]; i++)
			text[i] = (char)(i * 31 + k);
		put(&all, (k % 3 == 0 ? 0x80u : 0) | (k % 2 ? WS_BINARY : WS_TEXT), text, sizes[k]);
	}
	for (size_t p = 0; p < COUNT_OF(pieces); p++) {
		struct ws_reader r = {0};
		AUTO_STRBUF got = {0};
		struct ws_piece f;
		size_t which = 0;

		for (size_t at = 0; at < all.n; at += pieces[p]) {
			ws_reader_feed(&r, all.p + at, MIN_OF(pieces[p], all.n - at));
			while (ws_reader_next(&r, &f)) {
				assert_int_equal(f.first, got.n == 0);
				strbuf_add(&got, f.p, f.n);
				if (!f.last)
					continue;
				check_frame(which++, &got, &f);
				strbuf_release(&got);
			}
		}
		assert_int_equal(which, COUNT_OF(sizes));
		assert_null(r.wslay); /* the last frame is whole: no memory is held */
		assert_int_equal(r.in_n, 0);
	}
	free(text);
	ws_frames_close();
}

static void refused(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} bad[] = {
		{"\x81\x02hi", 4},   /* no mask */
		{"\x89\x00", 2},     /* a ping without one */
		{"\xc1\x80mask", 6}, /* a reserved bit */
		{"\x83\x80mask", 6}, /* reserved opcodes */
		{"\x8b\x80mask", 6},
		{"\x09\x80mask", 6},         /* a control frame in fragments */
		{"\x89\xfe\x00\x7emask", 8}, /* one of 126 bytes */
		{"\x81\xfe\x00\x7dmask", 8}, /* lengths in more bytes than they need */
		{"\x81\xff\x00\x00\x00\x00\x00\x00\xff\xffmask", 14},
		{"\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00mask", 14}, /* its highest bit */
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct ws_reader r = {0};
		struct ws_piece f;

		ws_reader_feed(&r, bad[i].p, bad[i].n);
		assert_int_equal(ws_reader_next(&r, &f), -1);
		ws_reader_release(&r);
		assert_null(r.wslay);
	}
}

static void heads(void **state)
{
	char b[WS_HEAD_MAX];

	(void)state;
	assert_int_equal(ws_head(b + WS_HEAD_MAX, WS_TEXT, 125), 2);
	assert_memory_equal(b + 8, "\x81\x7d", 2);
	assert_int_equal(ws_head(b + WS_HEAD_MAX, WS_TEXT, 126), 4);
	assert_memory_equal(b + 6, "\x81\x7e\x00\x7e", 4);
	assert_int_equal(ws_head(b + WS_HEAD_MAX, WS_CLOSE, 65535), 4);
	assert_memory_equal(b + 6, "\x88\x7e\xff\xff", 4);
	assert_int_equal(ws_head(b + WS_HEAD_MAX, WS_TEXT, 65536), 10);
	assert_memory_equal(b, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00", 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces),
		cmocka_unit_test(refused),
		cmocka_unit_test(heads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
