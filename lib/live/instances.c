/* instances: a hash with the idle ones in a list, oldest first. */
#include "lib/live/instances.h"
#include "lib/base/codec.h"
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uthash.h>

#define IDLE_MAX 20000
#define IDLE_MS 5000

struct key {
	int64_t user; /* whose it is: a name alone may be known to others */
	unsigned char uuid[16];
	unsigned char kind;
};

struct instance {
	struct key key;
	void *holder; /* NULL: it has nothing open */
	int64_t answered, idle_since;
	UT_hash_handle hh;
	TAILQ_ENTRY(instance) idle;
};

struct instances {
	struct instance *all;
	TAILQ_HEAD(, instance) idle;
	size_t idle_n;
};

struct instances *instances_new(void)
{
	struct instances *i = xcalloc(1, sizeof(*i));

	TAILQ_INIT(&i->idle);
	return i;
}

static void forget(struct instances *i, struct instance *one)
{
	TAILQ_REMOVE(&i->idle, one, idle);
	i->idle_n--;
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(i->all, one);
	free(one);
}

void instances_free(struct instances **i)
{
	struct instance *one, *next;

	if (!*i)
		return;
	HASH_ITER(hh, (*i)->all, one, next)
	{
		HASH_DEL((*i)->all, one);
		free(one);
	}
	free(*i);
	*i = NULL;
}

struct instance *instances_enter(struct instances *i, int64_t user, const char *uuid, unsigned char kind, void *holder,
				 void **older)
{
	struct key key;
	struct instance *one;

	memset(&key, 0, sizeof(key));
	key.user = user;
	key.kind = kind;
	if (!uuid_parse(uuid, strlen(uuid), key.uuid))
		abort(); /* checked when the request was read */
	HASH_FIND(hh, i->all, &key, sizeof(key), one);
	if (!one) {
		one = xcalloc(1, sizeof(*one));
		one->key = key;
		HASH_ADD(hh, i->all, key, sizeof(one->key), one);
	} else if (!one->holder) {
		TAILQ_REMOVE(&i->idle, one, idle);
		i->idle_n--;
	}
	*older = one->holder;
	one->holder = holder;
	return one;
}

void instances_leave(struct instances *i, struct instance *who, const void *holder, int64_t answered)
{
	if (answered)
		who->answered = answered;
	if (who->holder != holder)
		return; /* a newer one has taken its place */
	who->holder = NULL;
	who->idle_since = who->answered;
	TAILQ_INSERT_TAIL(&i->idle, who, idle);
	i->idle_n++;
}

int64_t instance_answered(const struct instance *who)
{
	return who->answered;
}

void instances_sweep(struct instances *i, int64_t now)
{
	struct instance *one;

	while ((one = TAILQ_FIRST(&i->idle)) && (i->idle_n > IDLE_MAX || one->idle_since + IDLE_MS <= now))
		forget(i, one);
}
