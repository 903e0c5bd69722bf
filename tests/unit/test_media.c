/* media: how types are written, what is shown, and what bytes say. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/chat/media.h"
#include <string.h>

static void types_are_kept_in_one_form(void **state)
{
	static const struct {
		const char *declared, *kept; /* kept NULL: refused */
	} cases[] = {
		{"", "application/octet-stream"},
		{"  ", "application/octet-stream"},
		{";charset=x", "application/octet-stream"},
		{"image/jpg", "image/jpeg"},
		{"Image/JPEG", "image/jpeg"},
		{"text/plain;charset=utf-8", "text/plain"},
		{"text/plain ; charset=utf-8", "text/plain"},
		{"audio/x-m4a", "audio/mp4"},
		{"application/vnd.ms-excel.sheet.macroEnabled.12", "application/vnd.ms-excel.sheet.macroenabled.12"},
		{"image", NULL},
		{"image/", NULL},
		{"/png", NULL},
		{"image/png/x", NULL},
		{"image/p ng", NULL},
		{"image/png\r\nX: y", NULL},
		{"im\xc3\xa4ge/png", NULL},
		{"-x/y", NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct span s = {cases[i].declared, strlen(cases[i].declared)};
		char out[STORE_TYPE_SIZE];
		struct err e = {0};
		int rc = media_type(s, out, &e);

		if (cases[i].kept) {
			assert_int_equal(rc, 0);
			assert_string_equal(out, cases[i].kept);
		} else {
			assert_int_equal(rc, -1);
			assert_string_equal(e.field, "type");
		}
	}
}

static void only_what_cannot_run_is_shown(void **state)
{
	(void)state;
	assert_true(media_shown("image/png"));
	assert_true(media_shown("IMAGE/PNG; x=y"));
	assert_true(media_shown("video/webm;codecs=vp9"));
	assert_true(media_shown("audio/mpeg"));
	assert_false(media_shown("image/svg+xml"));
	assert_false(media_shown("text/plain"));
	assert_false(media_shown("text/html"));
	assert_false(media_shown("application/pdf"));
	assert_false(media_shown("image/pngx"));
	assert_false(media_shown(""));
	assert_true(media_is_picture("image/webp"));
	assert_false(media_is_picture("video/mp4"));
	assert_string_equal(media_served("text/html"), "application/octet-stream");
	assert_string_equal(media_served("image/svg+xml"), "application/octet-stream");
	assert_string_equal(media_served("application/x-new+xml"), "application/octet-stream");
	assert_string_equal(media_served("application/pdf"), "application/octet-stream");
	assert_string_equal(media_served("image/png"), "image/png");
	assert_string_equal(media_served("application/zip"), "application/zip");
}

#define BYTES(s) s, sizeof(s) - 1

static void bytes_are_held_against_what_was_declared(void **state)
{
	static const struct {
		const char *declared, *bytes;
		size_t n;
		const char *type; /* NULL: it differs */
	} cases[] = {
		{"image/gif", BYTES("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"), "image/gif"},
		{"image/png", BYTES("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"), "image/gif"},
		{"image/png", BYTES("<!doctype html><html><script>"), NULL},
		{"image/png", BYTES(""), NULL},
		{"image/jpeg", BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), NULL},
		{"image/webp", BYTES("hello"), NULL},
		{"video/mp4",
		 BYTES("\0\0\0\x20"
		       "ftypisom\0\0\2\0isomiso2avc1mp41"),
		 "video/mp4"},
		{"audio/mp4",
		 BYTES("\0\0\0\x20"
		       "ftypisom\0\0\2\0isomiso2avc1mp41"),
		 "audio/mp4"},
		{"audio/webm",
		 BYTES("\0\0\0\x20"
		       "ftypisom\0\0\2\0isomiso2avc1mp41"),
		 NULL},
		{"audio/ogg", BYTES("OggS\0\2\0\0\0\0\0\0\0\0\x2a\0\0\0\0\0\0\0\1\2\3\4\1\x13OpusHead\1\2"),
		 "audio/ogg"},
		{"audio/mpeg", BYTES("\xff\xfb\x90\x64\0\0\0\0"), "audio/mpeg"},
		{"audio/mpeg", BYTES("ID3\4\0\0\0\0\0\x0a\0\0\0\0"), "audio/mpeg"},
		{"audio/mpeg", BYTES("<html><body>"), NULL},
		{"image/x-unknown", BYTES("<!doctype html><html>"), NULL},
		{"image/x-unknown", BYTES("whatever"), "image/x-unknown"},
		{"image/svg+xml", BYTES("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"), "image/svg+xml"},
		{"text/html", BYTES("<!doctype html><html>"), "text/html"},
		{"application/octet-stream", BYTES(""), "application/octet-stream"},
	};
	struct media_sniffer *m = media_sniffer_new();

	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char type[STORE_TYPE_SIZE];
		struct err e = {0};
		int rc = media_judge(m, cases[i].declared, cases[i].bytes, cases[i].n, type, &e);

		if ((rc == 0) != (cases[i].type != NULL))
			fail_msg("%zu: %s: %s", i, cases[i].declared, rc ? e.detail : type);
		if (rc == 0) {
			assert_string_equal(type, cases[i].type);
		} else {
			assert_int_equal(e.code, ERR_UPLOAD_DIFFERS);
			assert_string_equal(e.field, "type");
		}
	}
	media_sniffer_free(&m);
	assert_null(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_kept_in_one_form),
		cmocka_unit_test(only_what_cannot_run_is_shown),
		cmocka_unit_test(bytes_are_held_against_what_was_declared),
	};

	return cmocka_run_group_tests_name("media", tests, NULL, NULL);
}
