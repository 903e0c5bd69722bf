/* net: addresses, frames, clock, CPU times. */
#include "tests/bench/net.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

void die(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static socklen_t address(const char *where, struct sockaddr_storage *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_un *un = (struct sockaddr_un *)out;
	const char *colon = strrchr(where, ':');
	char host[64];

	memset(out, 0, sizeof(*out));
	if (where[0] == '/') {
		if (strlen(where) >= sizeof(un->sun_path))
			die("the path %s is too long", where);
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, where, strlen(where) + 1);
		return sizeof(*un);
	}
	if (!colon || (size_t)(colon - where) >= sizeof(host))
		die("%s is no address", where);
	memcpy(host, where, (size_t)(colon - where));
	host[colon - where] = 0;
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		die("%s is no address", where);
	return sizeof(*in);
}

int net_listen(const char *where)
{
	struct sockaddr_storage a;
	socklen_t n = address(where, &a);
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, 4096) < 0)
		die("%s: %s", where, strerror(errno));
	return fd;
}

int net_connect(const char *where)
{
	struct sockaddr_storage a;
	socklen_t n = address(where, &a);
	int fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (a.ss_family == AF_INET)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&a, n) < 0 && errno != EINPROGRESS) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

void net_files(size_t wanted)
{
	struct rlimit r;

	getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_max < wanted)
		die("%zu descriptors are needed, the hard limit is %zu", wanted, (size_t)r.rlim_max);
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
}

size_t ws_head(unsigned char *out, int opcode, size_t n, const unsigned char *mask)
{
	size_t at = 2;

	out[0] = (unsigned char)(0x80 | opcode);
	if (n < 126) {
		out[1] = (unsigned char)n;
	} else if (n < 65536) {
		out[1] = 126;
		out[2] = (unsigned char)(n >> 8);
		out[3] = (unsigned char)n;
		at = 4;
	} else {
		out[1] = 127;
		for (int k = 0; k < 8; k++)
			out[2 + k] = (unsigned char)((uint64_t)n >> (56 - 8 * k));
		at = 10;
	}
	if (mask) {
		out[1] |= 0x80;
		memcpy(out + at, mask, 4);
		at += 4;
	}
	return at;
}

void ws_mask(unsigned char *p, size_t n, const unsigned char mask[4])
{
	uint64_t wide, eight;
	size_t k = 0;

	memcpy(&wide, (unsigned char[8]){mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]}, 8);
	for (; k + 8 <= n; k += 8) {
		memcpy(&eight, p + k, 8);
		eight ^= wide;
		memcpy(p + k, &eight, 8);
	}
	for (; k < n; k++)
		p[k] ^= mask[k & 3];
}

int ws_parse(unsigned char *p, size_t n, struct ws_frame *out)
{
	size_t at = 2;
	uint64_t len;

	if (n < 2)
		return 0;
	if (p[0] & 0x70)
		return -1;
	out->fin = p[0] & 0x80;
	out->opcode = p[0] & 15;
	len = p[1] & 127;
	if (len == 126) {
		if (n < 4)
			return 0;
		len = (uint64_t)p[2] << 8 | p[3];
		at = 4;
	} else if (len == 127) {
		if (n < 10)
			return 0;
		len = 0;
		for (int k = 0; k < 8; k++)
			len = len << 8 | p[2 + k];
		at = 10;
	}
	if (len > 64u << 20)
		return -1;
	if (p[1] & 128)
		at += 4;
	if (n < at + len)
		return 0;
	out->p = p + at;
	out->n = (size_t)len;
	out->whole = at + (size_t)len;
	if (p[1] & 128)
		ws_mask(out->p, out->n, out->p - 4);
	return 1;
}

static bool read_text(const char *path, char *out, size_t max)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(out, 1, max - 1, f);
	out[n] = 0;
	fclose(f);
	return n > 0;
}

/* The threads' times; those of ended threads are lost, and our servers end none while they are measured. */
static int64_t process_ns(int pid)
{
	char path[64], text[128];
	int64_t sum = 0;
	struct dirent *d;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return 0;
	while ((d = readdir(dir))) {
		if (d->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, d->d_name);
		if (read_text(path, text, sizeof(text)))
			sum += strtoll(text, NULL, 10);
	}
	closedir(dir);
	return sum;
}

static int parent_of(int pid)
{
	char path[64], text[512], *paren;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (!read_text(path, text, sizeof(text)) || !(paren = strrchr(text, ')')))
		return 0;
	return (int)strtol(paren + 4, NULL, 10);
}

void cpu_look(struct cpu_watch *w, size_t n)
{
	bool any = false;
	struct dirent *d;
	DIR *dir;

	for (size_t k = 0; k < n; k++) {
		w[k].ns = process_ns(w[k].pid);
		any |= w[k].below;
	}
	if (!any || !(dir = opendir("/proc")))
		return;
	while ((d = readdir(dir))) { /* one level: enough for PostgreSQL and web servers */
		int pid = (int)strtol(d->d_name, NULL, 10), parent = pid > 0 ? parent_of(pid) : 0;

		for (size_t k = 0; parent && k < n; k++)
			if (w[k].below && w[k].pid == parent)
				w[k].ns += process_ns(pid);
	}
	closedir(dir);
}

void cpu_machine(int64_t *busy, int64_t *stolen)
{
	char text[512], *at = text;
	int64_t v[8] = {0};

	*busy = *stolen = 0;
	if (!read_text("/proc/stat", text, sizeof(text)) || !(at = strchr(text, ' ')))
		return;
	for (int k = 0; k < 8; k++)
		v[k] = strtoll(at, &at, 10);
	*busy = (v[0] + v[1] + v[2] + v[5] + v[6]) * 10000000;
	*stolen = v[7] * 10000000;
}
