/* store_xml: the answers of S3, by expat. */
#include "lib/store/store_private.h"
#include <expat.h>
#include <stdio.h>
#include <string.h>

#define DEPTH_MAX 8
#define NAME_MAX_ 64
#define TEXT_MAX 4096

struct reader {
	XML_Parser parser;
	store_xml_end end;
	void *arg;
	char names[DEPTH_MAX + 1][NAME_MAX_]; /* [0]: above the root */
	int depth;
	bool stopped;       /* expat still tells the end of an element without content */
	struct strbuf text; /* of the element that was opened last */
};

static void stop(struct reader *r)
{
	r->stopped = true;
	XML_StopParser(r->parser, XML_FALSE);
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	struct reader *r = arg;

	(void)attributes;
	if (r->depth == DEPTH_MAX || strlen(name) >= NAME_MAX_) {
		stop(r);
		return;
	}
	snprintf(r->names[++r->depth], NAME_MAX_, "%s", name);
	strbuf_reset(&r->text);
}

static void on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;

	if (r->stopped)
		return;
	if (!r->text.failed) /* what is so long is of no interest */
		r->end(r->arg, r->names[r->depth - 1], name, strbuf_cstr(&r->text));
	r->depth--;
	strbuf_reset(&r->text);
}

static void on_text(void *arg, const XML_Char *s, int n)
{
	struct reader *r = arg;

	strbuf_add(&r->text, s, (size_t)n);
}

/* Entities of its own are what such a file is dangerous by; S3 has none. */
static void on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int subset)
{
	struct reader *r = arg;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)subset;
	stop(r);
}

bool store_xml(const char *p, size_t n, store_xml_end end, void *arg)
{
	struct reader r = {.parser = XML_ParserCreate("UTF-8"), .end = end, .arg = arg, .text = {.max = TEXT_MAX}};
	bool ok;

	if (!r.parser || n > ((size_t)16 << 20)) {
		XML_ParserFree(r.parser);
		return false;
	}
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	ok = XML_Parse(r.parser, p, (int)n, XML_TRUE) == XML_STATUS_OK;
	XML_ParserFree(r.parser);
	strbuf_release(&r.text);
	return ok;
}
