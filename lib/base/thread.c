/* thread: see thread.h. */
#include "lib/base/thread.h"
#include "lib/base/clock.h"
#include <errno.h>
#include <time.h>

#define LOOK_NS 2000000

bool thread_join_within(pthread_t thread, int64_t ms)
{
	int64_t until = clock_mono_ms() + ms;

	while (pthread_tryjoin_np(thread, NULL) != 0) {
		if (clock_mono_ms() >= until)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
	}
	return true;
}

void thread_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* the wall clock may be set */
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms)
{
	struct timespec until = {.tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000};

	return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
