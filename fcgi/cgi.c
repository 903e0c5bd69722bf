/* cgi: environ, stdin, stdout; a writer driven by a poll() loop in this one thread. */
#include "fcgi/cgi.h"
#include "fcgi/app.h"
#include "fcgi/listen.h"
#include "fcgi/serve.h"
#include "lib/auth/oidc.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/chat/typing_gate.h"
#include "lib/db/db.h"
#include "lib/db/writer.h"
#include "lib/store/store.h"
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
	size_t n, unfinished;
	struct cgi_slot {
		struct cgi_gate *gate;
		struct write_item *item; /* once finished, until the handler has it */
	} * slots;
};

static void on_watch(void *arg, int fd, int events)
{
	struct cgi_gate *g = arg;

	g->fd = fd;
	g->events = events;
}

static void on_done(struct write_item *item, void *arg)
{
	struct cgi_slot *s = arg;

	s->item = item;
	s->gate->unfinished--;
}

/* Waits for the database or the time `due`. */
static void wait_for_database(struct cgi_gate *g, int64_t due)
{
	struct pollfd p = {.fd = g->fd, .events = 0};
	int64_t wait = due - clock_mono_ms();
	int events = 0;

	p.events = (short)((g->events & PGCONN_READ ? POLLIN : 0) | (g->events & PGCONN_WRITE ? POLLOUT : 0));
	if (poll(&p, 1, (int)MAX_OF(wait, (int64_t)0)) <= 0)
		return;
	events |= p.revents & (POLLIN | POLLHUP | POLLERR) ? PGCONN_READ : 0;
	events |= p.revents & (POLLOUT | POLLERR) ? PGCONN_WRITE : 0;
	if (events & g->events)
		writer_ready(g->writer, events & g->events);
}

static void submit(struct cgi_gate *g, struct write_item **items, size_t n)
{
	g->slots = xcalloc(n, sizeof(*g->slots));
	g->n = g->unfinished = n;
	for (size_t i = 0; i < n; i++) {
		struct write_item *item = items[i];

		items[i] = NULL;
		g->slots[i].gate = g;
		item->done = on_done;
		item->arg = &g->slots[i];
		if (writer_submit(g->writer, item, &item->err) < 0) {
			item->ok = false;
			on_done(item, &g->slots[i]);
		}
	}
}

/* Once in the life of a process. */
static void gate_write(struct write_gate *gate, struct write_item **items, size_t n, struct err *errs)
{
	struct cgi_gate *g = (struct cgi_gate *)gate;
	int64_t end = clock_mono_ms() + g->config->database.wait + GIVE_UP_MS;

	g->writer = writer_new(g->config, "pulsechat-cgi", on_watch, g);
	submit(g, items, n);
	while (g->unfinished) {
		int64_t now = clock_mono_ms(), due = MIN_OF(writer_tick(g->writer, now), end);

		if (!g->unfinished || now >= end)
			break;
		wait_for_database(g, due);
	}
	for (size_t i = 0; i < n; i++) {
		items[i] = g->slots[i].item;
		g->slots[i].item = NULL;
		if (!items[i])
			err_retry(&errs[i], ERR_UNAVAILABLE, 1000,
				  "not known whether this was stored: send it again with the same client_id");
	}
}

static void gate_close(struct cgi_gate *g)
{
	writer_free(&g->writer);
	for (size_t i = 0; i < g->n; i++)
		if (g->slots[i].item)
			write_item_free(&g->slots[i].item); /* was not waited for any longer */
	free(g->slots);
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
	b->left = got > 0 ? b->left - got : 0;
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

/* Bytes that may be read. mod_cgid gives no CONTENT_LENGTH for a chunked request: its body ends with our input. */
static int64_t body_length(void)
{
	const char *length = getenv("CONTENT_LENGTH"), *coding = getenv("HTTP_TRANSFER_ENCODING");
	int64_t n;

	if (!length || !*length)
		return coding && *coding ? DRAIN_BYTES : 0;
	return int_parse(length, strnlen(length, 20), INT64_MAX, &n) ? n : 0; /* request_read_body() refuses it */
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
	struct cgi_gate gate = {.gate = {gate_write, gate_is_up}, .config = c, .fd = -1};
	struct app app = {.config = c, .gate = &gate.gate};
	struct cgi_body body = {0};
	struct io io = {.read = read_stdin, .write = write_stdout, .ctx = &body};
	struct arena *arena;
	struct err e = {0};
	struct db *db;

	if (c && store_new(c, &app.store, &e) < 0) {
		log_error("store.setting", "detail=%s", log_quote(e.detail));
		c = NULL;
	}
	if (!c) {
		static const char sorry[] =
			"Status: 500 Internal Server Error\r\nContent-Type: application/problem+json\r\n"
			"Cache-Control: no-store\r\n\r\n"
			"{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,\"code\":"
			"\"internal\",\"detail\":\"the configuration could not be read\"}";

		write_stdout(NULL, sorry, sizeof(sorry) - 1);
		return 1;
	}
	body.left = body_length();
	arena = arena_new(serve_arena_limit(c));
	db = db_new(c);
	app.oidc = oidc_new(c);
	app.typing = typing_gate_new(c->typing.repeat);
	app.rate = rate_new(c);
	serve(&app, db, arena, environ, &io);
	drain(&body);
	gate_close(&gate);
	rate_free(&app.rate);
	typing_gate_free(&app.typing);
	oidc_free(&app.oidc);
	store_free(&app.store);
	db_free(&db);
	arena_free(&arena);
	return 0;
}
