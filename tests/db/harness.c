/* harness: a database, SQL, a loop, sends. */
#include "tests/db/harness.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/chat/message.h"
#include "lib/db/migrations.h"
#include "lib/json/jx.h"
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PORTS_MAX 16

static char template[64];
static int databases;

const char *cluster_dir(void)
{
	const char *dir = getenv("PULSECHAT_TEST_PG");

	if (!dir || !*dir) {
		fputs("PULSECHAT_TEST_PG is not set: run tests/db/run.sh\n", stderr);
		exit(2);
	}
	return dir;
}

static void cluster(const char *what, const char *more)
{
	char command[512];

	snprintf(command, sizeof(command), "tests/support/pg.sh %s '%s' %s >/dev/null", what, cluster_dir(), more);
	if (system(command) != 0)
		fail_msg("pg.sh %s failed", what);
}

void cluster_stop(const char *mode)
{
	cluster("stop", mode);
}

void cluster_start(void)
{
	unsetenv("PGPORT");
	cluster("start", "");
}

void cluster_start_tcp(int port)
{
	char more[64], text[16];

	snprintf(text, sizeof(text), "%d", port);
	snprintf(more, sizeof(more), "listen_addresses=127.0.0.1 port=%d", port);
	setenv("PGPORT", text, 1);
	cluster("start", more);
}

/* ---- configuration */

struct config *test_config(const char *dsn)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->site.url = xstrdup("http://127.0.0.1:8080");
	c->database.dsn = xstrdup(dsn);
	c->database.statement_timeout = 10000;
	c->database.wait = 10000;
	c->writer.batch_items = 1024;
	c->writer.batch_bytes = 2 << 20;
	c->writer.queue_items = 8192;
	c->writer.queue_bytes = 16 << 20;
	c->limits.message_chars = 20000;
	c->files.store = xstrdup("local");
	c->files.message_files = 20;
	return c;
}

void test_config_free(struct config **c)
{
	if (!*c)
		return;
	free((*c)->site.url);
	free((*c)->database.dsn);
	free((*c)->files.store);
	free(*c);
	*c = NULL;
}

/* ---- SQL */

void run_sql(PGconn *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	PGresult *r;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r = PQexec(c, text);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
		print_error("%s: %s", text, PQerrorMessage(c));
		PQclear(r);
		fail();
	}
	PQclear(r);
}

static bool lost(const PGconn *c, const PGresult *r)
{
	return PQstatus(c) != CONNECTION_OK ||
	       (PQresultStatus(r) == PGRES_FATAL_ERROR && !PQresultErrorField(r, PG_DIAG_SQLSTATE));
}

static const char *first_cell(struct site *s, const char *text)
{
	static char ring[8][8192];
	static unsigned turn;
	char *out = ring[turn++ % 8];
	PGresult *r;

	r = PQexec(s->sql, text);
	for (int k = 0; k < 3 && lost(s->sql, r); k++) { /* the cluster was restarted */
		PQclear(r);
		PQreset(s->sql);
		r = PQexec(s->sql, text);
	}
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK) {
		print_error("%s: %s", text, PQerrorMessage(s->sql));
		PQclear(r);
		fail();
	}
	snprintf(out, sizeof(ring[0]), "%s", PQntuples(r) && PQnfields(r) ? PQgetvalue(r, 0, 0) : "");
	PQclear(r);
	return out;
}

const char *sql(struct site *s, const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return first_cell(s, text);
}

int64_t sql_int(struct site *s, const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return strtoll(first_cell(s, text), NULL, 10);
}

static void quiet(void *arg, const char *message)
{
	(void)arg;
	(void)message;
}

static PGconn *connect_root(const char *database)
{
	char dsn[256];
	PGconn *c;

	snprintf(dsn, sizeof(dsn), "host=%s user=postgres dbname=%s", cluster_dir(), database);
	c = PQconnectdb(dsn);
	if (PQstatus(c) != CONNECTION_OK) {
		print_error("%s", PQerrorMessage(c));
		PQfinish(c);
		fail();
	}
	PQsetNoticeProcessor(c, quiet, NULL);
	return c;
}

PGconn *site_connect(struct site *s)
{
	return connect_root(s->name);
}

