/* page: a small HTML page for a person whose sign-in did not work out. Plain by its policy: nothing inline, nothing
 * loaded. */
#pragma once
#include "fcgi/request.h"
#include "fcgi/response.h"

struct page {
	int status;
	const char *title, *text;       /* plain text, escaped here */
	const char *link, *link_text;   /* an address of the site (escaped here); "" reloads; NULL: no link */
	const char *other, *other_text; /* a second one, or NULL */
	int retry_after_s;              /* 0: nothing to say */
};

/* The page in place of what was said so far, but for headers. It bears the request id, to be found in the log by. */
void page_render(struct response *r, const struct request *q, const struct page *p);
