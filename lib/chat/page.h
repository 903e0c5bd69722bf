/* page: what a list answer bears besides its items. */
#pragma once
#include "lib/base/base.h"

#define PAGE_CURSOR_MAX 64

struct page {
	char cursor[PAGE_CURSOR_MAX]; /* the log's head as of the answer's snapshot */
};
