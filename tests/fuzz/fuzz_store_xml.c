/* fuzz_store_xml: whatever a store answers: no crash, no leak, bounded texts. */
#include "lib/store/store_private.h"
#include <stdlib.h>
#include <string.h>

#define MUST(cond) ((cond) ? (void)0 : abort())

static void on_end(void *arg, const char *parent, const char *name, const char *text)
{
	size_t *ends = arg;

	MUST(strlen(parent) < 64 && name[0] && strlen(name) < 64 && strlen(text) <= 4096);
	++*ends;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t ends = 0;

	if (store_xml((const char *)data, n, on_end, &ends))
		MUST(ends > 0 || n > 4096); /* an element whose text is longer is not told */
	return 0;
}
