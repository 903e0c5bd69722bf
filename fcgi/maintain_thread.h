/* maintain_thread: runs lib/db/maintain.h at start and then hourly, for as long as the process lives, and looks every
 * few seconds for what has run out of presence, also where nobody is connected any more. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
struct config;
struct maintain_thread;

struct maintain_thread *maintain_thread_start(const struct config *c);
/* Ends it within ms, or returns false: it is busy in the database, and its memory is left alone. */
bool maintain_thread_stop(struct maintain_thread **t, int64_t ms);
