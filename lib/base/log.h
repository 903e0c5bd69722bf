/* log: key=value lines to standard error, one write(2) a line. Any thread. Never give it a secret: tokens, cookies,
 * codes and message texts have no place in a log. */
#pragma once
#include "lib/base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_init(const char *program, enum log_level level);
bool log_level_parse(const char *s, enum log_level *out);

/* The id of the request that this thread works on ("" for none); shown as req=ID. Copied. */
void log_set_request(const char *id);
const char *log_request(void);

/* event: a short fixed word ("db.lost"); the rest `key=value key=value`, values with spaces quoted by LOG_Q. */
void log_at(enum log_level level, const char *event, const char *fmt, ...) PRINTF_LIKE(3, 4);
#define log_debug(event, ...) log_at(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_INFO, event, __VA_ARGS__)
#define log_warning(event, ...) log_at(LOG_WARNING, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)

/* Quotes s for a log value (control characters and quotes escaped, at most 400 bytes) into a thread-local ring of
 * four buffers: for use inside a log call only. */
const char *log_quote(const char *s);
