/* interests: ids from a query, from an op, from the bus. */
#include "lib/chat/interests.h"
#include "lib/base/codec.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

#define ID_MAX (((int64_t)1 << 53) - 1)

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sorts, and drops what is there twice. */
static void tidy(int64_t *ids, size_t *n)
{
	size_t kept = 0;

	if (!*n)
		return;
	qsort(ids, *n, sizeof(*ids), ascending);
	for (size_t i = 0; i < *n; i++)
		if (!kept || ids[kept - 1] != ids[i])
			ids[kept++] = ids[i];
	*n = kept;
}

static int parse_ids(const char *s, const char *field, int64_t *ids, size_t max, size_t *n, struct err *e)
{
	*n = 0;
	while (*s) {
		size_t len = strcspn(s, ",");

		if (*n == max)
			return err_set(e, ERR_BAD_FIELD, field, "names more than %zu ids", max);
		if (!int_parse(s, len, ID_MAX, &ids[*n]) || !ids[*n] || (s[len] && !s[len + 1]))
			return err_set(e, ERR_BAD_FIELD, field, "must be ids with commas between");
		(*n)++;
		s += len + (s[len] ? 1 : 0);
	}
	tidy(ids, n);
	return 0;
}

int interests_parse(const char *focus, const char *watch, struct interests *out, struct err *e)
{
	memset(out, 0, sizeof(*out));
	if (focus && parse_ids(focus, "focus", out->channels, INTEREST_CHANNELS_MAX, &out->channels_n, e) < 0)
		return -1;
	if (watch && parse_ids(watch, "watch", out->users, INTEREST_USERS_MAX, &out->users_n, e) < 0)
		return -1;
	out->focus = focus != NULL;
	out->watch = watch != NULL;
	return 0;
}

int interests_focus(const struct jx *o, struct interests *out, struct err *e)
{
	if (jx_ids(o, "", "channels", JX_REQUIRED, out->channels, INTEREST_CHANNELS_MAX, &out->channels_n, e) < 0)
		return -1;
	tidy(out->channels, &out->channels_n);
	out->focus = true;
	return 0;
}

int interests_watch(const struct jx *o, struct interests *out, struct err *e)
{
	if (jx_ids(o, "", "users", JX_REQUIRED, out->users, INTEREST_USERS_MAX, &out->users_n, e) < 0)
		return -1;
	tidy(out->users, &out->users_n);
	out->watch = true;
	return 0;
}

static void add_ids(struct strbuf *b, const char *name, const int64_t *ids, size_t n)
{
	strbuf_addf(b, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++) {
		if (i)
			strbuf_addc(b, ',');
		strbuf_addi(b, ids[i]);
	}
	strbuf_addc(b, ']');
}

void interests_notice(struct strbuf *b, const char *instance, const struct interests *i)
{
	strbuf_addf(b, "{\"instance\":\"%s\"", instance);
	if (i->focus)
		add_ids(b, "channels", i->channels, i->channels_n);
	if (i->watch)
		add_ids(b, "users", i->users, i->users_n);
	strbuf_addc(b, '}');
}

bool interests_from_notice(struct span json, char instance[37], struct interests *out)
{
	unsigned char uuid[16];
	struct err e = {0};
	struct jx *o = NULL;
	bool ok = false;

	memset(out, 0, sizeof(*out));
	if (jx_parse(json.p, json.n, &o, &e) < 0)
		return false;
	if (jx_uuid(o, "", "instance", uuid, &e) < 0)
		goto out;
	memcpy(instance, jx_text(jx_get(o, "instance")), 37);
	if (jx_get(o, "channels") && interests_focus(o, out, &e) < 0)
		goto out;
	if (jx_get(o, "users") && interests_watch(o, out, &e) < 0)
		goto out;
	ok = true;
out:
	jx_free(&o);
	return ok;
}
