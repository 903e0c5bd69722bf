/* jx_value: a document's memory, for lib/json alone: values in the order of the text, each container in front of what
 * is in it. */
#pragma once
#include "lib/json/jx.h"

struct jx {
	enum jx_kind kind;
	uint32_t values;  /* that it takes up in the document: itself and all that is in it */
	struct span name; /* as a member; p is NULL elsewhere */
	union {
		bool truth;
		int64_t number;
		struct span text; /* of a string; of a real number as it was written: nobody needs its value */
		size_t count;     /* of members or elements */
	};
};

/* What is in a container, in order: for (v = jx_first(o); v; v = jx_next(o, v)). */
static inline const struct jx *jx_first(const struct jx *container)
{
	return container->count ? container + 1 : NULL;
}

static inline const struct jx *jx_next(const struct jx *container, const struct jx *v)
{
	const struct jx *next = v + v->values;

	return next < container + container->values ? next : NULL;
}
