/* files_thread: sees to files that nobody wants any more (lib/chat/file.h), for as long as the process lives. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
struct config;
struct files_thread;
struct store;

struct files_thread *files_thread_start(const struct config *c, const struct store *s);
/* There is something to delete just now. Any thread. */
void files_thread_wake(struct files_thread *t);
/* Ends it within ms, or returns false: it is busy in the store, and its memory is left alone. *t NULL is fine. */
bool files_thread_stop(struct files_thread **t, int64_t ms);
