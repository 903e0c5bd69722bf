/* hosts: what the owner and the threads share is freed by the last of them. */
#include "lib/db/hosts.h"
#include "lib/base/log.h"
#include <errno.h>
#include <libpq-fe.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define HOSTS_MAX 16     /* names are looked up of so many */
#define ADDRESSES_MAX 16 /* of one name */
#define PORT "5432"      /* libpq's, for one that a list of ports leaves out */

struct host {
	char *name, *address, *port; /* "": libpq's default */
	bool asked;                  /* name is one to look up */
	/* under the lock */
	bool ended;
	int failed; /* of getaddrinfo() */
	struct addrinfo *found;
};

struct hosts {
	pthread_mutex_t lock;
	unsigned users; /* under the lock */
	int bell;
	char *given; /* the three lists: what makes it the same */
	bool one_port;
	size_t n;
	struct host all[HOSTS_MAX];
};

struct question {
	struct hosts *hosts;
	struct host *host;
};

/* ---- what is given */

static const char *value_of(const PQconninfoOption *all, const char *keyword)
{
	for (; all && all->keyword; all++)
		if (!strcmp(all->keyword, keyword))
			return all->val ? all->val : "";
	return "";
}

/* As libpq itself understands it; it stops at the mode that does not exist, before it asks anybody. */
static PQconninfoOption *options_of(const char *dsn)
{
	PGconn *c = PQconnectStartParams((const char *const[]){"dbname", "sslmode", NULL},
					 (const char *const[]){dsn, "none, please", NULL}, 1);
	PQconninfoOption *o = c ? PQconninfo(c) : NULL;

	PQfinish(c);
	return o;
}

static size_t count(const char *list)
{
	size_t n = 1;

	for (; *list; list++)
		n += *list == ',';
	return n;
}

/* The k-th of a list, or "". */
static char *nth(const char *list, size_t k)
{
	char *one;
	size_t n;

	for (; k && *list; list++)
		k -= *list == ',';
	n = k ? 0 : strcspn(list, ",");
	one = xmalloc(n + 1);
	memcpy(one, list, n);
	one[n] = 0;
	return one;
}

static bool is_name(const struct host *h)
{
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *found = NULL;

	if (*h->address || !*h->name || *h->name == '/' || *h->name == '@') /* else a socket */
		return false;
	if (getaddrinfo(h->name, NULL, &hints, &found) != 0)
		return true;
	freeaddrinfo(found);
	return false;
}

static struct hosts *read_hosts(const char *dsn)
{
	PQconninfoOption *o = options_of(dsn);
	const char *host = value_of(o, "host"), *address = value_of(o, "hostaddr"), *port = value_of(o, "port");
	struct hosts *h = xcalloc(1, sizeof(*h));
	AUTO_STRBUF given = {0};

	pthread_mutex_init(&h->lock, NULL);
	h->users = 1;
	h->bell = -1;
	strbuf_addf(&given, "%s\n%s\n%s", host, address, port);
	h->given = xstrdup(strbuf_cstr(&given));
	h->one_port = count(port) == 1;
	h->n = count(*address ? address : host);
	/* lists that libpq refuses, or longer than anyone's: as they are */
	if (h->n > HOSTS_MAX || (*address && *host && count(host) != h->n) || (!h->one_port && count(port) != h->n))
		h->n = 0;
	for (size_t k = 0; k < h->n; k++) {
		struct host *one = &h->all[k];

		one->name = nth(host, k);
		one->address = nth(address, k);
		one->port = nth(port, h->one_port ? 0 : k);
		if (!*one->port) {
			free(one->port);
			one->port = xstrdup(PORT);
		}
		one->asked = is_name(one);
	}
	PQconninfoFree(o);
	return h;
}

static void leave(struct hosts *h)
{
	bool last;

	pthread_mutex_lock(&h->lock);
	last = --h->users == 0;
	pthread_mutex_unlock(&h->lock);
	if (!last)
		return;
	for (size_t k = 0; k < h->n; k++) {
		struct host *one = &h->all[k];

		free(one->name);
		free(one->address);
		free(one->port);
		if (one->found)
			freeaddrinfo(one->found);
	}
	if (h->bell >= 0)
		close(h->bell);
	pthread_mutex_destroy(&h->lock);
	free(h->given);
	free(h);
}

/* ---- the threads */

