/* harness: what the tests against a real PostgreSQL share: a fresh migrated database, SQL at hand, a loop that turns
 * writers and connections until a condition holds. The cluster comes from tests/db/run.sh (PULSECHAT_TEST_PG: its
 * folder). */
#pragma once
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/db/pgconn.h"
#include "lib/db/writer.h"
#include <libpq-fe.h>

/* ---- a database of its own */

struct site {
	struct config *config;
	PGconn *sql;      /* the superuser's */
	char name[64];    /* of the database */
	int64_t user[4];  /* active people */
	int64_t open;     /* a public channel; users 0, 1 and 2 are in it */
	int64_t closed;   /* a private one; users 0 and 1 are */
	int64_t hall[16]; /* public channels with user 0 in them */
};

/* A fresh database, migrated once and then copied, with the people and channels above. */
struct site *site_open(void);
struct site *site_open_empty(void); /* of template1: nothing in it yet */
void site_close(struct site **s);
struct config *test_config(const char *dsn); /* what config_load() would give by default */
void test_config_free(struct config **c);

/* Runs SQL as the superuser, failing the test where it fails. The first cell: as text (valid until the next but
 * seven), as a number. */
const char *sql(struct site *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
int64_t sql_int(struct site *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
PGconn *site_connect(struct site *s); /* one more superuser's connection */
void run_sql(PGconn *c, const char *fmt, ...) PRINTF_LIKE(2, 3);

const char *cluster_dir(void);
void cluster_stop(const char *mode);
void cluster_start(void);
void cluster_start_tcp(int port); /* on 127.0.0.1 too; its sockets and connections of ours have that port then */

/* ---- the loop: one thread, any number of writers and connections */

struct port {
	int fd, events;
	struct writer *writer; /* one of the two */
	struct pgconn *conn;
};

struct port *port_writer(const struct config *c, const char *name); /* a writer in the loop */
void port_close(struct port **p);
void ports_abandon(void); /* closes all that a failed test has left; its sends are told nothing any more */
/* For a pgconn's hooks.watch; arg must be, or start with, a struct port. */
void port_watch(void *arg, int fd, int events);
void port_add(struct port *p);
void port_remove(struct port *p);
void loop_turn(int max_ms);

/* Turns the loop until cond holds; the test fails where it does not within ms. */
#define UNTIL(cond, ms)                                                                                         \
	do {                                                                                                    \
		int64_t until_end_ = clock_mono_ms() + (ms);                                                    \
		while (!(cond)) {                                                                               \
			if (clock_mono_ms() > until_end_)                                                       \
				fail_msg("not within %d ms: %s (%s:%d)", (int)(ms), #cond, __FILE__, __LINE__); \
			loop_turn(10);                                                                          \
		}                                                                                               \
	} while (0)

/* ---- sends */

struct sent {
	bool done;
	int calls; /* of done(): must end at 1 */
	bool ok, again;
	int64_t seq, id, event, began, took_ms;
	struct err err;
};

/* Submits a message with the text; client_id NULL: a new one. Fails the test where the writer does not take it. */
void send_text(struct port *p, struct site *s, int64_t channel, int64_t sender, const char *client_id, const char *text,
	       struct sent *out);
struct write_item *make_item(struct site *s, int64_t channel, int64_t sender, const char *client_id, const char *text,
			     struct sent *out);
int submit(struct port *p, struct write_item *item, struct err *e); /* and lets the writer begin */
size_t count_done(const struct sent *v, size_t n);

/* Fails the test unless the log's ids run from 1 to the head, each channel's seqs from 1, and each message has one
 * event. Returns the messages. */
int64_t check_log(struct site *s);

/* ---- randomness, its seed printed once: PULSECHAT_TEST_SEED repeats a run */
uint32_t dice(uint32_t below);

/* A suite's main: TAP on standard output. */
#define SUITE(tests) cmocka_run_group_tests_name(__FILE__, tests, suite_setup, suite_teardown)
int suite_setup(void **state);
int suite_teardown(void **state);
