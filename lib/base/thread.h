/* thread: what pthreads lack. */
#pragma once
#include "lib/base/base.h"
#include <pthread.h>

/* Joins, or returns false when ms have passed. By the monotonic clock: the wall clock may be set. (Looks now and then:
 * the thread sanitizer does not know pthread_clockjoin_np.) */
MUST_CHECK bool thread_join_within(pthread_t thread, int64_t ms);

/* A condition whose waits are by the monotonic clock. */
void thread_cond_init(pthread_cond_t *c);
/* Waits until a time (clock_mono_ms()) at most; false where it has passed. The lock is held. */
bool thread_cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t until_ms);
