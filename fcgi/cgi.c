/* cgi: environ, stdin, stdout; a writer driven by a poll() loop in this one thread. */
#include "fcgi/cgi.h"
#include "fcgi/app.h"
#include "fcgi/listen.h"
#include "fcgi/serve.h"
#include "lib/auth/oidc.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/db/db.h"
#include "lib/db/writer.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIVE_UP_MS 2000 /* beyond [database] wait */
#define DRAIN_BYTES ((int64_t)16 << 20)

extern char **environ;

bool cgi_is(void)
{
	return getenv("GATEWAY_INTERFACE") && getenv("REQUEST_METHOD") && !listen_is_socket(STDIN_FILENO);
}

bool cgi_arguments_suspect(void)
{
	const char *query = getenv("QUERY_STRING");

	return query && *query && !strchr(query, '=');
}

struct cgi_gate {
	struct write_gate gate; /* first */
	const struct config *config;
	struct writer *writer; /* made for the first write */
	int fd, events;
	struct write_item *done;
};

static void on_watch(void *arg, int fd, int events)
{
	struct cgi_gate *g = arg;

	g->fd = fd;
	g->events = events;
}

static void on_done(struct write_item *item, void *arg)
{
	((struct cgi_gate *)arg)->done = item;
}

static int gate_write(struct write_gate *gate, struct write_item **item, struct err *e)
{
	struct cgi_gate *g = (struct cgi_gate *)gate;
	int64_t end = clock_mono_ms() + g->config->database.wait + GIVE_UP_MS;

	if (!g->writer)
		g->writer = writer_new(g->config, "pulsechat-cgi", on_watch, g);
	(*item)->done = on_done;
	(*item)->arg = g;
	g->done = NULL;
	if (writer_submit(g->writer, *item, e) < 0) {
		write_item_free(item);
		return -1;
	}
	*item = NULL;
	while (!g->done) {
		int64_t now = clock_mono_ms(), due = MIN_OF(writer_tick(g->writer, now), end);
		struct pollfd p = {.fd = g->fd, .events = 0};
		int events = 0;

		if (g->done)
			break;
		if (now >= end)
			return err_retry(e, ERR_UNAVAILABLE, 1000,
					 "not known whether this was stored: send it again with the same client_id");
		p.events = (short)((g->events & PGCONN_READ ? POLLIN : 0) | (g->events & PGCONN_WRITE ? POLLOUT : 0));
		if (poll(&p, 1, (int)MAX_OF(due - now, (int64_t)0)) <= 0)
			continue;
		events |= p.revents & (POLLIN | POLLHUP | POLLERR) ? PGCONN_READ : 0;
		events |= p.revents & (POLLOUT | POLLERR) ? PGCONN_WRITE : 0;
		if (events & g->events)
			writer_ready(g->writer, events & g->events);
	}
	*item = g->done;
	g->done = NULL;
	return 0;
}

static bool gate_is_up(struct write_gate *gate)
{
	(void)gate;
	return true; /* made when needed */
}

struct cgi_body {
	int64_t left;
};

static long read_stdin(void *ctx, char *p, size_t n)
{
	struct cgi_body *b = ctx;
	ssize_t got;

	if (b->left <= 0)
		return 0; /* the web server need not close our input */
	do
		got = read(STDIN_FILENO, p, MIN_OF(n, (size_t)b->left));
	while (got < 0 && errno == EINTR);
	if (got > 0)
		b->left -= got;
	return got;
}

static void write_stdout(void *ctx, const char *p, size_t n)
{
	(void)ctx;
	while (n) {
		ssize_t done = write(STDOUT_FILENO, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		p += done;
		n -= (size_t)done;
	}
}

/* A body that was refused is read all the same: mod_cgid loses the answer of a program that ends before its input does.
 */
static void drain(struct cgi_body *b)
{
	char waste[16384];

	b->left = MIN_OF(b->left, DRAIN_BYTES);
	while (read_stdin(b, waste, sizeof(waste)) > 0)
		;
}

int cgi_serve(const struct config *c)
{
	const char *length = getenv("CONTENT_LENGTH");
	struct cgi_gate gate = {.gate = {gate_write, gate_is_up}, .config = c, .fd = -1};
	struct app app = {.config = c, .gate = &gate.gate};
	struct cgi_body body = {0};
	struct io io = {read_stdin, write_stdout, &body};
	struct arena *arena;
	struct db *db;

	if (!c) {
		static const char sorry[] =
			"Status: 500 Internal Server Error\r\nContent-Type: application/problem+json\r\n"
			"Cache-Control: no-store\r\n\r\n"
			"{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,\"code\":"
			"\"internal\",\"detail\":\"the configuration could not be read\"}";

		write_stdout(NULL, sorry, sizeof(sorry) - 1);
		return 1;
	}
	if (length && !int_parse(length, strnlen(length, 20), INT64_MAX, &body.left))
		body.left = 0; /* request_read_body() refuses it */
	arena = arena_new(serve_arena_limit(c));
	db = db_new(c);
	app.oidc = oidc_new(c);
	serve(&app, db, arena, environ, &io);
	drain(&body);
	writer_free(&gate.writer);
	if (gate.done)
		write_item_free(&gate.done); /* was not waited for any longer */
	oidc_free(&app.oidc);
	db_free(&db);
	arena_free(&arena);
	return 0;
}
