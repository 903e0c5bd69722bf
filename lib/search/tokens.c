/* tokens: each code point is folded by utf8proc (full case folding, compatibility decomposition), then what it has
 * become goes to the token under way. */
#include "lib/search/tokens.h"
#include "lib/base/utf8.h"
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

#define DECOMPOSED_MAX 32 /* U+FDFA becomes 18 */
#define LIST_FIRST 64

struct range {
	uint32_t from, to;
};

static bool in_ranges(const struct range *list, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && c >= list[i].from; i++)
		if (c <= list[i].to)
			return true;
	return false;
}

/* Marks that a reader may leave out: accents, and the vowel points of Hebrew and Arabic. Those of the scripts of India
 * and South-East Asia are vowels: without them a word is another one. */
static bool is_accent(uint32_t c)
{
	static const struct range accents[] = {
		{0x0300, 0x036f}, {0x0483, 0x0487}, {0x0591, 0x05c7}, {0x0610, 0x061a},
		{0x064b, 0x065f}, {0x0670, 0x0670}, {0x06d6, 0x06ed}, {0x1ab0, 0x1aff},
		{0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
	};

	return in_ranges(accents, COUNT_OF(accents), c);
}

/* Scripts that write no spaces; Hangul writes some, but not where a reader looks for a part. */
static bool is_unspaced(uint32_t c)
{
	static const struct range unspaced[] = {
		{0x0e01, 0x0e4e},                                                         /* Thai */
		{0x0e81, 0x0ecd},                                                         /* Lao */
		{0x1000, 0x109f},                                                         /* Myanmar */
		{0x1100, 0x11ff},                                                         /* Hangul, decomposed */
		{0x1780, 0x17d3},                                                         /* Khmer */
		{0x1950, 0x19df},                                                         /* Tai Le, New Tai Lue */
		{0x1a20, 0x1aad},                                                         /* Tai Tham */
		{0x2e80, 0x2fdf},                                                         /* radicals */
		{0x3005, 0x3007},                                                         /* 々〆〇 */
		{0x3021, 0x3029},   {0x3031, 0x3035}, {0x3038, 0x303c}, {0x3041, 0x30fa}, /* kana */
		{0x30fc, 0x312f},                                                         /* kana, Bopomofo */
		{0x31a0, 0x31bf},   {0x31f0, 0x31ff}, {0x3400, 0x4dbf}, {0x4e00, 0x9fff}, {0xa000, 0xa48c}, /* Yi */
		{0xa960, 0xa97f},   {0xa9e0, 0xa9fe}, {0xaa60, 0xaadf}, {0xd7b0, 0xd7fb}, {0xf900, 0xfaff},
		{0x1b000, 0x1b16f}, /* old kana */
		{0x20000, 0x3fffd},
	};

	return c >= 0x0e01 && in_ranges(unspaced, COUNT_OF(unspaced), c);
}

/* A vowel or final consonant of a Hangul syllable that has begun. */
static bool is_hangul_inner(uint32_t c)
{
	return (c >= 0x1160 && c <= 0x11ff) || (c >= 0xd7b0 && c <= 0xd7fb);
}

static bool is_voicing(uint32_t c)
{
	return c == 0x3099 || c == 0x309a;
}

/* Letters that Unicode does not decompose, written without what hangs on them. */
static const char *plain_letter(uint32_t c)
{
	switch (c) {
	case 0x00e6:
		return "ae";
	case 0x00f0:
	case 0x0111:
		return "d";
	case 0x00f8:
		return "o";
	case 0x00fe:
		return "th";
	case 0x0127:
		return "h";
	case 0x0131:
		return "i";
	case 0x0142:
		return "l";
	case 0x014b:
		return "n";
	case 0x0153:
		return "oe";
	case 0x0167:
		return "t";
	default:
		return NULL;
	}
}

/* Where the cut stands. */
struct cut {
	struct tokens *t;
	uint32_t from, to; /* of the code point in the text */
	bool open;         /* the last token may grow */
	bool run;          /* the last token is a unit, and nothing stands between */
};

static struct token *begin(struct cut *k, enum token_kind kind)
{
	struct tokens *t = k->t;
	struct token *one;

	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : LIST_FIRST;
		t->list = xrealloc(t->list, t->cap * sizeof(*t->list));
	}
	one = &t->list[t->n++];
	*one = (struct token){.at = (uint32_t)t->folded.n, .from = k->from, .to = k->to, .kind = kind};
	one->joined = kind == TOKEN_UNIT && k->run;
	k->open = true;
	k->run = kind == TOKEN_UNIT;
	return one;
}

