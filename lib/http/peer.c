/* peer: from the nearest to the farthest, as long as each is trusted. */
#include "lib/http/peer.h"
#include "lib/base/codec.h"
#include <arpa/inet.h>
#include <string.h>

#define FORWARDED_MAX ((size_t)2048)

/* An IPv4 address comes out as the IPv6 one that it is mapped to. */
static bool parse(const char *s, size_t n, struct in6_addr *out)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	char text[PEER_MAX];

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	if (inet_pton(AF_INET, text, &out->s6_addr[12]) != 1)
		return inet_pton(AF_INET6, text, out) == 1;
	memcpy(out->s6_addr, mapped, sizeof(mapped));
	return true;
}

/* By hand where it is IPv4: each request has one, and inet_ntop() prints it. */
static void format(const struct in6_addr *a, char out[PEER_MAX])
{
	if (!IN6_IS_ADDR_V4MAPPED(a)) {
		inet_ntop(AF_INET6, a, out, PEER_MAX);
		return;
	}
	for (int i = 12; i < 16; i++) {
		out = int_text(out, a->s6_addr[i]);
		*out++ = '.';
	}
	out[-1] = 0;
}

static bool is_trusted(const char *list, const struct in6_addr *who)
{
	struct in6_addr one;

	while (*(list += strspn(list, " ,"))) {
		size_t n = strcspn(list, " ,");

		if (parse(list, n, &one) && IN6_ARE_ADDR_EQUAL(&one, who))
			return true;
		list += n;
	}
	return false;
}

bool peer_find(const char *trusted, const char *remote, const char *forwarded, char out[PEER_MAX])
{
	size_t forwarded_n = forwarded ? strlen(forwarded) : 0;
	struct in6_addr one;

	out[0] = 0;
	if (remote && parse(remote, strlen(remote), &one)) {
		format(&one, out);
		if (!is_trusted(trusted, &one))
			return true;
	}
	/* the end is what our own proxies wrote */
	if (forwarded_n > FORWARDED_MAX)
		forwarded += forwarded_n - FORWARDED_MAX;
	for (size_t end = MIN_OF(forwarded_n, FORWARDED_MAX); end > 0;) {
		size_t start = end, from, n;

		while (start > 0 && forwarded[start - 1] != ',')
			start--;
		from = start + strspn(forwarded + start, " \t");
		n = end > from ? end - from : 0;
		while (n && (forwarded[from + n - 1] == ' ' || forwarded[from + n - 1] == '\t'))
			n--;
		if (!parse(forwarded + from, n, &one))
			return false;
		format(&one, out);
		if (!is_trusted(trusted, &one))
			return true;
		end = start ? start - 1 : 0;
	}
	return false;
}
