/* config_ask: what others ask of the values. */
#include "lib/base/codec.h"
#include "lib/base/config_private.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

/* ---- the site */

const char *config_site_host(const struct config *c)
{
	return strstr(c->site.url, "://") ? strstr(c->site.url, "://") + 3 : "";
}

bool config_site_secure(const struct config *c)
{
	return !strncmp(c->site.url, "https://", 8);
}

bool config_site_loopback(const struct config *c)
{
	const char *h = config_site_host(c);
	char host[64];
	struct in_addr v4;

	if (!strncmp(h, "[::1]", 5))
		return h[5] == 0 || h[5] == ':';
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(h, ":"), h);
	return !strcmp(host, "localhost") || (inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127);
}

int config_site_port(const struct config *c)
{
	const char *h = config_site_host(c);
	const char *colon = h[0] == '[' ? strstr(h, "]:") : strchr(h, ':');
	int64_t port;

	if (!colon)
		return config_site_secure(c) ? 443 : 80;
	colon += h[0] == '[' ? 2 : 1;
	return int_parse(colon, strlen(colon), 65535, &port) ? (int)port : 0;
}

/* ---- words */

bool config_local_accounts(const struct config *c)
{
	return !strcmp(c->local.accounts, "yes");
}

bool config_emoji_by_all(const struct config *c)
{
	return !strcmp(c->emoji.who, "members");
}

bool config_previews(const struct config *c)
{
	return !strcmp(c->previews.enabled, "yes");
}

bool config_first_owner(const struct config *c)
{
	return !strcmp(c->registration.first_owner, "yes");
}

bool config_polls_park(const struct config *c)
{
	return !strcmp(c->api.poll, "parked");
}

bool config_files(const struct config *c)
{
	return strcmp(c->files.store, "none") != 0;
}

bool config_files_local(const struct config *c)
{
	return !strcmp(c->files.store, "local");
}
