/* guard: tables of what is not public. What an IPv6 network is not known to be for is refused: only 2000::/3 is in use.
 */
#include "lib/preview/guard.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	uint32_t net;
	int bits;
} closed4[] = {
	{0x00000000, 8},  /* this network */
	{0x0a000000, 8},  /* private */
	{0x64400000, 10}, /* carrier-grade NAT */
	{0x7f000000, 8},  /* loopback */
	{0xa9fe0000, 16}, /* link-local, and the metadata services of clouds */
	{0xac100000, 12}, /* private */
	{0xc0000000, 24}, /* protocol assignments */
	{0xc0000200, 24}, /* documentation */
	{0xc0586300, 24}, /* 6to4 relays */
	{0xc0a80000, 16}, /* private */
	{0xc6120000, 15}, /* benchmarking */
	{0xc6336400, 24}, /* documentation */
	{0xcb007100, 24}, /* documentation */
	{0xe0000000, 4},  /* multicast */
	{0xf0000000, 4},  /* reserved, and broadcast */
};

static const struct {
	unsigned char net[6];
	int bits;
} closed6[] = {
	/* within 2000::/3 */
	{{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments: Teredo, ORCHID, benchmarking, ... */
	{{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
	{{0x20, 0x02}, 16},             /* 6to4 */
	{{0x3f, 0xff}, 20},             /* documentation */
};

static bool public4(uint32_t a)
{
	for (size_t i = 0; i < COUNT_OF(closed4); i++)
		if ((a ^ closed4[i].net) >> (32 - closed4[i].bits) == 0)
			return false;
	return true;
}

static bool within(const unsigned char *a, const unsigned char *net, int bits)
{
	int whole = bits / 8, rest = bits % 8;

	return !memcmp(a, net, (size_t)whole) && (!rest || (a[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static bool public6(const unsigned char *a)
{
	if (a[0] >> 5 != 1) /* loopback, mapped, NAT64, unique local, link-local, multicast, ...: none is in 2000::/3 */
		return false;
	for (size_t i = 0; i < COUNT_OF(closed6); i++)
		if (within(a, closed6[i].net, closed6[i].bits))
			return false;
	return true;
}

bool guard_public(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return public4(ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr));
	if (a->sa_family == AF_INET6)
		return public6(((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr);
	return false;
}

static int port_of(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)a)->sin_port);
	return a->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)a)->sin6_port) : -1;
}

static bool same(const struct sockaddr *a, const struct sockaddr *b)
{
	if (a->sa_family != b->sa_family || port_of(a) != port_of(b))
		return false;
	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr ==
		       ((const struct sockaddr_in *)(const void *)b)->sin_addr.s_addr;
	return !memcmp(&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr,
		       &((const struct sockaddr_in6 *)(const void *)b)->sin6_addr, sizeof(struct in6_addr));
}

static bool listed(const struct guard *g, int port)
{
	for (size_t i = 0; i < g->ports_n; i++)
		if (g->ports[i] == port)
			return true;
	return false;
}

static const struct sockaddr *exact(const struct guard *g, size_t i)
{
	return (const struct sockaddr *)(const void *)&g->allow[i].address;
}

bool guard_port(const struct guard *g, int port)
{
	for (size_t i = 0; i < g->allow_n; i++)
		if (port_of(exact(g, i)) == port)
			return true;
	return listed(g, port);
}

bool guard_address(const struct guard *g, const struct sockaddr *a)
{
	for (size_t i = 0; i < g->allow_n; i++)
		if (same(exact(g, i), a))
			return true;
	return guard_public(a) && listed(g, port_of(a));
}

/* 1 to 65535; -1: it is none. */
static int read_port(const char *s)
{
	size_t n = strspn(s, "0123456789");
	long v = n && n <= 5 && !s[n] ? strtol(s, NULL, 10) : 0;

	return v >= 1 && v <= 65535 ? (int)v : -1;
}

static bool read_exact(char *s, struct sockaddr_storage *a)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)a;
	char *colon = strrchr(s, ':'), *end;
	int port = colon ? read_port(colon + 1) : -1;

	if (port < 0)
		return false;
	*colon = 0;
	memset(a, 0, sizeof(*a));
	end = *s == '[' ? strchr(s, ']') : NULL;
	if (end && !end[1]) {
		*end = 0;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		return inet_pton(AF_INET6, s + 1, &v6->sin6_addr) == 1;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	return inet_pton(AF_INET, s, &v4->sin_addr) == 1;
}

/* The next word of *p, cut to size; false: there is none. */
static bool next_word(const char **p, char *word, size_t size)
{
	size_t n;

	*p += strspn(*p, " \t");
	n = strcspn(*p, " \t");
	snprintf(word, size, "%.*s", (int)MIN_OF(n, size - 1), *p);
	*p += n;
	return n > 0;
}

int guard_read(struct guard *g, const char *ports, const char *allow, struct err *e)
{
	char word[80];

	memset(g, 0, sizeof(*g));
	while (next_word(&ports, word, sizeof(word))) {
		int port = read_port(word);

		if (port < 0 || g->ports_n == GUARD_PORTS_MAX)
			return err_set(e, ERR_BAD_FIELD, "ports", "%s: expected at most %d ports", word,
				       GUARD_PORTS_MAX);
		g->ports[g->ports_n++] = port;
	}
	while (next_word(&allow, word, sizeof(word))) {
		char shown[80];

		snprintf(shown, sizeof(shown), "%s", word);
		if (g->allow_n == GUARD_ALLOW_MAX || !read_exact(word, &g->allow[g->allow_n].address))
			return err_set(e, ERR_BAD_FIELD, "allow", "%s: expected at most %d of ADDRESS:PORT", shown,
				       GUARD_ALLOW_MAX);
		g->allow_n++;
	}
	return 0;
}
