/* origin: one decision, no state. */
#include "lib/auth/origin.h"
#include "lib/base/config.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>

void origin_site(const struct config *c, char out[ORIGIN_MAX])
{
	const char *own = config_site_secure(c) ? ":443" : ":80";
	size_t n, own_n = strlen(own);

	snprintf(out, ORIGIN_MAX, "%s", c->site.url);
	n = strlen(out);
	if (n > own_n && !strcmp(out + n - own_n, own))
		out[n - own_n] = 0;
	for (char *p = out; *p; p++)
		*p = (char)tolower((unsigned char)*p);
}

static bool only_reads(const char *method)
{
	return !strcmp(method, "GET") || !strcmp(method, "HEAD");
}

int origin_check(const struct config *c, const struct origin_request *r, struct err *e)
{
	char site[ORIGIN_MAX];
	bool reads = only_reads(r->method);

	if (!r->by_cookie || (r->kind == ORIGIN_LOGIN && reads))
		return 0;
	origin_site(c, site);
	if (r->origin)
		return !strcmp(r->origin, site)
			       ? 0
			       : err_set(e, ERR_ORIGIN_REFUSED, NULL, "this request comes from another site's page");
	if (r->kind == ORIGIN_SOCKET || !reads)
		return err_set(e, ERR_ORIGIN_REFUSED, NULL, "a request by cookie that changes something needs Origin");
	if (r->client && r->client[0])
		return 0;
	if (r->sec_fetch_site && (!strcmp(r->sec_fetch_site, "same-origin") ||
				  (r->kind == ORIGIN_PAGE && !strcmp(r->sec_fetch_site, "none"))))
		return 0;
	return err_set(e, ERR_ORIGIN_REFUSED, NULL,
		       "a request by cookie needs Sec-Fetch-Site: same-origin or the header PulseChat-Client");
}
