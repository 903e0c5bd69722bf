/* parking: an epoll of its own, watched by the loop. */
#include "ws/parking.h"
#include "lib/base/log.h"
#include "ws/conn.h"
#include "ws/loop.h"
#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS_AT_A_TIME 256

struct parking {
	struct realtime *rt;
	int epoll;
	uv_poll_t poll;
	void (*gone)(struct conn *c);
	void (*hurry)(struct conn *c);
};

static void on_events(uv_poll_t *h, int status, int events)
{
	struct parking *p = h->data;
	struct epoll_event ev[EVENTS_AT_A_TIME];
	int n = epoll_wait(p->epoll, ev, EVENTS_AT_A_TIME, 0);

	(void)status;
	(void)events;
	for (int i = 0; i < n; i++) {
		struct conn *c = ev[i].data.ptr;

		parking_remove(p, lws_get_socket_fd(c->wsi));
		if (ev[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			p->gone(c);
		else
			p->hurry(c);
	}
}

struct parking *parking_new(struct realtime *rt, void (*gone)(struct conn *c), void (*hurry)(struct conn *c))
{
	struct parking *p = xcalloc(1, sizeof(*p));

	p->rt = rt;
	p->gone = gone;
	p->hurry = hurry;
	p->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (p->epoll < 0 || uv_poll_init(&rt->loop, &p->poll, p->epoll) != 0)
		abort();
	p->poll.data = p;
	uv_poll_start(&p->poll, UV_READABLE, on_events);
	return p;
}

static void on_closed(uv_handle_t *h)
{
	struct parking *p = h->data;

	close(p->epoll);
	free(p);
}

void parking_close(struct parking **p)
{
	if (*p)
		uv_close((uv_handle_t *)&(*p)->poll, on_closed);
	*p = NULL;
}

void parking_add(struct parking *p, struct conn *c, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = c};

	if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		log_warning("parking.add", "error=%s", log_quote(strerror(errno)));
}

void parking_remove(struct parking *p, int fd)
{
	epoll_ctl(p->epoll, EPOLL_CTL_DEL, fd, NULL); /* twice is fine */
}
