/* page: libxml2's parser for HTML; OpenGraph first, then Twitter's names, then HTML's own. */
#include "lib/preview/page.h"
#include "lib/base/utf8.h"
#include <libxml/HTMLparser.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

enum what { TITLE, DESCRIPTION, SITE, WHATS };

/* The lower rank wins. */
static const struct {
	const char *name;
	enum what what;
	int rank;
} names[] = {
	{"og:title", TITLE, 1},
	{"twitter:title", TITLE, 2},
	{"og:description", DESCRIPTION, 1},
	{"twitter:description", DESCRIPTION, 2},
	{"description", DESCRIPTION, 3},
	{"og:site_name", SITE, 1},
	{"application-name", SITE, 2},
};
#define RANK_ELEMENT 3 /* of <title> */
#define NODES_MAX 20000

static pthread_once_t once = PTHREAD_ONCE_INIT;

struct found {
	xmlChar *text[WHATS];
	int rank[WHATS];
	int nodes;
};

/* White space and line ends of any kind become one blank; what is invisible or turns the direction goes. Joiners stay:
 * scripts and emoji need them. */
static bool is_space(uint32_t c)
{
	return c <= ' ' || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	       c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static bool is_unwanted(uint32_t c)
{
	return (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b || c == 0x200e ||
	       c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef) ||
	       (c >= 0xe0000 && c <= 0xe0fff) || c >= 0xf0000 || (c >= 0xe000 && c <= 0xf8ff);
}

void page_clean(struct strbuf *b, const char *text, size_t max)
{
	size_t n = strlen(text), points = 0, len;
	size_t cut = b->n; /* the end of what fits with an ellipsis behind it */
	bool blank = false;

	if (!utf8_valid(text, n))
		return;
	for (const char *p = text; p < text + n; p += len) {
		uint32_t c = utf8_decode(p, &len);

		if (is_space(c)) {
			blank = points > 0;
			continue;
		}
		if (is_unwanted(c))
			continue;
		if (points + blank >= max) {
			b->n = cut;
			strbuf_adds(b, "…");
			return;
		}
		if (blank)
			strbuf_addc(b, ' ');
		points += 1U + blank;
		blank = false;
		strbuf_add(b, p, len);
		if (points < max)
			cut = b->n;
	}
}

static void offer(struct found *f, enum what what, int rank, xmlChar *text)
{
	if (!text)
		return;
	if ((f->text[what] && f->rank[what] <= rank) || !*text || utf8_blank((char *)text, strlen((char *)text))) {
		xmlFree(text);
		return;
	}
	xmlFree(f->text[what]);
	f->text[what] = text;
	f->rank[what] = rank;
}

static void take_meta(struct found *f, xmlNode *node)
{
	xmlChar *name = xmlGetProp(node, BAD_CAST "property");

	if (!name)
		name = xmlGetProp(node, BAD_CAST "name");
	for (size_t i = 0; name && i < COUNT_OF(names); i++)
		if (!strcasecmp((char *)name, names[i].name))
			offer(f, names[i].what, names[i].rank, xmlGetProp(node, BAD_CAST "content"));
	xmlFree(name);
}

/* In the order of the document, without a call within a call: pages may be nested as deep as they like. */
static void walk(struct found *f, xmlNode *root)
{
	xmlNode *node = root;

	while (node && f->nodes++ < NODES_MAX) {
		bool is = node->type == XML_ELEMENT_NODE;
		bool foreign = is && (!strcasecmp((const char *)node->name, "svg") ||
				      !strcasecmp((const char *)node->name, "math"));

		if (is && !strcasecmp((const char *)node->name, "meta"))
			take_meta(f, node);
		else if (is && !strcasecmp((const char *)node->name, "title"))
			offer(f, TITLE, RANK_ELEMENT, xmlNodeGetContent(node));
		if (is && node->children && !foreign) { /* an <svg> has titles of its own */
			node = node->children;
			continue;
		}
		while (node && node != root && !node->next)
			node = node->parent;
		node = node && node != root ? node->next : NULL;
	}
}

void page_read(struct page *p, const char *html, size_t n, const char *charset)
{
	static const size_t max[WHATS] = {PAGE_TITLE_MAX, PAGE_DESCRIPTION_MAX, PAGE_SITE_MAX};
	struct strbuf *to[WHATS] = {&p->title, &p->description, &p->site};
	struct found f = {0};
	htmlParserCtxt *x;
	xmlDoc *doc;

	memset(p, 0, sizeof(*p));
	pthread_once(&once, xmlInitParser);
	x = htmlNewParserCtxt();
	if (!x)
		return;
	/* no network, no entities of its own: HTML has none */
	doc = htmlCtxtReadMemory(x, html, (int)n, NULL, charset,
				 HTML_PARSE_RECOVER | HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
					 HTML_PARSE_COMPACT);
	if (doc)
		walk(&f, xmlDocGetRootElement(doc));
	for (int i = 0; i < WHATS; i++) {
		if (f.text[i])
			page_clean(to[i], (char *)f.text[i], max[i]);
		xmlFree(f.text[i]);
	}
	xmlFreeDoc(doc);
	htmlFreeParserCtxt(x);
}

void page_release(struct page *p)
{
	strbuf_release(&p->title);
	strbuf_release(&p->description);
	strbuf_release(&p->site);
}
