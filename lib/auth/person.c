/* person: claims into names. */
#include "lib/auth/person.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include <stdio.h>
#include <string.h>

enum { MARKS_MAX = 3 }; /* on one letter; more reach into the lines above and below */

struct range {
	uint32_t first, last;
};

static bool among(uint32_t u, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (u >= r[i].first && u <= r[i].last)
			return true;
	return false;
}

static bool is_space(uint32_t u)
{
	static const struct range spaces[] = {
		{0x09, 0x0d},     {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
		{0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000},
	};

	return among(u, spaces, COUNT_OF(spaces));
}

/* What shows nothing, or makes its neighbours show as something else. */
static bool is_unwanted(uint32_t u)
{
	static const struct range unwanted[] = {
		{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},        {0x034f, 0x034f}, {0x061c, 0x061c},
		{0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},    {0x200b, 0x200f}, {0x202a, 0x202e},
		{0x2060, 0x206f},   {0x2800, 0x2800},   {0x3164, 0x3164},    {0xe000, 0xf8ff}, {0xfdd0, 0xfdef},
		{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},    {0xfff0, 0xfffb}, {0xfffe, 0xffff},
		{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0x10ffff},
	};

	return among(u, unwanted, COUNT_OF(unwanted)) || (u & 0xfffe) == 0xfffe;
}

/* The length of the valid UTF-8 sequence at s, 0 where there is none. */
static size_t sequence(const char *s, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++)
		if (utf8_valid(s, len))
			return len;
	return 0;
}

/* Marks that stack on the letter before them. */
static bool is_mark(uint32_t u)
{
	static const struct range marks[] = {{0x0300, 0x036f}, {0x0483, 0x0489}, {0x1ab0, 0x1aff},
					     {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe20, 0xfe2f}};

	return among(u, marks, COUNT_OF(marks));
}

void person_clean(const char *in, size_t points, char *out, size_t size)
{
	size_t left = strlen(in), n = 0, count = 0, marks = 0;
	bool gap = false;

	while (left && count < points) {
		size_t len = sequence(in, left);
		uint32_t u = len ? utf8_decode(in, &len) : 0;

		if (len && is_space(u)) {
			gap = n > 0;
		} else if (len && !is_unwanted(u) && (marks = is_mark(u) ? marks + 1 : 0) <= MARKS_MAX) {
			if (gap && count + 1 >= points)
				break;
			if (n + len + gap + 1 > size)
				break;
			if (gap) {
				out[n++] = ' ';
				count++;
			}
			memcpy(out + n, in, len);
			n += len;
			count++;
			gap = false;
		}
		in += len ? len : 1;
		left -= len ? len : 1;
	}
	out[n] = 0;
}

/* Letters that look like those of another script. Of one script alone a word is what it is. */
static int script_of(uint32_t u)
{
	static const struct {
		struct range at;
		int script;
	} scripts[] = {
		{{'A', 'Z'}, 1},       {{'a', 'z'}, 1},         {{0xaa, 0xaa}, 1},       {{0xba, 0xba}, 1},
		{{0xc0, 0x02af}, 1},   {{0x0370, 0x03ff}, 2},   {{0x0400, 0x052f}, 3},   {{0x0530, 0x058f}, 4},
		{{0x13a0, 0x13ff}, 5}, {{0x1c80, 0x1c8f}, 3},   {{0x1d00, 0x1dbf}, 1},   {{0x1e00, 0x1eff}, 1},
		{{0x1f00, 0x1fff}, 2}, {{0x2c60, 0x2c7f}, 1},   {{0x2c80, 0x2cff}, 6},   {{0x2de0, 0x2dff}, 3},
		{{0xa640, 0xa69f}, 3}, {{0xa720, 0xa7ff}, 1},   {{0xab30, 0xab6f}, 1},   {{0xab70, 0xabbf}, 5},
		{{0x2102, 0x2115}, 9}, {{0x2119, 0x211d}, 9},   {{0x2124, 0x2139}, 9},   {{0xff21, 0xff3a}, 9},
		{{0xff41, 0xff5a}, 9}, {{0x1d400, 0x1d7ff}, 9}, {{0x1f130, 0x1f189}, 9},
	};

	for (size_t i = 0; i < COUNT_OF(scripts); i++)
		if (among(u, &scripts[i].at, 1))
			return scripts[i].script;
	return 0;
}

