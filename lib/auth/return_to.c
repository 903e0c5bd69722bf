/* return_to: a whitelist of characters and shapes; browsers, proxies and servers must all read it the same way. */
#include "lib/auth/return_to.h"
#include <string.h>
#include <strings.h>

static bool only_plain(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\\\"<>^`{|}", *s))
			return false;
	return true;
}

/* Segments that are empty (but for the last), "." or "..", or that hide a slash, backslash or dot: they read
 * differently once somebody tidies the path up. */
static bool plain_segments(const char *path, size_t n)
{
	for (size_t i = 0; i < n;) {
		size_t from = ++i; /* behind the slash */

		while (i < n && path[i] != '/')
			i++;
		if (from == i && i < n)
			return false;
		if ((i - from == 1 || i - from == 2) && !strncmp(path + from, "..", i - from))
			return false;
		for (size_t k = from; k < i; k++)
			if (path[k] == '%' &&
			    (i - k < 3 || !strncasecmp(path + k, "%2f", 3) || !strncasecmp(path + k, "%5c", 3) ||
			     !strncasecmp(path + k, "%2e", 3) || !strncasecmp(path + k, "%0", 2) ||
			     !strncasecmp(path + k, "%1", 2) || !strncasecmp(path + k, "%25", 3)))
				return false;
	}
	return true;
}

static bool under(const char *path, size_t n, const char *folder)
{
	size_t f = strlen(folder);

	return n >= f && !strncasecmp(path, folder, f) && (n == f || path[f] == '/');
}

void return_to_check(const char *wish, char out[RETURN_TO_MAX])
{
	size_t n;

	memcpy(out, "/", 2);
	if (!wish || wish[0] != '/' || strnlen(wish, RETURN_TO_MAX) >= RETURN_TO_MAX || !only_plain(wish))
		return;
	n = strcspn(wish, "?#");
	if (!plain_segments(wish, n) || under(wish, n, "/auth") || under(wish, n, "/api") || under(wish, n, "/sign-in"))
		return;
	memcpy(out, wish, strlen(wish) + 1);
}
