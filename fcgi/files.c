/* files: the process: its threads, its clock, its end. */
#include "fcgi/files.h"
#include "fcgi/files_private.h"
#include "fcgi/listen.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/base/notify.h"
#include "lib/base/thread.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define THREADS 16 /* so many may wait for the disk at a time */
#define CONNS_MAX 4000
#define ACCEPT_AT_ONCE 16
#define TICK_MS 1000
#define SWEEP_MS 3600000
/* A stop: uploads may come to their end, then they are cut, then what hangs on the disk is left. */
#define GRACE_MS 2000
#define STOPPED_MS 5000
#define STOP_TICK_MS 20

/* ---- the threads */

static void accept_some(struct files *f)
{
	bool listens;

	for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			files_conn_new(f, fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
			log_warning("files.accept", "errno=%d", errno);
			pthread_mutex_lock(&f->lock);
			f->full = true; /* the next one that goes, or the clock, wakes it */
			pthread_mutex_unlock(&f->lock);
			return;
		}
		break;
	}
	pthread_mutex_lock(&f->lock);
	listens = f->n < CONNS_MAX;
	f->full = !listens;
	pthread_mutex_unlock(&f->lock);
	if (listens)
		files_listen(f);
}

static void *work(void *arg)
{
	struct files *f = arg;
	char *buf = xmalloc(FILES_BUFFER);

	for (;;) {
		struct epoll_event ready;

		if (epoll_wait(f->ep, &ready, 1, -1) != 1) {
			if (errno == EINTR)
				continue;
			break;
		}
		if (ready.data.ptr == f)
			break; /* the bell, which nobody silences */
		if (ready.data.ptr)
			files_conn_ready(ready.data.ptr, buf);
		else
			accept_some(f);
	}
	free(buf);
	return NULL;
}

/* ---- start */

static bool known_header(const char *name)
{
	return !strcasecmp(name, "X-Sendfile") || !strcasecmp(name, "X-LIGHTTPD-send-file") ||
	       !strcasecmp(name, "X-Accel-Redirect");
}

static int take_config(struct files *f, const struct config *c, struct err *e)
{
	struct store *s;

	if (!config_files_local(c))
		return err_set(e, ERR_BAD_FIELD, "store", "[files] store is not local: nothing is to be served");
	if (store_new(c, &s, e) < 0) /* what those need who sign is what is needed here */
		return -1;
	store_free(&s);
	if (c->files.dir[0] != '/' || strpbrk(c->files.dir, "\r\n"))
		return err_set(e, ERR_BAD_FIELD, "dir", "[files] dir = %s: expected an absolute path", c->files.dir);
	if (!known_header(c->files.sendfile))
		return err_set(e, ERR_BAD_FIELD, "sendfile",
			       "[files] sendfile = %s: expected X-Sendfile, X-LIGHTTPD-send-file or X-Accel-Redirect",
			       c->files.sendfile);
	f->config = c;
	f->sendfile = c->files.sendfile;
	f->internal_path = !strcasecmp(f->sendfile, "X-Accel-Redirect");
	f->keys = (struct sigv4_credentials){
		.access_key = c->files.access_key, .secret_key = c->files.secret_key, .region = c->files.region};
	origin_site(c, f->origin);
	return local_open(c->files.dir, &f->local, e);
}

static int open_epoll(struct files *f, struct err *e)
{
	struct epoll_event bell = {.events = EPOLLIN, .data.ptr = f};
	struct epoll_event come = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = NULL};

	f->ep = epoll_create1(EPOLL_CLOEXEC);
	f->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (f->ep < 0 || f->bell < 0 || epoll_ctl(f->ep, EPOLL_CTL_ADD, f->bell, &bell) < 0 ||
	    epoll_ctl(f->ep, EPOLL_CTL_ADD, f->listen_fd, &come) < 0)
		return err_set(e, ERR_INTERNAL, NULL, "epoll: %s", strerror(errno));
	return 0;
}