static void answered(struct hosts *h, struct host *one, int failed, struct addrinfo *found)
{
	uint64_t n = 1;

	pthread_mutex_lock(&h->lock);
	one->ended = true;
	one->failed = failed;
	one->found = found;
	pthread_mutex_unlock(&h->lock);
	while (write(h->bell, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

static void *ask(void *arg)
{
	struct question *q = arg;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM}, *found = NULL;
	int failed = getaddrinfo(q->host->name, NULL, &hints, &found);

	answered(q->hosts, q->host, failed, failed ? NULL : found);
	leave(q->hosts);
	free(q);
	return NULL;
}

static int start(struct question *q)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the loop's */
	rc = pthread_create(&thread, &attr, ask, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

static void ask_for(struct hosts *h, struct host *one)
{
	struct question *q = xcalloc(1, sizeof(*q));
	int rc;

	*q = (struct question){.hosts = h, .host = one};
	pthread_mutex_lock(&h->lock);
	h->users++;
	pthread_mutex_unlock(&h->lock);
	rc = start(q);
	if (rc == 0)
		return;
	log_error("db.lookup", "errno=%d", rc);
	answered(h, one, EAI_AGAIN, NULL);
	leave(h);
	free(q);
}

/* ---- the owner's side */

static bool is_over(struct hosts *h)
{
	AUTO_STRBUF why = {0};
	enum hosts_found found = hosts_found(h, &why);

	return found == HOSTS_ALL || found == HOSTS_LOST;
}

void hosts_look_up(struct hosts **hp, const char *dsn)
{
	struct hosts *h = read_hosts(dsn);
	bool names = false;

	if (*hp && (strcmp((*hp)->given, h->given) != 0 || is_over(*hp)))
		hosts_free(hp);
	for (size_t k = 0; k < h->n; k++)
		names |= h->all[k].asked;
	if (*hp || !names) {
		leave(h);
		return;
	}
	*hp = h;
	h->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (size_t k = 0; k < h->n; k++)
		if (h->all[k].asked)
			ask_for(h, &h->all[k]);
}

void hosts_free(struct hosts **h)
{
	if (*h)
		leave(*h);
	*h = NULL;
}

int hosts_fd(const struct hosts *h)
{
	return h->bell;
}

void hosts_heard(const struct hosts *h)
{
	uint64_t n;

	if (read(h->bell, &n, sizeof(n)) < 0)
		return; /* another look does no harm */
}

enum hosts_found hosts_found(struct hosts *h, struct strbuf *why)
{
	size_t known = 0, awaited = 0;

	pthread_mutex_lock(&h->lock);
	for (size_t k = 0; k < h->n; k++) {
		const struct host *one = &h->all[k];

		if (!one->asked || one->found)
			known++;
		else if (!one->ended)
			awaited++;
		else if (!why->n)
			strbuf_addf(why, "could not translate host name \"%s\" to address: %s", one->name,
				    gai_strerror(one->failed));
	}
	pthread_mutex_unlock(&h->lock);
	if (awaited)
		return known ? HOSTS_SOME : HOSTS_NONE;
	return known ? HOSTS_ALL : HOSTS_LOST;
}

static void add(const struct hosts *h, const struct host *one, const char *address, struct strbuf *lists[3])
{
	const char *value[3] = {one->name, address, one->port};

	for (int i = 0; i < (h->one_port ? 2 : 3); i++) {
		strbuf_adds(lists[i], value[i]);
		strbuf_addc(lists[i], ',');
	}
}

void hosts_lists(struct hosts *h, struct strbuf *host, struct strbuf *hostaddr, struct strbuf *port)
{
	struct strbuf *lists[3] = {host, hostaddr, port};
	char text[NI_MAXHOST];

	pthread_mutex_lock(&h->lock);
	for (size_t k = 0; k < h->n; k++) {
		const struct host *one = &h->all[k];
		int n = 0;

		if (!one->asked)
			add(h, one, one->address, lists);
		if (!*one->name && !*one->address) /* alone it would be an empty list, which says nothing */
			add(h, one, one->address, lists);
		for (const struct addrinfo *a = one->found; a && n < ADDRESSES_MAX; a = a->ai_next, n++)
			if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) == 0)
				add(h, one, text, lists);
	}
	pthread_mutex_unlock(&h->lock);
	for (int i = 0; i < 3; i++)
		if (lists[i]->n)
			lists[i]->p[--lists[i]->n] = 0; /* the last comma */
}
