/* clock: time through one interface, so that tests can set it. */
#pragma once
#include "lib/base/base.h"

#define TIME_TEXT_MAX 32

int64_t clock_now_us(void);  /* microseconds since 1970 UTC, wall clock */
int64_t clock_mono_ms(void); /* milliseconds, never runs back nor leaps; for time-outs */
int64_t clock_mono_us(void); /* the same in microseconds */

/* RFC 3339 in UTC with milliseconds, "2026-11-25T10:04:31.123Z"; NUL-terminated. */
void time_text(int64_t us, char out[TIME_TEXT_MAX]);

/* A time as clients may write it (RFC 3339): seconds may have a fraction, the zone is Z or ±HH:MM. */
bool time_valid(const char *s, size_t n);

/* For tests: a fixed wall clock in microseconds; 0 gives the true one back. */
void clock_set_for_test(int64_t now_us);
