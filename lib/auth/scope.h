/* scope: what a credential may do, and its names. Any thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"

enum scope {
	SCOPE_READ = 1,
	SCOPE_WRITE = 2,
	SCOPE_FILES = 4,    /* uploads */
	SCOPE_ADMIN = 8,    /* what its user may do as an admin; lends nobody that role */
	SCOPE_ACCOUNT = 16, /* sessions and tokens themselves: browser sessions alone, so that no token makes another */
	SCOPE_ALL = SCOPE_READ | SCOPE_WRITE | SCOPE_FILES | SCOPE_ADMIN, /* what tokens can have */
};
#define SCOPE_NAMES_MAX 4
#define SCOPE_LIST "read, write, files, admin"

/* A scope's bit by its name; 0: there is none, or none for tokens. */
unsigned scope_bit(const char *name, size_t n);
/* A list of names with one of the characters of `between` between them. False where one is unknown, or there is none.
 */
bool scope_parse(const char *list, const char *between, unsigned *out);
/* The names of those bits that tokens can have, in a fixed order; how many. */
size_t scope_names(unsigned scopes, const char *names[SCOPE_NAMES_MAX]);
/* The same as a JSON array. */
void scope_render(struct strbuf *b, unsigned scopes);
/* The first of `needed` that `has` lacks, as a word for the person: "write". */
const char *scope_missing(unsigned needed, unsigned has);
