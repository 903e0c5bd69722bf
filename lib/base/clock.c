/* clock: wall and monotonic time. */
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include <stdatomic.h>
#include <string.h>
#include <time.h>

static _Atomic int64_t fixed_us;

int64_t clock_now_us(void)
{
	int64_t fixed = atomic_load_explicit(&fixed_us, memory_order_relaxed);
	struct timespec t;

	if (fixed)
		return fixed;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 + FAULT_NUMBER("clock_step") * 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static void put_digits(char *to, size_t n, int v)
{
	for (; n > 0; v /= 10)
		to[--n] = (char)('0' + v % 10);
}

/* By hand: each message has one, and strftime() takes longer than all the rest of its line. */
void time_text(int64_t us, char out[TIME_TEXT_MAX])
{
	static const char form[] = "0000-00-00T00:00:00.000Z";
	int64_t s = us / 1000000, ms = us % 1000000;
	time_t t;
	struct tm tm;

	if (ms < 0) {
		s--;
		ms += 1000000;
	}
	t = (time_t)s;
	gmtime_r(&t, &tm);
	memcpy(out, form, sizeof(form));
	put_digits(out, 4, tm.tm_year + 1900);
	put_digits(out + 5, 2, tm.tm_mon + 1);
	put_digits(out + 8, 2, tm.tm_mday);
	put_digits(out + 11, 2, tm.tm_hour);
	put_digits(out + 14, 2, tm.tm_min);
	put_digits(out + 17, 2, tm.tm_sec);
	put_digits(out + 20, 3, (int)(ms / 1000));
}

/* n digits of s, from min to max. */
static bool number(const char *s, size_t n, int min, int max)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + s[i] - '0';
	}
	return v >= min && v <= max;
}

static int days_of(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

bool time_valid(const char *s, size_t n)
{
	size_t at = 19;

	if (n < 20 || n > 40 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' ||
	    !number(s, 4, 1970, 9999) || !number(s + 5, 2, 1, 12) || !number(s + 8, 2, 1, 31) ||
	    !number(s + 11, 2, 0, 23) || !number(s + 14, 2, 0, 59) || !number(s + 17, 2, 0, 59))
		return false;
	if ((s[8] - '0') * 10 + s[9] - '0' >
	    days_of((s[2] - '0') * 10 + s[3] - '0' + ((s[0] - '0') * 10 + s[1] - '0') * 100,
		    (s[5] - '0') * 10 + s[6] - '0'))
		return false;
	if (s[at] == '.')
		for (at++; at < n && s[at] >= '0' && s[at] <= '9'; at++)
			;
	if (s[at - 1] == '.')
		return false;
	if (n == at + 1)
		return s[at] == 'Z';
	return n == at + 6 && (s[at] == '+' || s[at] == '-') && number(s + at + 1, 2, 0, 14) && s[at + 3] == ':' &&
	       number(s + at + 4, 2, 0, 59);
}

void clock_set_for_test(int64_t now_us)
{
	atomic_store(&fixed_us, now_us);
}