/* ---- the clock */

static void tick(struct files *f, int64_t now, int64_t *next_sweep)
{
	bool listens;

	files_conns_tick(f, now);
	pthread_mutex_lock(&f->lock);
	listens = f->full && f->n < CONNS_MAX;
	f->full = f->full && !listens;
	pthread_mutex_unlock(&f->lock);
	if (listens)
		files_listen(f);
	if (*next_sweep <= now) {
		int n = local_sweep(f->local, clock_now_us() / 1000000);

		if (n)
			log_info("files.swept", "n=%d", n);
		*next_sweep = now + SWEEP_MS;
	}
}

static size_t left(struct files *f)
{
	size_t n;

	pthread_mutex_lock(&f->lock);
	n = f->n;
	pthread_mutex_unlock(&f->lock);
	return n;
}

static void rest(int64_t ms)
{
	struct timespec t = {.tv_nsec = ms * 1000000};

	nanosleep(&t, NULL);
}

static int stop(struct files *f, struct listener *l, pthread_t *threads)
{
	int64_t start = clock_mono_ms(), now = start;
	uint64_t one = 1;
	bool joined = true;

	notify_systemd("STOPPING=1");
	listen_unlink(l);
	if (l->own)
		accept_some(f); /* who has connected already */
	pthread_mutex_lock(&f->lock);
	f->draining = true;
	f->cut_at = start + GRACE_MS;
	pthread_mutex_unlock(&f->lock);
	epoll_ctl(f->ep, EPOLL_CTL_DEL, f->listen_fd, NULL);
	for (; left(f) && now < start + STOPPED_MS; now = clock_mono_ms()) {
		files_conns_tick(f, now);
		rest(STOP_TICK_MS);
	}
	if (write(f->bell, &one, sizeof(one)) < 0)
		log_error("files.stop", "errno=%d", errno);
	for (size_t i = 0; i < THREADS && joined; i++)
		joined = thread_join_within(threads[i], MAX_OF(start + STOPPED_MS - clock_mono_ms(), (int64_t)100));
	if (left(f) || !joined) {
		log_warning("stop.cut_short", "requests=%zu ms=%lld", left(f), (long long)(clock_mono_ms() - start));
		_exit(EXIT_SUCCESS); /* threads still use what would be freed */
	}
	listen_close(l);
	close(f->ep);
	close(f->bell);
	local_free(&f->local);
	log_info("stop", "ms=%lld", (long long)(clock_mono_ms() - start));
	return EXIT_SUCCESS;
}

int files_serve(const struct config *c, const sigset_t *signals)
{
	struct files f = {.ep = -1};
	struct timespec each = {.tv_sec = TICK_MS / 1000};
	struct listener l;
	struct err e = {0};
	pthread_t threads[THREADS];
	int64_t next_sweep = 0;
	int rc;

	TAILQ_INIT(&f.conns);
	pthread_mutex_init(&f.lock, NULL);
	if (take_config(&f, c, &e) < 0 || listen_open(c, c->files.listen, &l, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		local_free(&f.local);
		return EXIT_FAILURE;
	}
	f.listen_fd = l.fd;
	descriptors_raise();
	if (open_epoll(&f, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < THREADS; i++) {
		rc = pthread_create(&threads[i], NULL, work, &f);
		if (rc) {
			fprintf(stderr, "pulsechat-api: a thread cannot be started: %s\n", strerror(rc));
			return EXIT_FAILURE;
		}
	}
	log_info("start", "url=%s listen=%s dir=%s", log_quote(c->files.url),
		 l.own ? log_quote(c->files.listen) : "passed", log_quote(c->files.dir));
	notify_systemd("READY=1");
	do
		tick(&f, clock_mono_ms(), &next_sweep);
	while (sigtimedwait(signals, NULL, &each) < 0);
	return stop(&f, &l, threads);
}
