/* listen: opening, replacing and leaving the listening socket. */
#include "fcgi/listen.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define SYSTEMD_FIRST_FD 3

bool listen_is_socket(int fd)
{
	int listening = 0;
	socklen_t n = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &n) == 0 && listening;
}

static int system_error(struct err *e, const char *where, const char *what)
{
	return err_set(e, ERR_INTERNAL, NULL, "listen = %s: %s: %s", where, what, strerror(errno));
}

static int passed_socket(void)
{
	const char *count = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	char own[24];

	if (listen_is_socket(STDIN_FILENO))
		return STDIN_FILENO;
	snprintf(own, sizeof(own), "%d", (int)getpid());
	if (count && pid && !strcmp(count, "1") && !strcmp(pid, own) && listen_is_socket(SYSTEMD_FIRST_FD))
		return SYSTEMD_FIRST_FD;
	return -1;
}

/* What a process that was killed left behind is in the way of bind(). */
static int clear_path(const struct sockaddr_un *addr, struct err *e)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : system_error(e, addr->sun_path, "stat");
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_CONFLICT, NULL, "listen = %s: there is a file that is no socket", addr->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return system_error(e, addr->sun_path, "socket");
	rc = connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	if (rc == 0 || errno != ECONNREFUSED) {
		close(fd);
		return err_set(e, ERR_CONFLICT, NULL, "listen = %s: another process listens there", addr->sun_path);
	}
	close(fd);
	if (unlink(addr->sun_path) < 0 && errno != ENOENT)
		return system_error(e, addr->sun_path, "unlink");
	log_info("listen.stale_socket_removed", "path=%s", addr->sun_path);
	return 0;
}

static int set_owner(const struct config *c, const char *path, struct err *e)
{
	if (c->api.socket_group[0]) {
		char buf[4096];
		struct group g, *found = NULL;

		if (getgrnam_r(c->api.socket_group, &g, buf, sizeof(buf), &found) != 0 || !found)
			return err_set(e, ERR_BAD_FIELD, "socket_group", "[api] socket_group = %s: no such group",
				       c->api.socket_group);
		if (chown(path, (uid_t)-1, found->gr_gid) < 0)
			return system_error(e, path, "chown");
	}
	return chmod(path, (mode_t)c->api.socket_mode) < 0 ? system_error(e, path, "chmod") : 0;
}

static int open_unix(const struct config *c, const char *where, struct listener *l, struct err *e)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct stat st;
	mode_t mask;
	int rc;

	if (strlen(where) >= sizeof(addr.sun_path))
		return err_set(e, ERR_BAD_FIELD, "listen", "listen = %s: over %zu bytes, the system's limit", where,
			       sizeof(addr.sun_path) - 1);
	memcpy(addr.sun_path, where, strlen(where));
	if (clear_path(&addr, e) < 0)
		return -1;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return system_error(e, where, "socket");
	mask = umask(0177); /* nobody else's until mode and group are set */
	rc = bind(l->fd, (const struct sockaddr *)&addr, sizeof(addr));
	umask(mask);
	if (rc < 0)
		return system_error(e, where, "bind");
	snprintf(l->path, sizeof(l->path), "%s", where);
	if (lstat(l->path, &st) == 0) {
		l->device = st.st_dev;
		l->inode = st.st_ino;
	}
	if (set_owner(c, l->path, e) < 0)
		return -1;
	return listen(l->fd, BACKLOG) < 0 ? system_error(e, where, "listen") : 0;
}

/* address:port, [address]:port; names are not looked up: "localhost" is ::1 here and 127.0.0.1 there. */
static int open_tcp(const char *where, struct listener *l, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE},
			*found;
	const char *text = where, *colon = strrchr(text, ':');
	char host[64];
	size_t n = colon ? (size_t)(colon - text) : 0;
	int one = 1, rc;

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	if (!colon || n == 0 || n >= sizeof(host))
		return err_set(e, ERR_BAD_FIELD, "listen", "listen = %s: expected a path or address:port", where);
	memcpy(host, text, n);
	host[n] = 0;
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return err_set(e, ERR_BAD_FIELD, "listen", "listen = %s: expected a path or address:port, in numbers",
			       where);
	l->fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = l->fd < 0 ? -1 : setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (rc == 0)
		rc = bind(l->fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (rc < 0 || listen(l->fd, BACKLOG) < 0)
		return system_error(e, where, "bind");
	return 0;
}

int listen_open(const struct config *c, const char *where, struct listener *l, struct err *e)
{
	int rc = 0, flags;

	memset(l, 0, sizeof(*l));
	l->fd = passed_socket();
	if (l->fd < 0) {
		l->own = true;
		if (!where[0])
			return err_set(e, ERR_BAD_FIELD, "listen",
				       "listen is empty, and no web server passed a socket on descriptor 0");
		rc = where[0] == '/' ? open_unix(c, where, l, e) : open_tcp(where, l, e);
	}
	if (rc == 0) {
		flags = fcntl(l->fd, F_GETFL);
		if (flags < 0 || fcntl(l->fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(l->fd, F_SETFD, FD_CLOEXEC) < 0)
			rc = system_error(e, where, "fcntl");
	}
	if (rc < 0) {
		listen_unlink(l);
		listen_close(l);
	}
	return rc;
}

void listen_unlink(struct listener *l)
{
	struct stat st;

	if (l->path[0] && lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
		unlink(l->path);
	l->path[0] = 0;
}

void listen_close(struct listener *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
}
