/* roles: lists with commas. */
#include "lib/auth/roles.h"
#include "lib/auth/person.h"
#include "lib/base/config.h"
#include <string.h>

static const char *const roles[] = {"owner", "admin", "member", "guest"}; /* highest first */

/* The next entry of a list, without blanks around it; *p moves behind it. */
static struct span next(const char **p)
{
	size_t n = strcspn(*p, ",");
	struct span s = {.p = *p, .n = n};

	*p += n + ((*p)[n] == ',');
	for (; s.n && *s.p == ' '; s.n--)
		s.p++;
	while (s.n && s.p[s.n - 1] == ' ')
		s.n--;
	return s;
}

static bool is(struct span s, const char *text)
{
	return s.n == strlen(text) && !memcmp(s.p, text, s.n);
}

/* Cuts "role:group" in two; the role's index, or -1. */
static int cut(struct span *entry)
{
	const char *colon = memchr(entry->p, ':', entry->n);
	struct span role = {.p = entry->p, .n = colon ? (size_t)(colon - entry->p) : 0};

	if (!colon || role.n + 1 == entry->n)
		return -1;
	entry->p = colon + 1;
	entry->n -= role.n + 1;
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if (is(role, roles[i]))
			return (int)i;
	return -1;
}

int roles_check(const char *text, struct err *e)
{
	for (const char *p = text; *p;) {
		struct span entry = next(&p), rest = entry;

		if (entry.n && cut(&rest) < 0)
			return err_set(
				e, ERR_BAD_FIELD, "roles",
				"[oidc] roles: expected owner, admin, member or guest, a colon and a group: %.*s",
				(int)MIN_OF(entry.n, (size_t)60), entry.p);
	}
	return 0;
}

/* The claim is a list of names, or where there is one alone, or by some providers, text with commas. */
static bool has_group(const json_t *groups, struct span group)
{
	const json_t *one;
	size_t i;

	json_array_foreach((json_t *)groups, i, one)
	{
		if (json_is_string(one) && is(group, json_string_value(one)))
			return true;
	}
	if (!json_is_string(groups))
		return false;
	for (const char *p = json_string_value(groups); *p;) {
		struct span name = next(&p);

		if (name.n == group.n && !memcmp(name.p, group.p, group.n))
			return true;
	}
	return false;
}

const char *roles_of(const struct config *c, const json_t *claims)
{
	const char *subject = json_string_value(json_object_get(claims, "sub"));
	const json_t *groups = c->oidc.claim_groups[0] ? person_claim(claims, c->oidc.claim_groups) : NULL;
	int best = COUNT_OF(roles);

	for (const char *p = c->oidc.owners; *p;) {
		struct span owner = next(&p);

		if (owner.n && subject && is(owner, subject))
			return roles[0];
	}
	for (const char *p = c->oidc.roles; groups && *p;) {
		struct span entry = next(&p);
		int role = entry.n ? cut(&entry) : -1;

		if (role >= 0 && role < best && has_group(groups, entry))
			best = role;
	}
	return best < (int)COUNT_OF(roles) ? roles[best] : NULL;
}