/* A command that cannot stand in a transaction or in the database that it is about. */
static void server_command(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void server_command(const char *fmt, ...)
{
	PGconn *c = connect_root("postgres");
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	run_sql(c, "%s", text);
	PQfinish(c);
}

static void make_template(void)
{
	char dsn[256];
	struct config *c;
	struct err e = {0};

	if (template[0])
		return;
	snprintf(template, sizeof(template), "base_%d", (int)getpid());
	server_command("CREATE DATABASE %s OWNER pulsechat", template);
	snprintf(dsn, sizeof(dsn), "host=%s user=pulsechat dbname=%s", cluster_dir(), template);
	c = test_config(dsn);
	if (migrate(c, NULL, &e) < 0)
		fail_msg("migrate: %s", e.detail);
	test_config_free(&c);
}

static struct site *site_on(const char *template_name)
{
	struct site *s = xcalloc(1, sizeof(*s));
	char dsn[256];

	snprintf(s->name, sizeof(s->name), "t%d_%d", (int)getpid(), ++databases);
	server_command("CREATE DATABASE %s OWNER pulsechat TEMPLATE %s", s->name, template_name);
	snprintf(dsn, sizeof(dsn), "host=%s user=pulsechat dbname=%s", cluster_dir(), s->name);
	s->config = test_config(dsn);
	s->sql = site_connect(s);
	return s;
}

struct site *site_open_empty(void)
{
	return site_on("template1");
}

struct site *site_open(void)
{
	struct site *s;

	make_template();
	s = site_on(template);
	sql(s, "SELECT stream_open()");
	for (size_t k = 0; k < COUNT_OF(s->user); k++)
		s->user[k] = sql_int(s, "SELECT user_insert('person', 'Person %zu', NULL, NULL, false, 'member')", k);
	s->open = sql_int(s, "SELECT channel FROM channel_create(%lld, 'public', 'open', '', ARRAY[%lld, %lld])",
			  (long long)s->user[0], (long long)s->user[1], (long long)s->user[2]);
	s->closed = sql_int(s, "SELECT channel FROM channel_create(%lld, 'private', 'closed', '', ARRAY[%lld])",
			    (long long)s->user[0], (long long)s->user[1]);
	for (size_t k = 0; k < COUNT_OF(s->hall); k++)
		s->hall[k] = sql_int(s, "SELECT channel FROM channel_create(%lld, 'public', 'hall %zu', '', '{}')",
				     (long long)s->user[0], k);
	return s;
}

void site_close(struct site **ss)
{
	struct site *s = *ss;

	if (!s)
		return;
	PQfinish(s->sql);
	server_command("DROP DATABASE %s WITH (FORCE)", s->name);
	test_config_free(&s->config);
	free(s);
	*ss = NULL;
}

/* ---- the loop */

static struct port *ports[PORTS_MAX];
static bool abandoned;

void port_watch(void *arg, int fd, int events)
{
	struct port *p = arg;

	p->fd = fd;
	p->events = events;
}

void port_add(struct port *p)
{
	p->fd = -1;
	for (size_t k = 0; k < PORTS_MAX; k++)
		if (!ports[k]) {
			ports[k] = p;
			return;
		}
	fail_msg("over %d ports", PORTS_MAX);
}

void port_remove(struct port *p)
{
	for (size_t k = 0; k < PORTS_MAX; k++)
		if (ports[k] == p)
			ports[k] = NULL;
}

struct port *port_writer(const struct config *c, const char *name)
{
	struct port *p = xcalloc(1, sizeof(*p));

	port_add(p);
	p->writer = writer_new(c, name, port_watch, p);
	return p;
}

void port_close(struct port **pp)
{
	if (!*pp)
		return;
	port_remove(*pp);
	writer_free(&(*pp)->writer);
	pgconn_close(&(*pp)->conn);
	free(*pp);
	*pp = NULL;
}

void ports_abandon(void)
{
	abandoned = true;
	for (size_t k = 0; k < PORTS_MAX; k++)
		if (ports[k] && ports[k]->writer) {
			struct port *p = ports[k];

			port_close(&p);
		}
	memset(ports, 0, sizeof(ports));
	abandoned = false;
}

static int64_t port_tick(struct port *p, int64_t now)
{
	return p->writer ? writer_tick(p->writer, now) : pgconn_tick(p->conn, now);
}

void loop_turn(int max_ms)
{
	struct pollfd fds[PORTS_MAX];
	struct port *who[PORTS_MAX];
	nfds_t n = 0;
	int64_t now = clock_mono_ms(), wake = now + max_ms;

	for (size_t k = 0; k < PORTS_MAX; k++)
		if (ports[k])
			wake = MIN_OF(wake, port_tick(ports[k], now));
	for (size_t k = 0; k < PORTS_MAX; k++) {
		if (!ports[k] || ports[k]->fd < 0 || !ports[k]->events)
			continue;
		who[n] = ports[k];
		fds[n++] = (struct pollfd){.fd = ports[k]->fd,
					   .events = (short)((ports[k]->events & PGCONN_READ ? POLLIN : 0) |
							     (ports[k]->events & PGCONN_WRITE ? POLLOUT : 0))};
	}
	if (poll(fds, n, (int)MAX_OF(wake - clock_mono_ms(), 0)) <= 0)
		return;
	for (nfds_t k = 0; k < n; k++) {
		int events = (fds[k].revents & (POLLIN | POLLHUP | POLLERR) ? PGCONN_READ : 0) |
			     (fds[k].revents & (POLLOUT | POLLERR) ? PGCONN_WRITE : 0);

		if (!events || who[k]->fd != fds[k].fd) /* a callback may have closed it */
			continue;
		if (who[k]->writer)
			writer_ready(who[k]->writer, events);
		else
			pgconn_ready(who[k]->conn, events);
	}
}

/* ---- sends */

static void on_sent(struct write_item *item, void *arg)
{
	struct sent *s = arg;

	if (abandoned) {
		write_item_free(&item);
		return;
	}
	s->done = true;
	s->calls++;
	s->ok = item->ok;
	s->again = item->again;
	s->seq = item->seq;
	s->id = item->id;
	s->event = item->event;
	s->err = item->err;
	s->took_ms = clock_mono_ms() - s->began;
	write_item_free(&item);
}

struct write_item *make_item(struct site *s, int64_t channel, int64_t sender, const char *client_id, const char *text,
			     struct sent *out)
{
	char fresh[37];
	struct strbuf b = {0};
	struct write_item *item = NULL;
	struct err e = {0};
	struct jx *o = NULL;

	rand_uuid(fresh);
	strbuf_addf(&b, "{\"client_id\":\"%s\",\"body\":{\"text\":", client_id ? client_id : fresh);
	strbuf_add_json(&b, text, strlen(text));
	strbuf_adds(&b, "}}");
	if (jx_parse(b.p, b.n, &o, &e) < 0 || message_item(s->config, o, channel, sender, &item, &e) < 0)
		fail_msg("message_item: %s %s", e.field, e.detail);
	jx_free(&o);
	strbuf_release(&b);
	memset(out, 0, sizeof(*out));
	out->began = clock_mono_ms();
	item->done = on_sent;
	item->arg = out;
	return item;
}

int submit(struct port *p, struct write_item *item, struct err *e)
{
	if (writer_submit(p->writer, item, e) < 0)
		return -1;
	writer_tick(p->writer, clock_mono_ms());
	return 0;
}

void send_text(struct port *p, struct site *s, int64_t channel, int64_t sender, const char *client_id, const char *text,
	       struct sent *out)
{
	struct err e = {0};

	if (submit(p, make_item(s, channel, sender, client_id, text, out), &e) < 0)
		fail_msg("submit: %s", e.detail);
}

size_t count_done(const struct sent *v, size_t n)
{
	size_t done = 0;

	for (size_t k = 0; k < n; k++)
		done += v[k].done;
	return done;
}

int64_t check_log(struct site *s)
{
	assert_int_equal(sql_int(s, "SELECT count(*) FROM events"), sql_int(s, "SELECT stream_head()"));
	assert_int_equal(sql_int(s, "SELECT coalesce(min(id), 1) FROM events"), 1);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM (SELECT channel_id FROM messages GROUP BY channel_id "
				    "HAVING count(*) <> max(seq) OR min(seq) <> 1) x"),
			 0);
	assert_int_equal(sql_int(s, "SELECT count(*) FROM (SELECT channel_id, subject FROM events WHERE kind = 'm' "
				    "GROUP BY 1, 2 HAVING count(*) > 1) x"),
			 0);
	assert_int_equal(sql_int(s,
				 "SELECT count(*) FROM messages m FULL JOIN (SELECT * FROM events WHERE kind = 'm') e "
				 "ON e.channel_id = m.channel_id AND e.subject = m.seq "
				 "WHERE m.seq IS NULL OR e.id IS NULL"),
			 0);
	return sql_int(s, "SELECT count(*) FROM messages");
}

/* ---- randomness */

uint32_t dice(uint32_t below)
{
	static uint64_t state;

	if (!state) {
		const char *given = getenv("PULSECHAT_TEST_SEED");

		if (given)
			state = strtoull(given, NULL, 10);
		else
			rand_bytes(&state, sizeof(state));
		state |= 1;
		fprintf(stderr, "# PULSECHAT_TEST_SEED=%llu\n", (unsigned long long)state);
	}
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % below;
}

int suite_setup(void **state)
{
	(void)state;
	log_init("test", getenv("PULSECHAT_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
	return 0;
}

int suite_teardown(void **state)
{
	(void)state;
	if (template[0])
		server_command("DROP DATABASE IF EXISTS %s WITH (FORCE)", template);
	template[0] = 0;
	return 0;
}
