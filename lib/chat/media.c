/* media: tables, and libmagic beside them. */
#include "lib/chat/media.h"
#include "lib/base/log.h"
#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum family { PICTURE = 1, SOUND, FILM };

/* What a browser shows in place. SVG is none of it: it runs scripts. */
static const struct {
	const char *type;
	enum family family;
} shown[] = {
	{"image/jpeg", PICTURE},   {"image/png", PICTURE}, {"image/gif", PICTURE}, {"image/webp", PICTURE},
	{"image/avif", PICTURE},   {"image/bmp", PICTURE}, {"audio/mpeg", SOUND},  {"audio/mp4", SOUND},
	{"audio/ogg", SOUND},      {"audio/wav", SOUND},   {"audio/webm", SOUND},  {"audio/flac", SOUND},
	{"audio/aac", SOUND},      {"video/mp4", FILM},    {"video/webm", FILM},   {"video/ogg", FILM},
	{"video/quicktime", FILM},
};

/* Other names for them, of browsers and of libmagic. */
static const struct {
	const char *alias, *type;
} aliases[] = {
	{"image/jpg", "image/jpeg"},          {"image/pjpeg", "image/jpeg"},        {"image/x-png", "image/png"},
	{"image/x-ms-bmp", "image/bmp"},      {"image/x-bmp", "image/bmp"},         {"audio/mp3", "audio/mpeg"},
	{"audio/x-mp3", "audio/mpeg"},        {"audio/x-m4a", "audio/mp4"},         {"audio/m4a", "audio/mp4"},
	{"audio/x-wav", "audio/wav"},         {"audio/wave", "audio/wav"},          {"audio/vnd.wave", "audio/wav"},
	{"audio/x-flac", "audio/flac"},       {"audio/x-aac", "audio/aac"},         {"audio/aacp", "audio/aac"},
	{"audio/x-hx-aac-adts", "audio/aac"}, {"audio/x-hx-aac-adif", "audio/aac"}, {"video/x-m4v", "video/mp4"},
	{"application/mp4", "video/mp4"},     {"application/ogg", "video/ogg"},     {"audio/vorbis", "audio/ogg"},
	{"audio/opus", "audio/ogg"},
};

/* One kind of vessel for sound and film: which of the two is in it the first bytes do not tell. */
static const struct {
	const char *type, *vessel;
} vessels[] = {
	{"audio/mp4", "mp4"},   {"video/mp4", "mp4"},   {"video/quicktime", "mp4"},
	{"video/3gpp", "mp4"},  {"audio/ogg", "ogg"},   {"video/ogg", "ogg"},
	{"audio/webm", "webm"}, {"video/webm", "webm"}, {"video/x-matroska", "webm"},
};

/* What a browser could run, or show as a page, were it told so. */
static const char *const active[] = {
	"text/html",
	"application/xhtml+xml",
	"image/svg+xml",
	"text/xml",
	"application/xml",
	"text/xsl",
	"application/xslt+xml",
	"application/rss+xml",
	"application/atom+xml",
	"application/mathml+xml",
	"multipart/related",
	"message/rfc822",
	"application/javascript",
	"application/x-javascript",
	"application/ecmascript",
	"text/javascript",
	"text/ecmascript",
	"application/wasm",
	"text/css",
	"text/cache-manifest",
	"application/x-shockwave-flash",
	"application/pdf",
	"text/pdf",
};

static const char octets[] = "application/octet-stream";

static bool is_active(const char *type)
{
	size_t n = strlen(type);

	for (size_t i = 0; i < COUNT_OF(active); i++)
		if (!strcmp(active[i], type))
			return true;
	return n > 4 && !strcmp(type + n - 4, "+xml");
}

static enum family family_of(const char *type)
{
	size_t n = strcspn(type, "; \t");

	for (size_t i = 0; i < COUNT_OF(shown); i++)
		if (strlen(shown[i].type) == n && !strncasecmp(shown[i].type, type, n))
			return shown[i].family;
	return 0;
}

static const char *vessel_of(const char *type)
{
	for (size_t i = 0; i < COUNT_OF(vessels); i++)
		if (!strcmp(vessels[i].type, type))
			return vessels[i].vessel;
	return type;
}

static void take_name(char *type)
{
	for (size_t i = 0; i < COUNT_OF(aliases); i++)
		if (!strcmp(aliases[i].alias, type)) {
			snprintf(type, STORE_TYPE_SIZE, "%s", aliases[i].type);
			return;
		}
}

