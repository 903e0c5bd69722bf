/* emoji: each form of each emoji of Unicode's own list leads to its full form; what is none is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lib/chat/emoji.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t put(char *p, unsigned long c)
{
	if (c < 0x80)
		return (size_t)sprintf(p, "%c", (int)c);
	if (c < 0x800)
		return (size_t)sprintf(p, "%c%c", (int)(0xc0 | c >> 6), (int)(0x80 | (c & 63)));
	if (c < 0x10000)
		return (size_t)sprintf(p, "%c%c%c", (int)(0xe0 | c >> 12), (int)(0x80 | (c >> 6 & 63)),
				       (int)(0x80 | (c & 63)));
	return (size_t)sprintf(p, "%c%c%c%c", (int)(0xf0 | c >> 18), (int)(0x80 | (c >> 12 & 63)),
			       (int)(0x80 | (c >> 6 & 63)), (int)(0x80 | (c & 63)));
}

static void each_form_leads_to_its_full_form(void **state)
{
	FILE *f = fopen("/usr/share/unicode/emoji/emoji-test.txt", "r");
	char line[512], full[128] = "";
	size_t forms = 0;

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *status = strchr(line, ';'), *p = line, text[128] = "";
		size_t n = 0;

		if (line[0] == '#' || !status)
			continue;
		while (p < status && *p != ';') {
			char *end;
			unsigned long c = strtoul(p, &end, 16);

			if (end == p)
				break;
			n += put(text + n, c);
			p = end;
		}
		/* the list has the full form first, then what stands for it */
		if (strstr(status, "fully-qualified") == status + 2 || strstr(status, "component") == status + 2)
			strcpy(full, text);
		assert_non_null(emoji_find(text, n));
		assert_string_equal(emoji_find(text, n), full);
		assert_true(n < EMOJI_BYTES_MAX);
		forms++;
	}
	fclose(f);
	assert_true(forms > 4500);
	assert_true(strtod(emoji_version(), NULL) >= 15);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const none[] = {
		"",
		"a",
		"1",
		"#",
		"\xef\xb8\x8f",
		"\xe2\x80\x8d",
		"\xf0\x9f\x91\x8d\xf0\x9f\x91\x8d",
		"\xf0\x9f\x87\xae",
		"\xe2\x9d\xa4\xef\xb8\x8e",
		"\xf0\x9f\x91",
		"\xff",
	};
	char longest[EMOJI_BYTES_MAX + 8] = "\xf0\x9f\x91\x8d";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_null(emoji_find(none[i], strlen(none[i])));
	assert_null(emoji_find("\xf0\x9f\x91\x8d\0", 5));
	for (size_t n = 4; n + 3 <= sizeof(longest) - 1; n += 3) { /* as many selectors as fit, and more */
		memcpy(longest + n, "\xef\xb8\x8f", 4);
		if (n + 3 <= EMOJI_BYTES_MAX)
			assert_string_equal(emoji_find(longest, n + 3), "\xf0\x9f\x91\x8d");
		else
			assert_null(emoji_find(longest, n + 3));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_leads_to_its_full_form),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
