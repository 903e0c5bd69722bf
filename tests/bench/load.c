/* load: the load generator. One thread, epoll, thousands of clients (WebSocket, long-poll, plain HTTP) of one server,
 * which may be pulsechat-realtime, a web server in front, or the floor.
 *
 * load --target ADDRESS --clients FILE [--host NAME] [--body BYTES] [--browser] [--wait SECONDS] [--cpu NAME:PID[+]]...
 *
 * FILE: lines "ws|poll|http TOKEN CHANNEL p|-", p for a publisher. It takes commands, one a line, and answers each with
 * one line of JSON (tests/bench/run.mjs speaks to it):
 *
 * - open: connect all that are not connected
 * - run RATE WARM SECONDS DRAIN: RATE messages a second at fixed times, in turn by the publishers; what is due in that
 *   time is sent, however late
 * - closed WARM SECONDS DRAIN: each publisher sends, waits for its ack, sends again
 * - rest history|send|get COUNT WARM SECONDS: the first COUNT http clients ask, wait, ask again
 * - idle SECONDS: nothing, only to look at the servers' CPU
 * - quit
 *
 * A message's text begins with the time it was due and its publisher's count: latency counts from the time it was due,
 * and each receiver checks that the channel's seq runs without a gap (lost), a repeat or a step back. */
#include "tests/bench/load.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	OPENING_MAX = 100, /* connections under way at once */
	OPEN_SECONDS = 60,
};

struct load_options opt = {.host = "127.0.0.1", .body = 300, .wait = 25};
struct conn *conns, **publishers;
size_t conns_n, publishers_n;
unsigned *seen_of;
struct room rooms[ROOMS_MAX];
int rooms_n, loop;

static char command[512];
static bool have_command, input_ended;

/* ---- the loop */

static char input[2048];
static size_t input_n;

static void next_command(void)
{
	char *nl = memchr(input, '\n', input_n);

	if (have_command || !nl)
		return;
	snprintf(command, sizeof(command), "%.*s", (int)(nl - input), input);
	have_command = true;
	input_n -= (size_t)(nl + 1 - input);
	memmove(input, nl + 1, input_n);
}

static void read_command(void)
{
	ssize_t got = read(0, input + input_n, sizeof(input) - input_n);

	if (got <= 0) {
		epoll_ctl(loop, EPOLL_CTL_DEL, 0, NULL);
		input_ended = true;
		return;
	}
	input_n += (size_t)got;
	next_command();
}

/* One turn of the loop; waits at most so long. */
void loop_turn(int64_t us)
{
	static struct epoll_event ev[1024];
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	int n = epoll_pwait2(loop, ev, 1024, us < 0 ? &(struct timespec){0} : &t, NULL);
	int64_t now = now_us();

	for (int k = 0; k < n; k++) {
		struct conn *c = ev[k].data.ptr;

		if (!c) {
			read_command();
			continue;
		}
		if (c->fd < 0)
			continue;
		if (c->polling_out && ev[k].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) {
			if (c->out_n)
				conn_writable(c);
			else
				wire_connected(c);
			if (c->fd < 0)
				continue;
		}
		if (ev[k].events & (EPOLLIN | EPOLLERR | EPOLLHUP) && !(c->polling_out && !c->out_n))
			wire_readable(c, &now);
		if ((k & 31) == 31)
			now = now_us();
	}
}

/* ---- commands */

static void open_all(void)
{
	int64_t began = now_us(), end = began + (int64_t)OPEN_SECONDS * 1000000;
	size_t next = 0;

	while (now_us() < end) {
		size_t tried = 0;

		while (opening < OPENING_MAX && tried < conns_n) {
			if (conns[next].state == DEAD) {
				conns[next].last = -1;
				conns[next].cursor[0] = 0;
				conn_start(&conns[next]);
			}
			next = (next + 1) % conns_n;
			tried++;
		}
		if (open_n == conns_n)
			break;
		loop_turn(10000);
	}
	printf("{\"open\":%zu,\"of\":%zu,\"seconds\":%.3f,\"trouble\":\"%s\"}\n", open_n, conns_n,
	       (double)(now_us() - began) / 1e6, m.trouble);
}

