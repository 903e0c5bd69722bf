/* page: HTML by hand, every value escaped. */
#include "fcgi/page.h"
#include "lib/base/config.h"
#include <string.h>

static void add_link(struct strbuf *b, const char *href, const char *text)
{
	strbuf_adds(b, "<p><a href=\"");
	strbuf_add_markup(b, href);
	strbuf_adds(b, "\">");
	strbuf_add_markup(b, text);
	strbuf_adds(b, "</a></p>\n");
}

void page_render(struct response *r, const struct request *q, const struct page *p)
{
	struct strbuf *b = &r->body;

	strbuf_reset(b);
	r->status = p->status;
	r->type = "text/html; charset=utf-8";
	r->referrer = "no-referrer";
	if (p->retry_after_s)
		response_headerf(r, "Retry-After", "%d", p->retry_after_s);
	strbuf_adds(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		       "<meta name=\"color-scheme\" content=\"light dark\">\n"
		       "<meta name=\"robots\" content=\"noindex\">\n<title>");
	strbuf_add_markup(b, p->title);
	strbuf_adds(b, " – ");
	strbuf_add_markup(b, q->config->site.name);
	strbuf_adds(b, "</title>\n</head>\n<body>\n<main>\n<h1>");
	strbuf_add_markup(b, p->title);
	strbuf_adds(b, "</h1>\n<p>");
	strbuf_add_markup(b, p->text);
	strbuf_adds(b, "</p>\n");
	if (p->link)
		add_link(b, p->link, p->link_text);
	if (p->other)
		add_link(b, p->other, p->other_text);
	strbuf_adds(b, "<p><small>Request ");
	strbuf_add_markup(b, q->id);
	strbuf_adds(b, "</small></p>\n</main>\n</body>\n</html>\n");
}
