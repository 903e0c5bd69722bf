/* codec: base64url (RFC 4648, no padding), hex, UUID text, percent-encoding (RFC 3986), integers. Strict both ways. */
#pragma once
#include "lib/base/base.h"

#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)

/* Writes BASE64URL_LEN(n) characters and a NUL. */
void base64url_encode(char *out, const void *p, size_t n);
/* Strict: only the alphabet, no padding, no white space, unused bits zero. Returns the decoded length or -1;
 * out needs room for n * 3 / 4 bytes. */
long base64url_decode(void *out, const char *s, size_t n);

void hex_encode(char *out, const void *p, size_t n); /* 2n characters and a NUL, lower case */
bool hex_decode(void *out, const char *s, size_t n); /* n characters, even; n/2 bytes */

/* Canonical lower-case text form only. bytes may be NULL. */
bool uuid_parse(const char *s, size_t n, unsigned char bytes[16]);

/* Decimal without sign, blanks or leading zeros, at most max. */
bool int_parse(const char *s, size_t n, int64_t max, int64_t *out);

#define INT_TEXT_MAX 21 /* with its NUL */
/* Writes v and a NUL; returns where the NUL stands. */
char *int_text(char *out, int64_t v);

/* Decodes %XX (and + to a blank where plus is set) in place; false on a broken escape or an encoded NUL. Returns the
 * new length by *n. */
bool percent_decode(char *s, size_t *n, bool plus);

/* Compares without telling by time where they differ. */
bool equal_const_time(const void *a, const void *b, size_t n);
