/* buttons: a small parser. */
#include "lib/auth/buttons.h"
#include "lib/base/utf8.h"
#include <string.h>

static bool take(char *out, size_t size, const char *p, size_t n)
{
	while (n && *p == ' ') {
		p++;
		n--;
	}
	while (n && p[n - 1] == ' ')
		n--;
	if (n >= size)
		return false;
	memcpy(out, p, n);
	out[n] = 0;
	return true;
}

static int parse_one(const char *p, size_t n, struct button *b, struct err *e)
{
	const char *colon = memchr(p, ':', n), *second;
	size_t id_n = colon ? (size_t)(colon - p) : n, rest = colon ? n - id_n - 1 : 0, label_n;

	second = colon ? memchr(colon + 1, ':', rest) : NULL;
	label_n = second ? (size_t)(second - colon - 1) : rest;
	if (!colon || !take(b->id, sizeof(b->id), p, id_n) || !take(b->label, sizeof(b->label), colon + 1, label_n) ||
	    !take(b->fidp, sizeof(b->fidp), second ? second + 1 : "", second ? rest - label_n - 1 : 0))
		return err_set(e, ERR_BAD_FIELD, "buttons",
			       "[oidc] buttons: expected id:Label:fidp, not too long: %.*s", (int)MIN_OF(n, (size_t)60),
			       p);
	if (!b->id[0] || b->id[strspn(b->id, "abcdefghijklmnopqrstuvwxyz0123456789-")])
		return err_set(e, ERR_BAD_FIELD, "buttons",
			       "[oidc] buttons: an id has letters a to z, digits and dashes: %s", b->id);
	if (utf8_blank(b->label, strlen(b->label)) || utf8_length(b->label, strlen(b->label)) > 40)
		return err_set(e, ERR_BAD_FIELD, "buttons", "[oidc] buttons: %s needs a label of 1 to 40 characters",
			       b->id);
	return 0;
}

int buttons_parse(const char *text, struct buttons *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (!text[strspn(text, " ")])
		return 0;
	for (const char *p = text;; p++) {
		size_t n = strcspn(p, ",");
		struct button *b = &out->at[out->n];

		if (out->n == BUTTONS_MAX)
			return err_set(e, ERR_BAD_FIELD, "buttons", "[oidc] buttons: at most %d", BUTTONS_MAX);
		if (parse_one(p, n, b, e) < 0)
			return -1;
		if (buttons_find(out, b->id))
			return err_set(e, ERR_BAD_FIELD, "buttons", "[oidc] buttons: %s is there twice", b->id);
		out->n++;
		p += n;
		if (!*p)
			return 0;
	}
}

const struct button *buttons_find(const struct buttons *b, const char *id)
{
	for (size_t i = 0; id && i < b->n; i++)
		if (!strcmp(b->at[i].id, id))
			return &b->at[i];
	return NULL;
}