static void grow(struct cut *k, const char *s, size_t n)
{
	struct token *one = &k->t->list[k->t->n - 1];

	one->to = k->to;
	if (one->n + n > TOKEN_BYTES_MAX)
		return;
	strbuf_add(&k->t->folded, s, n);
	one->n += (uint32_t)n;
}

/* A voiced kana is another one than its plain one, also as the beginning of something: the mark goes in front. */
static void grow_voiced(struct cut *k, const char *s, size_t n)
{
	struct token *one = &k->t->list[k->t->n - 1];
	char *at;

	grow(k, s, n);
	at = k->t->folded.p + one->at;
	memmove(at + n, at, one->n - n);
	memcpy(at, s, n);
}

static struct token *last_of(struct cut *k, enum token_kind kind)
{
	struct token *one = k->open ? &k->t->list[k->t->n - 1] : NULL;

	return one && one->kind == kind ? one : NULL;
}

static void add_letter(struct cut *k, uint32_t c, const char *s, size_t n, bool digit)
{
	const char *plain = plain_letter(c);

	if (!digit && is_unspaced(c)) {
		if (!is_hangul_inner(c) || !last_of(k, TOKEN_UNIT))
			begin(k, TOKEN_UNIT);
	} else if (!last_of(k, TOKEN_WORD)) {
		begin(k, TOKEN_WORD);
	}
	grow(k, plain ? plain : s, plain ? strlen(plain) : n);
}

static void add_mark(struct cut *k, uint32_t c, const char *s, size_t n)
{
	if (is_accent(c) || !k->open || last_of(k, TOKEN_SYMBOL))
		return;
	if (is_voicing(c) && k->t->list[k->t->n - 1].n + n <= TOKEN_BYTES_MAX)
		grow_voiced(k, s, n);
	else
		grow(k, s, n);
}

static void separate(struct cut *k)
{
	k->open = k->run = false;
}

static void add(struct cut *k, uint32_t c)
{
	char s[4];
	size_t n = (size_t)utf8proc_encode_char((utf8proc_int32_t)c, (utf8proc_uint8_t *)s);

	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_LM:
		if (c == 0x0640) /* the Arabic stroke that only makes a word wider */
			return;
		__attribute__((fallthrough));
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LO:
		add_letter(k, c, s, n, false);
		return;
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		add_letter(k, c, s, n, c < 0x3000);
		return;
	case UTF8PROC_CATEGORY_MN:
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ME:
		add_mark(k, c, s, n);
		return;
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_SK: /* tones of skin, and accents that stand alone */
		return;
	case UTF8PROC_CATEGORY_CN: /* emoji that are newer than the tables */
		if (c < 0x1f000)
			break;
		__attribute__((fallthrough));
	case UTF8PROC_CATEGORY_SO:
		begin(k, TOKEN_SYMBOL);
		grow(k, s, n);
		return;
	default:
		break;
	}
	separate(k);
}

static void add_folded(struct cut *k, uint32_t c)
{
	static const utf8proc_option_t how = UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE;
	utf8proc_int32_t out[DECOMPOSED_MAX];
	utf8proc_ssize_t n = utf8proc_decompose_char((utf8proc_int32_t)c, out, DECOMPOSED_MAX, how, NULL);

	if (n < 0 || n > DECOMPOSED_MAX)
		separate(k);
	for (utf8proc_ssize_t i = 0; i < n && n <= DECOMPOSED_MAX; i++)
		add(k, (uint32_t)out[i]);
}

static void add_ascii(struct cut *k, unsigned char c)
{
	char folded = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);

	if ((folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9')) {
		if (!last_of(k, TOKEN_WORD))
			begin(k, TOKEN_WORD);
		grow(k, &folded, 1);
	} else {
		separate(k);
	}
}

void tokens_of(struct tokens *t, const char *s, size_t n)
{
	struct cut k = {.t = t};

	strbuf_reset(&t->folded);
	t->n = 0;
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t c = utf8_decode(s + i, &len);

		k.from = (uint32_t)i;
		k.to = (uint32_t)(i + len);
		if (c < 0x80)
			add_ascii(&k, (unsigned char)c);
		else
			add_folded(&k, c);
	}
}

void tokens_release(struct tokens *t)
{
	strbuf_release(&t->folded);
	free(t->list);
	*t = (struct tokens){0};
}
