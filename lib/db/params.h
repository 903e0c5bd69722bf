/* params: statement parameters from a type string and varargs, in the form libpq takes. Shared by db and pgconn.
 *
 *   i  int64_t          t  const char *, NULL is null      b  bool (int)
 *   x  const void *, size_t: bytea, NULL is null           n  null (no argument)
 *   I  const int64_t *, size_t: int8[]                     T  const char *const *, size_t: text[]
 *   s  const char *, size_t: text without a NUL at its end, NULL is null
 */
#pragma once
#include "lib/base/arena.h"
#include <stdarg.h>

#define PARAMS_MAX 26

struct params {
	int n;
	const char *value[PARAMS_MAX];
	int length[PARAMS_MAX];
	int format[PARAMS_MAX];
};

/* Copies into a what needs a form of its own; the rest is borrowed until the statement is sent. */
void params_build(struct params *p, struct arena *a, const char *types, va_list ap);
