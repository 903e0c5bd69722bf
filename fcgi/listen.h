/* listen: the listening socket: the one that was passed on (by a web server or spawn-fcgi on descriptor 0, by systemd),
 * or our own. */
#pragma once
#include "lib/base/err.h"
struct config;

struct listener {
	int fd;
	bool own;               /* made here; else other processes may share it */
	char path[108];         /* of an own Unix socket, else "" */
	uint64_t device, inode; /* of path, so that a successor's is not removed */
};

/* True where descriptor fd is a listening socket. */
bool listen_is_socket(int fd);

/* where: a path or address:port, of [api] or [files]; a passed socket comes before it. The mode and the group of a
 * socket file are [api]'s. One that nobody listens on any more is replaced. The socket is
 * non-blocking: see fcgi/worker.c. */
MUST_CHECK int listen_open(const struct config *c, const char *where, struct listener *l, struct err *e);
/* Takes the name away, so that nobody new comes; who has connected can still be accepted. */
void listen_unlink(struct listener *l);
void listen_close(struct listener *l);
