/* person: claims into names. */
#include "lib/auth/person.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"
#include <stdio.h>
#include <string.h>

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

void person_clean(const char *in, size_t points, char *out, size_t size)
{
	size_t left = strlen(in), n = 0, count = 0;
	bool gap = false;

	while (left && count < points) {
		size_t len = sequence(in, left);
		uint32_t u = len ? utf8_decode(in, &len) : 0;

		if (len && is_space(u)) {
			gap = n > 0;
		} else if (len && !is_unwanted(u)) {
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

/* "" where the claim is absent or no string. */
static const char *text_claim(const json_t *claims, const char *name)
{
	const char *s = json_string_value(json_object_get(claims, name));

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

static void set_picture(const json_t *claims, struct person *out)
{
	const char *url = text_claim(claims, "picture");
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

void person_from_claims(const json_t *claims, struct person *out)
{
	char local[PERSON_EMAIL_MAX], full[2 * PERSON_NAME_MAX], hash_hex[17];
	const char *given = text_claim(claims, "given_name"), *family = text_claim(claims, "family_name");
	const char *username = text_claim(claims, "preferred_username");
	AUTO_STRBUF id = {.max = 4096};
	unsigned char hash[32];

	memset(out, 0, sizeof(*out));
	set_email(claims, out);
	set_picture(claims, out);
	if (!username[0])
		username = text_claim(claims, "username");
	local_part(out->email, local, sizeof(local));
	snprintf(full, sizeof(full), "%.*s %.*s", PERSON_NAME_MAX - 1, given, PERSON_NAME_MAX - 1, family);
	strbuf_addf(&id, "%s %s", text_claim(claims, "iss"), text_claim(claims, "sub"));
	sha256(strbuf_cstr(&id), id.n, hash);
	hex_encode(hash_hex, hash, 4);

	{
		const char *names[] = {text_claim(claims, "name"), given[0] ? full : "", username, local};

		/* a username that is an address shows its local part alone: others need not see the rest */
		for (size_t i = 0; i < COUNT_OF(names) && utf8_blank(out->name, strlen(out->name)); i++) {
			person_clean(names[i], PERSON_NAME_POINTS, out->name, sizeof(out->name));
			if (i == 2)
				out->name[strcspn(out->name, "@")] = 0;
		}
		if (utf8_blank(out->name, strlen(out->name)))
			snprintf(out->name, sizeof(out->name), "user-%s", hash_hex);
	}
	{
		const char *handles[] = {text_claim(claims, "nickname"), username, local, out->name};

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
