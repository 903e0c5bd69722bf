/* callers: a counted hash of addresses. */
#include "ws/callers.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct caller {
	size_t n;
	UT_hash_handle hh;
	char address[CALLER_ADDRESS_MAX];
};

struct callers {
	struct caller *all;
};

struct callers *callers_new(void)
{
	return xcalloc(1, sizeof(struct callers));
}

void callers_free(struct callers **c)
{
	struct caller *one, *next;

	if (!*c)
		return;
	HASH_ITER(hh, (*c)->all, one, next)
	{
		HASH_DEL((*c)->all, one);
		free(one);
	}
	free(*c);
	*c = NULL;
}

static struct caller *find(const struct callers *c, const char *address)
{
	struct caller *one;

	HASH_FIND_STR(c->all, address, one);
	return one;
}

bool callers_full(const struct callers *c, const char *address)
{
	const struct caller *one = find(c, address);

	return one && one->n >= CALLER_MAX;
}

struct caller *callers_enter(struct callers *c, const char *address)
{
	struct caller *one;

	if (!*address)
		return NULL;
	one = find(c, address);
	if (!one) {
		one = xcalloc(1, sizeof(*one));
		snprintf(one->address, sizeof(one->address), "%s", address);
		HASH_ADD_STR(c->all, address, one);
	}
	one->n++;
	return one;
}

void callers_leave(struct callers *c, struct caller **who)
{
	struct caller *one = *who;

	*who = NULL;
	if (!one || --one->n)
		return;
	HASH_DEL(c->all, one);
	free(one);
}
