/* write_args: a batch as the parameters of write_batch(): arrays in the binary form of PostgreSQL. */
#pragma once
#include "lib/db/pgconn.h"
struct write_hints;
struct write_item;

struct write_args;
struct write_args *write_args_new(void); /* their memory stays from batch to batch */
void write_args_free(struct write_args **a);

/* Asks for the items to be stored, each in its channel's order. look: some may be stored already; waits: for channels
 * that somebody holds. The answer has a row for each item, in their order: status, seq, id, event, at_us. */
void write_args_send(struct write_args *a, struct pgconn *conn, struct write_item *const *items, size_t n,
		     const struct write_hints *hints, bool look, bool waits, pgconn_done done, void *arg);
