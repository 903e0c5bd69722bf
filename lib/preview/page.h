/* page: what an HTML page says of itself. */
#pragma once
#include "lib/base/strbuf.h"

#define PAGE_TITLE_MAX 200 /* code points */
#define PAGE_DESCRIPTION_MAX 300
#define PAGE_SITE_MAX 80

/* Plain text in one line, valid UTF-8 without control, direction and invisible characters, cut with an ellipsis; empty
 * where it says nothing. */
struct page {
	struct strbuf title, description, site;
};

/* Reads the head of a page, or of its beginning. charset: as the answer's type says, NULL: it does not. */
void page_read(struct page *p, const char *html, size_t n, const char *charset);
void page_release(struct page *p);
/* Appends text (any bytes) as such a line of at most max code points. */
void page_clean(struct strbuf *b, const char *text, size_t max);
