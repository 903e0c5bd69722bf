/* cookie: RFC 6265 as far as two cookies need it. */
#include "lib/auth/cookie.h"
#include "lib/base/config.h"
#include <stdio.h>
#include <string.h>

void cookie_name(const struct config *c, enum cookie which, char out[COOKIE_NAME_MAX])
{
	const char *rest = which == COOKIE_LOGIN ? "_login" : "";

	if (config_site_secure(c))
		snprintf(out, COOKIE_NAME_MAX, "__Host-pulsechat%s", rest);
	else
		snprintf(out, COOKIE_NAME_MAX, "pulsechat_%d%s", config_site_port(c), rest);
}

bool cookie_find(const struct config *c, enum cookie which, const char *header, char value[SESSION_SECRET_MAX])
{
	char name[COOKIE_NAME_MAX];
	size_t name_n;
	const char *found = NULL;

	value[0] = 0;
	if (!header || strnlen(header, COOKIE_HEADER_MAX + 1) > COOKIE_HEADER_MAX)
		return false;
	cookie_name(c, which, name);
	name_n = strlen(name);
	for (const char *p = header; *p;) {
		size_t n;

		p += strspn(p, "; \t");
		n = strcspn(p, ";");
		if (n > name_n && !strncmp(p, name, name_n) && p[name_n] == '=') {
			const char *v = p + name_n + 1;
			size_t v_n = n - name_n - 1;

			while (v_n && (v[v_n - 1] == ' ' || v[v_n - 1] == '\t'))
				v_n--;
			if (!session_secret_valid(v, v_n))
				return false;
			if (found && strncmp(found, v, SESSION_SECRET_LEN) != 0)
				return false;
			found = v;
		}
		p += n;
	}
	if (!found)
		return false;
	memcpy(value, found, SESSION_SECRET_LEN);
	value[SESSION_SECRET_LEN] = 0;
	return true;
}

void cookie_set(struct strbuf *b, const struct config *c, enum cookie which, const char *value, int64_t max_age)
{
	char name[COOKIE_NAME_MAX];

	cookie_name(c, which, name);
	strbuf_addf(b, "%s=%s; Path=/; Max-Age=%lld; HttpOnly; SameSite=Lax%s", name, max_age > 0 ? value : "",
		    (long long)(max_age > 0 ? max_age : 0), config_site_secure(c) ? "; Secure" : "");
}
