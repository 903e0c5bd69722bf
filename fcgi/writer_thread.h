/* writer_thread: one thread that runs the group commit of lib/db/writer.h for all workers of the process. */
#pragma once
#include "fcgi/app.h"
struct config;

struct writer_thread;

struct writer_thread *writer_thread_start(const struct config *c);
/* Writes what is queued as far as the database lets it within a moment, then ends the thread. Call it when no worker
 * writes any more. */
void writer_thread_stop(struct writer_thread **t);
/* For app.gate; lives as long as t. Any thread. */
struct write_gate *writer_thread_gate(struct writer_thread *t);
/* From now on handlers wait for nothing: those that do are told ERR_UNAVAILABLE, so that a stop is not held up. */
void writer_thread_hurry(struct writer_thread *t);