static uint64_t missing(void)
{
	uint64_t n = 0;

	for (size_t k = 0; k < conns_n; k++) {
		const struct conn *c = &conns[k];
		const struct room *r = &rooms[c->room];

		if (c->kind != KIND_HTTP)
			n += (uint64_t)(c->last < 0 ? r->acked : r->top - c->last);
	}
	return n;
}

static size_t unanswered(void)
{
	size_t n = 0;

	for (size_t k = 0; k < publishers_n; k++)
		n += publishers[k]->kind == KIND_WS && publishers[k]->waits;
	return n;
}

/* After the window: until nothing is missing, or so long. */
static uint64_t drain(int64_t us)
{
	int64_t end = now_us() + us, next = 0;
	uint64_t left;

	do {
		loop_turn(20000);
		if (now_us() < next)
			continue;
		left = missing();
		if (left == 0 && unanswered() == 0)
			return 0;
		next = now_us() + 50000;
	} while (now_us() < end);
	return missing();
}

static void run(double rate, double warm, double seconds, double drain_s)
{
	int64_t began, now, due = 0; /* due: the next one */
	uint64_t k = 0;
	struct look a = {0}, b = {0};
	bool looked = false;

	measure_begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	began = m.from - (int64_t)(warm * 1e6); /* so that the window holds the same number each time */
	while ((now = now_us()) < m.to || due < m.to) {
		int burst = 0;

		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		for (;;) {
			due = rate > 0 && publishers_n ? began + (int64_t)((double)k * 1e6 / rate) : m.to;
			if (due > now || due >= m.to || burst++ > 2000)
				break;
			if (now - due > m.late && due >= m.from)
				m.late = now - due;
			struct conn *c = publishers[k % publishers_n];
			if (c->state == OPEN)
				send_op(c, due);
			else
				m.refused++;
			k++;
		}
		loop_turn(due - now_us() > 50000 ? 50000 : due - now_us());
	}
	look(&b);
	report(&a, &b, drain((int64_t)(drain_s * 1e6)));
}

static void run_closed(double warm, double seconds, double drain_s)
{
	struct look a = {0}, b = {0};
	bool looked = false;
	int64_t now;

	measure_begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	m.closed = true;
	for (size_t k = 0; k < publishers_n; k++)
		if (publishers[k]->state == OPEN)
			send_op(publishers[k], now_us());
	while ((now = now_us()) < m.to) {
		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		loop_turn(20000);
	}
	look(&b);
	m.closed = false;
	report(&a, &b, drain((int64_t)(drain_s * 1e6)));
}

static void run_rest(const char *what, size_t count, double warm, double seconds)
{
	struct look a = {0}, b = {0};
	bool looked = false;
	int64_t now;

	measure_begin((int64_t)(warm * 1e6), (int64_t)(seconds * 1e6));
	m.rest = !strcmp(what, "history") ? REST_HISTORY : !strcmp(what, "send") ? REST_SEND : REST_GET;
	for (size_t k = 0; k < conns_n && count; k++) {
		struct conn *c = &conns[k];

		if (c->kind != KIND_HTTP)
			continue;
		count--;
		if (c->state == DEAD)
			conn_start(c);
		else if (c->state == OPEN)
			ask_rest(c);
	}
	while ((now = now_us()) < m.to) {
		if (!looked && now >= m.from) {
			look(&a);
			looked = true;
		}
		loop_turn(20000);
	}
	look(&b);
	for (int k = 0; k < 20; k++)
		loop_turn(20000);
	m.rest = REST_NONE;
	report(&a, &b, 0);
}

static int room_of(int64_t id)
{
	for (int k = rooms_n - 1; k >= 0; k--)
		if (rooms[k].id == id)
			return k;
	if (rooms_n == ROOMS_MAX)
		die("too many channels");
	rooms[rooms_n].id = id;
	return rooms_n++;
}

