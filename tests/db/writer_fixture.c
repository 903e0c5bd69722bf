/* writer_fixture: set up afresh for each test. */
#include "tests/db/writer_fixture.h"
#include <stdlib.h>

int fixture_setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->site = site_open();
	f->port = port_writer(f->site->config, "writer");
	*state = f;
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;

	ports_abandon();
	site_close(&f->site);
	free(f);
	return 0;
}

struct writer_stats stats_of(struct port *p)
{
	struct writer_stats s;

	writer_stats(p->writer, &s);
	return s;
}

void send_and_wait(struct fixture *f, int64_t channel, int64_t sender, const char *id, const char *text,
		   struct sent *out)
{
	send_text(f->port, f->site, channel, sender, id, text, out);
	UNTIL(out->done, 5000);
}
