/* peer: from the nearest to the farthest, as long as each is trusted. */
#include "lib/http/peer.h"
#include <arpa/inet.h>
#include <string.h>

#define FORWARDED_MAX ((size_t)2048)

static bool address(const char *s, size_t n, char out[PEER_MAX])
{
	char text[PEER_MAX];
	struct in6_addr six;
	struct in_addr four;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = 0;
	if (inet_pton(AF_INET, text, &four) == 1)
		return inet_ntop(AF_INET, &four, out, PEER_MAX) != NULL;
	if (inet_pton(AF_INET6, text, &six) != 1)
		return false;
	if (IN6_IS_ADDR_V4MAPPED(&six))
		return inet_ntop(AF_INET, &six.s6_addr[12], out, PEER_MAX) != NULL;
	return inet_ntop(AF_INET6, &six, out, PEER_MAX) != NULL;
}

static bool is_trusted(const char *list, const char *addr)
{
	char one[PEER_MAX];

	while (*(list += strspn(list, " ,"))) {
		size_t n = strcspn(list, " ,");

		if (address(list, n, one) && !strcmp(one, addr))
			return true;
		list += n;
	}
	return false;
}

bool peer_find(const char *trusted, const char *remote, const char *forwarded, char out[PEER_MAX])
{
	size_t forwarded_n = forwarded ? strlen(forwarded) : 0;

	out[0] = 0;
	if (remote && address(remote, strlen(remote), out) && !is_trusted(trusted, out))
		return true;
	/* the end is what our own proxies wrote */
	if (forwarded_n > FORWARDED_MAX)
		forwarded += forwarded_n - FORWARDED_MAX;
	for (size_t end = MIN_OF(forwarded_n, FORWARDED_MAX); end > 0;) {
		size_t start = end, from, n;
		char one[PEER_MAX];

		while (start > 0 && forwarded[start - 1] != ',')
			start--;
		from = start + strspn(forwarded + start, " \t");
		n = end > from ? end - from : 0;
		while (n && (forwarded[from + n - 1] == ' ' || forwarded[from + n - 1] == '\t'))
			n--;
		if (!address(forwarded + from, n, one))
			return false;
		memcpy(out, one, sizeof(one));
		if (!is_trusted(trusted, one))
			return true;
		end = start ? start - 1 : 0;
	}
	return false;
}
