/* clock: wall and monotonic time. */
#include "lib/base/clock.h"
#include "lib/base/fault.h"
#include <stdatomic.h>
#include <stdio.h>
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

void time_text(int64_t us, char out[TIME_TEXT_MAX])
{
	int64_t s = us / 1000000, ms = us % 1000000;
	time_t t;
	struct tm tm;
	size_t n;

	if (ms < 0) {
		s--;
		ms += 1000000;
	}
	t = (time_t)s;
	gmtime_r(&t, &tm);
	n = strftime(out, TIME_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, TIME_TEXT_MAX - n, ".%03dZ", (int)(ms / 1000));
}

void clock_set_for_test(int64_t now_us)
{
	atomic_store(&fixed_us, now_us);
}
