/* Fetching over a real server on loopback, with names that are looked up here: one that answers otherwise the next time
 * (DNS rebinding), and one that has a private address among its own. */
#include "lib/preview/fetch.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ALLOWED "127.0.0.1"
#define PRIVATE "127.0.0.2"

/* What the next look-ups of any name answer: a comma between the addresses of one answer. The last one stays. */
static const char *answers[8];
static _Atomic int lookups;

static struct addrinfo *entry(const char *address, size_t n, in_port_t port)
{
	struct sockaddr_in *a = calloc(1, sizeof(*a));
	struct addrinfo *i = calloc(1, sizeof(*i));
	char text[INET_ADDRSTRLEN];

	snprintf(text, sizeof(text), "%.*s", (int)n, address);
	a->sin_family = AF_INET;
	a->sin_port = port;
	assert_int_equal(inet_pton(AF_INET, text, &a->sin_addr), 1);
	i->ai_family = AF_INET;
	i->ai_socktype = SOCK_STREAM;
	i->ai_protocol = IPPROTO_TCP;
	i->ai_addr = (struct sockaddr *)a;
	i->ai_addrlen = sizeof(*a);
	return i;
}

/* In place of the C library's, for libcurl too. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
	const char *a = "";
	int n = lookups++;

	(void)name;
	(void)hints;
	*out = NULL;
	for (int i = 0; i <= n && answers[i]; i++)
		a = answers[i];
	for (struct addrinfo **to = out; *a; to = &(*to)->ai_next) {
		size_t len = strcspn(a, ",");

		*to = entry(a, len, htons((uint16_t)(service ? atoi(service) : 0)));
		a += len + (a[len] == ',');
	}
	return 0;
}

void freeaddrinfo(struct addrinfo *i)
{
	while (i) {
		struct addrinfo *next = i->ai_next;

		free(i->ai_addr);
		free(i);
		i = next;
	}
}

struct server {
	int fd, port;
	_Atomic int connections;
	const char *answer;
	pthread_t thread;
};

static struct server allowed, private;

static void *serve(void *arg)
{
	struct server *s = arg;
	char head[4096];
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		s->connections++;
		if (read(fd, head, sizeof(head)) > 0 && write(fd, s->answer, strlen(s->answer)) < 0)
			perror("write");
		close(fd);
	}
	return NULL;
}

static void start(struct server *s, const char *address, int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t n = sizeof(a);

	inet_pton(AF_INET, address, &a.sin_addr);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s->fd, 16), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	close(s->fd);
	pthread_join(s->thread, NULL);
}

static int set_up(void **state)
{
	(void)state;
	start(&allowed, ALLOWED, 0);
	start(&private, PRIVATE, allowed.port);
	private.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>SECRET</title>";
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	stop(&allowed);
	stop(&private);
	return 0;
}

static bool go_on(void *arg)
{
	(void)arg;
	return true;
}

static bool fetch_allowing(const char *also, struct fetched *out)
{
	struct guard g;
	struct err e = {0};
	struct fetch f = {.guard = &g, .timeout_ms = 5000, .max_bytes = 4096, .go_on = go_on};
	char allow[96], url[64];
	bool ok;

	snprintf(allow, sizeof(allow), ALLOWED ":%d %s", allowed.port, also);
	snprintf(url, sizeof(url), "http://rebind.example:%d/", allowed.port);
	assert_int_equal(guard_read(&g, "80 443", allow, &e), 0);
	lookups = 0;
	allowed.connections = private.connections = 0;
	ok = fetch_page(&f, url, out);
	return ok;
}

static bool fetch(struct fetched *out)
{
	return fetch_allowing("", out);
}

/* That server can be reached: what keeps it closed in the others is the guard. */
static void control(void **state)
{
	char also[64];
	struct fetched p;

	(void)state;
	snprintf(also, sizeof(also), PRIVATE ":%d", allowed.port);
	memcpy(answers, (const char *[8]){PRIVATE}, sizeof(answers));
	assert_true(fetch_allowing(also, &p));
	assert_non_null(strstr(strbuf_cstr(&p.html), "SECRET"));
	assert_int_equal(private.connections, 1);
	fetched_release(&p);
}

/* The name is looked at once, and what it answered then is connected to. */
static void once(void **state)
{
	struct fetched p;

	(void)state;
	allowed.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>open</title>";
	memcpy(answers, (const char *[8]){ALLOWED, PRIVATE}, sizeof(answers));
	assert_true(fetch(&p));
	assert_non_null(strstr(strbuf_cstr(&p.html), "open"));
	assert_int_equal(private.connections, 0);
	fetched_release(&p);
}

static void rebinding(void **state)
{
	char answer[256];
	struct fetched p;

	(void)state;
	snprintf(answer, sizeof(answer),
		 "HTTP/1.1 302 Found\r\nLocation: http://rebind.example:%d/again\r\nContent-Length: 0\r\nConnection: "
		 "close\r\n\r\n",
		 allowed.port);
	allowed.answer = answer;
	memcpy(answers, (const char *[8]){ALLOWED, PRIVATE}, sizeof(answers));
	assert_false(fetch(&p));
	assert_string_equal(p.why, "address");
	assert_int_equal(allowed.connections, 1);
	assert_int_equal(private.connections, 0);
	assert_int_equal(lookups, 2);
	fetched_release(&p);
}

static void among(void **state)
{
	struct fetched p;

	(void)state;
	allowed.answer = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<title>open</title>";
	memcpy(answers, (const char *[8]){PRIVATE}, sizeof(answers));
	assert_false(fetch(&p));
	assert_string_equal(p.why, "address");
	fetched_release(&p);
	memcpy(answers, (const char *[8]){PRIVATE "," ALLOWED}, sizeof(answers));
	if (fetch(&p)) /* the other one is tried, or none */
		assert_non_null(strstr(strbuf_cstr(&p.html), "open"));
	assert_int_equal(private.connections, 0);
	fetched_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(control), cmocka_unit_test(once),
					   cmocka_unit_test(rebinding), cmocka_unit_test(among)};

	return cmocka_run_group_tests_name("preview_fetch", tests, set_up, tear_down);
}
