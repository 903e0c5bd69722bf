/* err: one error type. It lies on the caller's stack; only the edge turns it into problem+json, an `error` event or an
 * exit text. Inner causes (SQL text, errno) are logged where they happen and stay inside. */
#pragma once
#include "lib/base/base.h"

enum err_code {
	ERR_NONE = 0,
#define ERR(symbol, code, status, title) ERR_##symbol,
#include "lib/base/err.def"
#undef ERR
	ERR_CODES
};

struct err {
	enum err_code code;
	char field[96];     /* empty where no single field is at fault */
	char detail[256];   /* a sentence for a person, no secrets, no SQL */
	int retry_after_ms; /* 0: nothing to say */
	int64_t until_us;   /* when what stands in the way ends, microseconds since 1970; 0: nothing to say */
};

/* Sets code, field (NULL: none) and the formatted detail; always returns -1. A NULL e is allowed. */
int err_set(struct err *e, enum err_code code, const char *field, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same with a time to come back after, in milliseconds. */
int err_retry(struct err *e, enum err_code code, int retry_after_ms, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* An error that is set holds until then (µs since 1970; 0: until somebody ends it), which it says, and when to come
 * back: in a day at most. */
void err_until(struct err *e, int64_t until_us);

const char *err_name(enum err_code code);  /* "bad_field" */
int err_status(enum err_code code);        /* 400 */
const char *err_title(enum err_code code); /* "Bad Request" */
