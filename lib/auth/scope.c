/* scope: one table. */
#include "lib/auth/scope.h"
#include <string.h>

static const struct {
	const char *name;
	unsigned bit;
} scopes_known[] = {{"read", SCOPE_READ}, {"write", SCOPE_WRITE}, {"files", SCOPE_FILES}, {"admin", SCOPE_ADMIN}};

unsigned scope_bit(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT_OF(scopes_known); i++)
		if (strlen(scopes_known[i].name) == n && !memcmp(scopes_known[i].name, name, n))
			return scopes_known[i].bit;
	return 0;
}

bool scope_parse(const char *list, const char *between, unsigned *out)
{
	*out = 0;
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, between);
		unsigned bit = scope_bit(p, n);

		if (!bit)
			return false;
		*out |= bit;
		p += n;
		p += *p != 0;
	}
	return *out != 0;
}

size_t scope_names(unsigned scopes, const char *names[SCOPE_NAMES_MAX])
{
	size_t n = 0;

	_Static_assert(COUNT_OF(scopes_known) == SCOPE_NAMES_MAX, "room for all");
	for (size_t i = 0; i < COUNT_OF(scopes_known); i++)
		if (scopes & scopes_known[i].bit)
			names[n++] = scopes_known[i].name;
	return n;
}

void scope_render(struct strbuf *b, unsigned scopes)
{
	const char *names[SCOPE_NAMES_MAX];
	size_t n = scope_names(scopes, names);

	strbuf_addc(b, '[');
	for (size_t i = 0; i < n; i++)
		strbuf_addf(b, "%s\"%s\"", i ? "," : "", names[i]);
	strbuf_addc(b, ']');
}

const char *scope_missing(unsigned needed, unsigned has)
{
	for (size_t i = 0; i < COUNT_OF(scopes_known); i++)
		if (needed & ~has & scopes_known[i].bit)
			return scopes_known[i].name;
	return "account";
}
