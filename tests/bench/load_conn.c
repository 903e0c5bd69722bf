/* load_conn: a connection from its beginning to its end, and its bytes on their way out. */
#include "tests/bench/load.h"
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

size_t opening, open_n;

void conn_watch(struct conn *c, bool out)
{
	struct epoll_event ev = {.events = EPOLLIN | (out ? EPOLLOUT : 0), .data.ptr = c};

	epoll_ctl(loop, EPOLL_CTL_MOD, c->fd, &ev);
	c->polling_out = out;
}

void conn_dead(struct conn *c)
{
	if (c->state == CONNECTING || c->state == GREETING)
		opening--;
	if (c->state == OPEN)
		open_n--;
	if (c->fd >= 0)
		close(c->fd);
	free(c->part);
	free(c->out);
	c->part = c->out = NULL;
	c->part_n = c->part_room = c->out_n = c->out_room = 0;
	c->fd = -1;
	c->life++;
	c->state = DEAD;
	c->waits = c->upgraded = false;
}

void conn_lost(struct conn *c, const char *why)
{
	if (c->state == OPEN && c->kind == KIND_WS)
		m.closes++;
	note(why, c->token, c->token[0] == 'f' ? 12 : 0);
	conn_dead(c);
}

void conn_put(struct conn *c, const void *p, size_t n)
{
	ssize_t sent = 0;

	if (!c->out_n) {
		sent = send(c->fd, p, n, MSG_NOSIGNAL);
		if (sent < 0)
			sent = 0;
		if ((size_t)sent == n)
			return;
	}
	n -= (size_t)sent;
	if (c->out_n + n > c->out_room) {
		c->out_room = (c->out_n + n) * 2;
		c->out = realloc(c->out, c->out_room);
	}
	memcpy(c->out + c->out_n, (const char *)p + sent, n);
	c->out_n += n;
	if (!c->polling_out)
		conn_watch(c, true);
}

void conn_start(struct conn *c)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};

	c->fd = net_connect(opt.target);
	if (c->fd < 0)
		return;
	c->state = CONNECTING;
	c->polling_out = true;
	opening++;
	epoll_ctl(loop, EPOLL_CTL_ADD, c->fd, &ev);
}

void conn_opened(struct conn *c)
{
	opening--;
	open_n++;
	c->state = OPEN;
}

void conn_writable(struct conn *c)
{
	ssize_t sent = send(c->fd, c->out, c->out_n, MSG_NOSIGNAL);

	if (sent > 0) {
		memmove(c->out, c->out + sent, c->out_n - (size_t)sent);
		c->out_n -= (size_t)sent;
	}
	if (!c->out_n)
		conn_watch(c, false);
}

void conn_keep(struct conn *c, const unsigned char *p, size_t n)
{
	if (n > c->part_room) {
		free(c->part);
		c->part_room = n + n / 2 + 512;
		c->part = malloc(c->part_room);
	}
	if (n)
		memmove(c->part, p, n);
	c->part_n = n;
	if (!n && c->part_room > 4096) {
		free(c->part);
		c->part = NULL;
		c->part_room = 0;
	}
}
