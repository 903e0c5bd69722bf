/* err: the table of errors and how one is set. */
#include "lib/base/err.h"
#include "lib/base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RETRY_MAX_MS ((int64_t)86400000)

static const struct {
	const char *name;
	int status;
	const char *title;
} codes[] = {
	{"none", 200, "OK"},
#define ERR(symbol, code, status, title) {code, status, title},
#include "lib/base/err.def"
#undef ERR
};

static int set_v(struct err *e, enum err_code code, const char *field, int retry_after_ms, const char *fmt, va_list ap)
	__attribute__((format(printf, 5, 0)));
static int set_v(struct err *e, enum err_code code, const char *field, int retry_after_ms, const char *fmt, va_list ap)
{
	if (!e)
		return -1;
	e->code = code;
	e->retry_after_ms = retry_after_ms;
	e->until_us = 0;
	e->field[0] = 0;
	if (field)
		snprintf(e->field, sizeof(e->field), "%s", field);
	vsnprintf(e->detail, sizeof(e->detail), fmt, ap);
	return -1;
}

int err_set(struct err *e, enum err_code code, const char *field, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_v(e, code, field, 0, fmt, ap);
	va_end(ap);
	return -1;
}

int err_retry(struct err *e, enum err_code code, int retry_after_ms, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set_v(e, code, NULL, retry_after_ms, fmt, ap);
	va_end(ap);
	return -1;
}

void err_until(struct err *e, int64_t until_us)
{
	e->until_us = until_us;
	if (until_us > 0)
		e->retry_after_ms = (int)MIN_OF(MAX_OF((until_us - clock_now_us()) / 1000, (int64_t)1), RETRY_MAX_MS);
}

const char *err_name(enum err_code code)
{
	return codes[code < ERR_CODES ? code : ERR_INTERNAL].name;
}

int err_status(enum err_code code)
{
	return codes[code < ERR_CODES ? code : ERR_INTERNAL].status;
}

const char *err_title(enum err_code code)
{
	return codes[code < ERR_CODES ? code : ERR_INTERNAL].title;
}
