/* writer_fixture: what the tests of the writer share: a site, and a writer on it. */
#pragma once
#include "tests/db/harness.h"

#define ID_A "00000000-0000-4000-8000-00000000000a"
#define ID_B "00000000-0000-4000-8000-00000000000b"

struct fixture {
	struct site *site;
	struct port *port;
};

int fixture_setup(void **state);
int fixture_teardown(void **state);
#define WRITER_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

struct writer_stats stats_of(struct port *p);
/* As send_text() by the fixture's writer; returns when it is done. */
void send_and_wait(struct fixture *f, int64_t channel, int64_t sender, const char *id, const char *text,
		   struct sent *out);
