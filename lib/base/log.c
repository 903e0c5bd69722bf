/* log: key=value lines to standard error. */
#include "lib/base/log.h"
#include "lib/base/clock.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_MAX 2048
#define LOG_VALUE_MAX 400

static char program_name[32] = "pulsechat";
static enum log_level lowest = LOG_INFO;
static __thread char request_id[40];
static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_init(const char *program, enum log_level level)
{
	snprintf(program_name, sizeof(program_name), "%s", program);
	lowest = level;
}

bool log_level_parse(const char *s, enum log_level *out)
{
	for (size_t i = 0; i < COUNT_OF(level_names); i++)
		if (!strcmp(s, level_names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	return false;
}

void log_set_request(const char *id)
{
	snprintf(request_id, sizeof(request_id), "%s", id);
}

const char *log_request(void)
{
	return request_id;
}

void log_at(enum log_level level, const char *event, const char *fmt, ...)
{
	char line[LOG_LINE_MAX], at[TIME_TEXT_MAX];
	size_t n;
	va_list ap;
	int k;
	ssize_t written;

	if (level < lowest)
		return;
	time_text(clock_now_us(), at);
	k = snprintf(line, sizeof(line), "%s %s[%d] %s %s%s%s ", at, program_name, (int)getpid(), level_names[level],
		     event, request_id[0] ? " req=" : "", request_id);
	n = MIN_OF((size_t)(k > 0 ? k : 0), sizeof(line) - 2);
	va_start(ap, fmt);
	k = vsnprintf(line + n, sizeof(line) - 1 - n, fmt, ap);
	va_end(ap);
	n = MIN_OF(n + (size_t)(k > 0 ? k : 0), sizeof(line) - 2);
	line[n++] = '\n';
	written = write(STDERR_FILENO, line, n); /* nowhere to report a failure to */
	(void)written;
}

const char *log_quote(const char *s)
{
	static __thread char ring[4][LOG_VALUE_MAX + 8];
	static __thread unsigned turn;
	char *out = ring[turn++ % 4];
	size_t n = 0;

	out[n++] = '"';
	for (; s && *s && n < LOG_VALUE_MAX; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			out[n++] = '\\';
			out[n++] = (char)c;
		} else {
			out[n++] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
		}
	}
	out[n++] = '"';
	out[n] = 0;
	return out;
}
