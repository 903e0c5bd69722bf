/* local_xml: expat reads, strbuf writes. */
#include "lib/store/local_xml.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include <expat.h>
#include <stdlib.h>
#include <string.h>

#define XMLNS "http://s3.amazonaws.com/doc/2006-03-01/"
#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

enum { DEPTH_ROOT = 1, DEPTH_PART, DEPTH_FIELD };

struct local_complete {
	XML_Parser parser;
	bool bad;
	int depth, seen; /* seen: fields of the part */
	enum { IN_OTHER, IN_NUMBER, IN_ETAG } in;
	char text[LOCAL_ETAG_SIZE];
	size_t text_n;
	struct local_wanted one, *parts;
	size_t n, room;
};

static void bad(struct local_complete *c)
{
	c->bad = true;
	XML_StopParser(c->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	static const char *const root = "CompleteMultipartUpload";
	const char *bare = strrchr(name, ' ');
	struct local_complete *c = arg;

	(void)attributes;
	bare = bare ? bare + 1 : name; /* without its namespace */
	c->depth++;
	c->in = IN_OTHER;
	if (c->depth > DEPTH_FIELD || (c->depth == DEPTH_ROOT && strcmp(bare, root) != 0) ||
	    (c->depth == DEPTH_PART && strcmp(bare, "Part") != 0)) {
		bad(c);
		return;
	}
	if (c->depth == DEPTH_PART) {
		memset(&c->one, 0, sizeof(c->one));
		c->seen = 0;
	} else if (c->depth == DEPTH_FIELD) {
		c->text_n = 0;
		c->in = !strcmp(bare, "PartNumber") ? IN_NUMBER : !strcmp(bare, "ETag") ? IN_ETAG : IN_OTHER;
	}
}

static void take_field(struct local_complete *c)
{
	int64_t number;

	c->text[c->text_n] = 0;
	if (c->in == IN_NUMBER) {
		if (!int_parse(c->text, c->text_n, STORE_PARTS_MAX, &number) || number < 1) {
			bad(c);
			return;
		}
		c->one.number = (int)number;
		c->seen |= 1;
	} else if (c->in == IN_ETAG) {
		memcpy(c->one.etag, c->text, c->text_n + 1);
		c->seen |= 2;
	}
	c->in = IN_OTHER;
}

static void on_end(void *arg, const XML_Char *name)
{
	struct local_complete *c = arg;

	(void)name;
	if (c->depth == DEPTH_FIELD)
		take_field(c);
	else if (c->depth == DEPTH_PART) {
		if (c->seen != 3 || c->n == STORE_PARTS_MAX) {
			bad(c);
			return;
		}
		if (c->n == c->room) {
			c->room = c->room ? c->room * 2 : 64;
			c->parts = xrealloc(c->parts, c->room * sizeof(*c->parts));
		}
		c->parts[c->n++] = c->one;
	}
	c->depth--;
}

static void on_text(void *arg, const XML_Char *s, int n)
{
	struct local_complete *c = arg;

	if (c->in == IN_OTHER)
		return;
	if ((size_t)n >= sizeof(c->text) - c->text_n) {
		bad(c);
		return;
	}
	memcpy(c->text + c->text_n, s, (size_t)n);
	c->text_n += (size_t)n;
}

/* Entities are what an XML parser can be driven mad with. */
static void on_doctype(void *arg, const XML_Char *name, const XML_Char *system, const XML_Char *public, int internal)
{
	(void)name;
	(void)system;
	(void)public;
	(void)internal;
	bad(arg);
}

struct local_complete *local_complete_new(void)
{
	struct local_complete *c = xcalloc(1, sizeof(*c));

	c->parser = XML_ParserCreateNS("UTF-8", ' ');
	if (!c->parser)
		abort();
	XML_SetUserData(c->parser, c);
	XML_SetElementHandler(c->parser, on_start, on_end);
	XML_SetCharacterDataHandler(c->parser, on_text);
	XML_SetStartDoctypeDeclHandler(c->parser, on_doctype);
	return c;
}

void local_complete_free(struct local_complete **cp)
{
	struct local_complete *c = *cp;

	if (!c)
		return;
	XML_ParserFree(c->parser);
	free(c->parts);
	free(c);
	*cp = NULL;
}

enum s3_err local_complete_add(struct local_complete *c, const char *p, size_t n, bool last)
{
	if (c->bad || XML_Parse(c->parser, p, (int)n, last) != XML_STATUS_OK || c->bad || (last && !c->n)) {
		c->bad = true;
		return S3_BAD_XML;
	}
	return S3_OK;
}

const struct local_wanted *local_complete_parts(const struct local_complete *c, size_t *n)
{
	*n = c->n;
	return c->parts;
}

/* ---- what is said */

static void element(struct strbuf *b, const char *name, const char *text)
{
	strbuf_addf(b, "<%s>", name);
	strbuf_add_markup(b, text);
	strbuf_addf(b, "</%s>", name);
}

static void address(struct strbuf *b, const char *bucket, const char *key)
{
	element(b, "Bucket", bucket);
	element(b, "Key", key);
}

void local_xml_initiated(struct strbuf *b, const char *bucket, const char *key, const char *upload)
{
	strbuf_adds(b, HEAD "<InitiateMultipartUploadResult xmlns=\"" XMLNS "\">");
	address(b, bucket, key);
	element(b, "UploadId", upload);
	strbuf_adds(b, "</InitiateMultipartUploadResult>\n");
}

void local_xml_parts(struct strbuf *b, const char *bucket, const char *key, const char *upload,
		     const struct local_part *parts, size_t n, int after, size_t max)
{
	char etag[LOCAL_ETAG_SIZE], time[TIME_TEXT_MAX];
	size_t from = 0, to;

	while (from < n && parts[from].number <= after)
		from++;
	to = MIN_OF(from + max, n);
	strbuf_adds(b, HEAD "<ListPartsResult xmlns=\"" XMLNS "\">");
	address(b, bucket, key);
	element(b, "UploadId", upload);
	strbuf_addf(b,
		    "<StorageClass>STANDARD</StorageClass><PartNumberMarker>%d</PartNumberMarker>"
		    "<NextPartNumberMarker>%d</NextPartNumberMarker><MaxParts>%zu</MaxParts>"
		    "<IsTruncated>%s</IsTruncated>",
		    after, to > from ? parts[to - 1].number : after, max, to < n ? "true" : "false");
	for (size_t i = from; i < to; i++) {
		local_etag(parts[i].sha256, 0, etag);
		time_text(parts[i].at_ns / 1000, time);
		strbuf_addf(b, "<Part><LastModified>%s</LastModified><PartNumber>%d</PartNumber>", time,
			    parts[i].number);
		element(b, "ETag", etag);
		strbuf_addf(b, "<Size>%lld</Size></Part>", (long long)parts[i].size);
	}
	strbuf_adds(b, "</ListPartsResult>\n");
}

void local_xml_completed(struct strbuf *b, const char *location, const char *bucket, const char *key,
			 const struct local_meta *m)
{
	char etag[LOCAL_ETAG_SIZE];

	local_etag(m->sha256, m->parts, etag);
	strbuf_adds(b, HEAD "<CompleteMultipartUploadResult xmlns=\"" XMLNS "\">");
	element(b, "Location", location);
	address(b, bucket, key);
	element(b, "ETag", etag);
	strbuf_adds(b, "</CompleteMultipartUploadResult>\n");
}
