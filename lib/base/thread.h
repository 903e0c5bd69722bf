/* thread: what pthreads lack. */
#pragma once
#include "lib/base/base.h"
#include <pthread.h>

/* Joins, or returns false when ms have passed. By the monotonic clock: the wall clock may be set. (Looks now and then:
 * the thread sanitizer does not know pthread_clockjoin_np.) */
MUST_CHECK bool thread_join_within(pthread_t thread, int64_t ms);
