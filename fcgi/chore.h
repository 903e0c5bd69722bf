/* chore: a thread beside the workers that works and rests in turn until it is stopped. */
#pragma once
#include "lib/base/base.h"
#include <pthread.h>
#include <stdatomic.h>

struct chore {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t bell;
	_Atomic bool stop;
	bool woken;
};

/* Begins run(arg), which is to return once chore_stopping() or chore_rest() says so. Where there is no thread to be had
 * the program ends. name: for the log. */
void chore_start(struct chore *c, const char *name, void *(*run)(void *arg), void *arg);
bool chore_stopping(const struct chore *c); /* the thread is to end */
/* Rests for ms, or until chore_wake(). True where the thread is to end. */
bool chore_rest(struct chore *c, int64_t ms);
void chore_wake(struct chore *c);
/* Ends it within ms, or returns false: it is busy, and what it uses must be left alone. */
MUST_CHECK bool chore_stop(struct chore *c, int64_t ms);