static void read_clients(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t room = 0;
	char line[512];
	bool *has = calloc(ROOMS_MAX, sizeof(*has));

	if (!f)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		char *save, *kind = strtok_r(line, " \n", &save), *token = strtok_r(NULL, " \n", &save);
		char *channel = strtok_r(NULL, " \n", &save), *flags = strtok_r(NULL, " \n", &save);
		struct conn *c;

		if (!flags)
			die("%s: bad line", path);
		if (conns_n == room) {
			room = room ? room * 2 : 1024;
			conns = realloc(conns, room * sizeof(*conns));
		}
		c = &conns[conns_n++];
		memset(c, 0, sizeof(*c));
		c->fd = -1;
		c->kind = !strcmp(kind, "ws") ? KIND_WS : !strcmp(kind, "poll") ? KIND_POLL : KIND_HTTP;
		c->token = strdup(token);
		c->room = room_of(strtoll(channel, NULL, 10));
		c->publisher = flags[0] == 'p';
		c->last = -1;
		c->witness = c->kind != KIND_HTTP && !has[c->room];
		has[c->room] |= c->witness;
		next_id(c->instance);
	}
	fclose(f);
	free(has);
	publishers = calloc(conns_n, sizeof(*publishers));
	for (size_t k = 0; k < conns_n; k++)
		if (conns[k].publisher) {
			conns[k].number = (int)publishers_n;
			publishers[publishers_n++] = &conns[k];
		}
	seen_of = calloc(publishers_n + 1, sizeof(*seen_of));
}

static void obey(char *line)
{
	char *save, *what = strtok_r(line, " ", &save), *arg[4];
	double v[4] = {0};

	for (int k = 0; k < 4; k++) {
		arg[k] = strtok_r(NULL, " ", &save);
		v[k] = arg[k] ? strtod(arg[k], NULL) : 0;
	}
	if (!what)
		return;
	if (!strcmp(what, "open")) {
		memset(&m, 0, sizeof(m));
		open_all();
	} else if (!strcmp(what, "run")) {
		run(v[0], v[1], v[2], v[3]);
	} else if (!strcmp(what, "closed")) {
		run_closed(v[0], v[1], v[2]);
	} else if (!strcmp(what, "rest") && arg[0]) {
		run_rest(arg[0], (size_t)v[1], v[2], v[3]);
	} else if (!strcmp(what, "idle")) {
		run(0, 0, v[0], 0);
	} else if (!strcmp(what, "quit")) {
		exit(0);
	} else {
		printf("{\"trouble\":\"no command %s\"}\n", what);
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	const char *clients = NULL;

	ask_init();
	for (int k = 1; k < argc; k++) {
		const char *value = k + 1 < argc ? argv[k + 1] : "";

		if (!strcmp(argv[k], "--browser")) {
			opt.browser = true;
			continue;
		}
		if (!strcmp(argv[k], "--target"))
			opt.target = value;
		else if (!strcmp(argv[k], "--host"))
			opt.host = value;
		else if (!strcmp(argv[k], "--clients"))
			clients = value;
		else if (!strcmp(argv[k], "--body"))
			opt.body = strtoul(value, NULL, 10);
		else if (!strcmp(argv[k], "--wait"))
			opt.wait = (int)strtol(value, NULL, 10);
		else if (!strcmp(argv[k], "--cpu") && cpu_n < CPU_MAX && strchr(value, ':')) {
			struct cpu_watch *w = &cpu[cpu_n++];
			const char *colon = strchr(value, ':');

			snprintf(w->name, sizeof(w->name), "%.*s", (int)(colon - value), value);
			w->pid = (int)strtol(colon + 1, NULL, 10);
			w->below = strchr(colon, '+') != NULL;
		} else {
			die("load: %s?", argv[k]);
		}
		k++;
	}
	if (!opt.target || !clients || opt.body < STAMP + 1 || opt.body > 2400)
		die("load --target ADDRESS --clients FILE [--body 60..2400] …");
	cpu[cpu_n] = (struct cpu_watch){.name = "load", .pid = getpid()};
	read_clients(clients);
	net_files(conns_n + 64);
	loop = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(loop, EPOLL_CTL_ADD, 0, &ev) < 0)
		die("commands come through a pipe");
	while (!input_ended || have_command) {
		if (have_command) {
			char line[sizeof(command)];

			memcpy(line, command, sizeof(line));
			have_command = false;
			obey(line);
			next_command();
			continue;
		}
		loop_turn(1000000);
	}
	return 0;
}
