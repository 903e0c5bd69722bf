/* link: RFC 8288. */
#include "lib/http/link.h"

void link_add(struct strbuf *b, const char *target, const char *rel)
{
	strbuf_addf(b, "%s<%s>; rel=\"%s\"", b->n ? ", " : "", target, rel);
}