/* RFC 6838, section 4.2. */
static size_t word(const char *p, size_t n)
{
	static const char marks[] = "!#$&-^_.+";
	size_t i = 0;

	while (i < n &&
	       ((p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') || (i && p[i] && strchr(marks, p[i]))))
		i++;
	return i;
}

static bool is_type(const char *p, size_t n)
{
	size_t first = word(p, n);

	return first && first < n && p[first] == '/' && first + 1 < n &&
	       word(p + first + 1, n - first - 1) == n - first - 1;
}

int media_type(struct span declared, char out[STORE_TYPE_SIZE], struct err *e)
{
	const char *end = declared.n ? memchr(declared.p, ';', declared.n) : NULL;
	size_t n = end ? (size_t)(end - declared.p) : declared.n;
	char type[STORE_TYPE_SIZE];

	while (n && strchr(" \t", declared.p[n - 1]))
		n--;
	if (n == 0) {
		snprintf(out, STORE_TYPE_SIZE, "%s", octets);
		return 0;
	}
	if (n >= sizeof(type))
		return err_set(e, ERR_BAD_FIELD, "type", "is longer than %d characters", STORE_TYPE_SIZE - 1);
	for (size_t i = 0; i < n; i++)
		type[i] = declared.p[i] >= 'A' && declared.p[i] <= 'Z' ? (char)(declared.p[i] | 0x20) : declared.p[i];
	type[n] = 0;
	if (!is_type(type, n))
		return err_set(e, ERR_BAD_FIELD, "type", "must be a media type as image/jpeg, or empty");
	take_name(type);
	memcpy(out, type, strlen(type) + 1);
	return 0;
}

bool media_is_picture(const char *type)
{
	return family_of(type) == PICTURE;
}

bool media_shown(const char *type)
{
	return family_of(type) != 0;
}

const char *media_served(const char *type)
{
	return is_active(type) ? octets : type;
}

/* ---- what the bytes say */

struct media_sniffer {
	magic_t magic;
};

struct media_sniffer *media_sniffer_new(void)
{
	struct media_sniffer *m = xcalloc(1, sizeof(*m));

	m->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_ELF);
	if (!m->magic || magic_load(m->magic, NULL) != 0) {
		log_error("media.magic", "cause=%s", log_quote(m->magic ? magic_error(m->magic) : "no memory"));
		abort();
	}
	return m;
}

void media_sniffer_free(struct media_sniffer **m)
{
	if (!*m)
		return;
	magic_close((*m)->magic);
	free(*m);
	*m = NULL;
}

static int differs(struct err *e, const char *declared, const char *found)
{
	return err_set(e, ERR_UPLOAD_DIFFERS, "type", "was declared as %.100s and is %.100s", declared, found);
}

/* An MP3 as its frames alone, or with a tag in front; libmagic knows neither for sure. */
static bool is_mpeg(const unsigned char *p, size_t n)
{
	if (n >= 10 && !memcmp(p, "ID3", 3) && p[3] < 0xff && p[4] < 0xff)
		return true;
	return n >= 4 && p[0] == 0xff && (p[1] & 0xe0) == 0xe0 && (p[1] & 0x18) != 0x08 && (p[1] & 0x06) != 0 &&
	       (p[2] & 0xf0) != 0xf0 && (p[2] & 0x0c) != 0x0c;
}

int media_judge(struct media_sniffer *m, const char *declared, const void *head, size_t n, char type[STORE_TYPE_SIZE],
		struct err *e)
{
	const char *told = n ? magic_buffer(m->magic, head, n) : "application/x-empty";
	enum family family = family_of(declared);
	char found[STORE_TYPE_SIZE];

	snprintf(found, sizeof(found), "%s", told ? told : octets);
	take_name(found);
	snprintf(type, STORE_TYPE_SIZE, "%s", declared);
	if (family == PICTURE) { /* a picture by another name is shown as what it is */
		if (!media_is_picture(found))
			return differs(e, declared, found);
		snprintf(type, STORE_TYPE_SIZE, "%s", found);
	} else if (family) {
		if (strcmp(vessel_of(found), vessel_of(declared)) != 0 &&
		    !(!strcmp(declared, "audio/mpeg") && !strcmp(found, octets) && is_mpeg(head, n)))
			return differs(e, declared, found);
	} else if (!is_active(declared) && is_active(found) &&
		   (!strncmp(declared, "image/", 6) || !strncmp(declared, "audio/", 6) ||
		    !strncmp(declared, "video/", 6))) {
		return differs(e, declared, found);
	}
	return 0;
}
