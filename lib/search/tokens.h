/* tokens: a text cut into what search compares: words, single characters of scripts that write no spaces, and emoji,
 * folded so that case, accents, width and composition do not matter (doc/search.md). Index, query and match all stand
 * on this one cut, so that they cannot disagree. */
#pragma once
#include "lib/base/strbuf.h"

#define TOKEN_BYTES_MAX 64 /* of a folded token; what is longer is cut there, in texts and queries alike */

enum token_kind {
	TOKEN_WORD,   /* a run of letters and digits */
	TOKEN_UNIT,   /* a character, with its marks, of a script without spaces */
	TOKEN_SYMBOL, /* an emoji or the like */
};

struct token {
	uint32_t at, n;    /* the folded bytes, in tokens.folded */
	uint32_t from, to; /* the bytes in the text as it is */
	enum token_kind kind;
	bool joined; /* a unit right behind another unit */
};

struct tokens {
	struct strbuf folded;
	struct token *list;
	size_t n, cap;
};

/* Cuts valid UTF-8; what t held before is gone. {0} is an empty one; its memory is kept until tokens_release(). */
void tokens_of(struct tokens *t, const char *s, size_t n);
void tokens_release(struct tokens *t);

static inline const char *token_text(const struct tokens *t, size_t i)
{
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): where there is an i there is a list
	return t->folded.p + t->list[i].at;
}
