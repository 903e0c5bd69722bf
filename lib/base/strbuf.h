/* strbuf: bytes that grow up to a ceiling. After an append over the ceiling it is `failed` and takes nothing more, so
 * that a run of appends needs one check at its end. */
#pragma once
#include "lib/base/base.h"
#include <string.h>

struct strbuf {
	char *p; /* NUL-terminated where n > 0 or after strbuf_cstr() */
	size_t n, cap;
	size_t max; /* ceiling in bytes; 0 means STRBUF_MAX_DEFAULT */
	bool failed;
};
#define STRBUF_MAX_DEFAULT ((size_t)16 << 20)

/* Makes room for n more bytes at once. */
void strbuf_reserve(struct strbuf *b, size_t n);
void strbuf_add(struct strbuf *b, const void *p, size_t n);
static inline void strbuf_adds(struct strbuf *b, const char *s) /* here, so that a literal's length is a constant */
{
	strbuf_add(b, s, strlen(s));
}
void strbuf_addc(struct strbuf *b, char c);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void strbuf_addi(struct strbuf *b, int64_t v);
/* A JSON string with its quotes (RFC 8259); s must be valid UTF-8. Escapes what must be, and DEL, U+2028, U+2029. */
void strbuf_add_json(struct strbuf *b, const char *s, size_t n);
/* Appends s as text of HTML or XML, or as a value of an attribute in quotes. */
void strbuf_add_markup(struct strbuf *b, const char *s);

const char *strbuf_cstr(struct strbuf *b);      /* never NULL */
void strbuf_reset(struct strbuf *b);            /* length 0, keeps the memory */
void strbuf_release(struct strbuf *b);          /* frees; usable again */
char *strbuf_take(struct strbuf *b, size_t *n); /* hands the bytes over (free()); b is empty after */

static inline void strbuf_cleanup_(struct strbuf *b)
{
	strbuf_release(b);
}
#define AUTO_STRBUF __attribute__((cleanup(strbuf_cleanup_))) struct strbuf
