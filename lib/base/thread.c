/* thread: see thread.h. */
#include "lib/base/thread.h"
#include "lib/base/clock.h"
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