bool person_misleads(const char *name)
{
	size_t left = strlen(name);
	int word = 0;

	while (left) {
		size_t len = sequence(name, left);
		uint32_t u = len ? utf8_decode(name, &len) : ' ';
		int script = script_of(u);

		if (script == 9 || (script && word && script != word))
			return true;
		/* signs and digits go on with the word, only a blank ends it */
		word = is_space(u) ? 0 : script ? script : word;
		name += len ? len : 1;
		left -= len ? len : 1;
	}
	return false;
}

const json_t *person_claim(const json_t *claims, const char *path)
{
	const json_t *found = json_object_get(claims, path);
	char part[256];

	if (found)
		return found; /* many providers name claims by URLs: those dots are no path */
	for (found = claims; found && *path;) {
		size_t n = strcspn(path, ".");

		if (n >= sizeof(part))
			return NULL;
		memcpy(part, path, n);
		part[n] = 0;
		found = json_object_get(found, part);
		path += n + (path[n] == '.');
	}
	return found == claims ? NULL : found;
}

/* "" where the claim is absent or no string. */
static const char *text_claim(const json_t *claims, const char *name)
{
	const char *s = name && name[0] ? json_string_value(person_claim(claims, name)) : NULL;

	return s ? s : "";
}

static void set_email(const json_t *claims, struct person *out)
{
	const char *email = text_claim(claims, "email");
	const char *at = strrchr(email, '@');
	size_t n = strlen(email);

	if (!at || at == email || !at[1] || n >= sizeof(out->email) || utf8_has_control(email, n, "") ||
	    strchr(email, ' '))
		return;
	memcpy(out->email, email, n + 1);
	out->email_verified = json_is_true(json_object_get(claims, "email_verified"));
}

static void set_picture(const json_t *claims, const char *first, struct person *out)
{
	const char *url = text_claim(claims, first && first[0] ? first : "picture");
	size_t n = strlen(url);

	if (n < 9 || n >= sizeof(out->picture) || strncmp(url, "https://", 8) != 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (url[i] <= ' ' || url[i] >= 0x7f || strchr("\"'<>\\^`{|}", url[i]))
			return;
	memcpy(out->picture, url, n + 1);
}

static void local_part(const char *email, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)MIN_OF(strcspn(email, "@"), size - 1), email);
}

void person_from_claims(const json_t *claims, const struct person_claims *first, struct person *out)
{
	static const struct person_claims none = {0};
	char local[PERSON_EMAIL_MAX], full[2 * PERSON_NAME_MAX], hash_hex[17];
	const char *given = text_claim(claims, "given_name"), *family = text_claim(claims, "family_name");
	const char *username = text_claim(claims, "preferred_username");
	AUTO_STRBUF id = {.max = 4096};
	unsigned char hash[32];

	if (!first)
		first = &none;
	memset(out, 0, sizeof(*out));
	set_email(claims, out);
	set_picture(claims, first->picture, out);
	if (!username[0])
		username = text_claim(claims, "username");
	local_part(out->email, local, sizeof(local));
	snprintf(full, sizeof(full), "%.*s %.*s", PERSON_NAME_MAX - 1, given, PERSON_NAME_MAX - 1, family);
	strbuf_addf(&id, "%s %s", text_claim(claims, "iss"), text_claim(claims, "sub"));
	sha256(strbuf_cstr(&id), id.n, hash);
	hex_encode(hash_hex, hash, 4);

	{
		const char *names[] = {text_claim(claims, first->name), text_claim(claims, "name"),
				       given[0] ? full : "", username, local};

		/* a username that is an address shows its local part alone: others need not see the rest */
		for (size_t i = 0; i < COUNT_OF(names) && utf8_blank(out->name, strlen(out->name)); i++) {
			person_clean(names[i], PERSON_NAME_POINTS, out->name, sizeof(out->name));
			if (i == 3)
				out->name[strcspn(out->name, "@")] = 0;
			if (person_misleads(out->name))
				out->name[0] = 0;
		}
		if (utf8_blank(out->name, strlen(out->name)))
			snprintf(out->name, sizeof(out->name), "user-%s", hash_hex);
	}
	{
		const char *handles[] = {text_claim(claims, first->handle), text_claim(claims, "nickname"), username,
					 local, out->name};

		for (size_t i = 0; i < COUNT_OF(handles) && !out->handle[0]; i++) {
			person_clean(handles[i], PERSON_NAME_POINTS, out->handle, sizeof(out->handle));
			out->handle[strcspn(out->handle, "@")] = 0;
			/* a wish without any letter or digit of ASCII would give "user": the next one may be better */
			if (!out->handle[strcspn(out->handle,
						 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")])
				out->handle[0] = 0;
		}
		if (!out->handle[0])
			snprintf(out->handle, sizeof(out->handle), "user-%s", hash_hex);
	}
}
