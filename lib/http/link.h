/* link: the Link header of a page (RFC 8288). */
#pragma once
#include "lib/base/strbuf.h"

/* Appends `<target>; rel="rel"`, after a comma where b is not empty. target is encoded already. */
void link_add(struct strbuf *b, const char *target, const char *rel);
