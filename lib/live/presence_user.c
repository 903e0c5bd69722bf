/* presence_user: the users who are there by this process, and their instances. */
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/live/presence_private.h"
#include <stdlib.h>
#include <string.h>

#define INSTANCES_MAX 200 /* of one user; further ones share one */

/* ---- users */

static int64_t grace_end(const struct presence *p, const struct presence_instance *i)
{
	return MAX_OF(i->ended, i->until) + p->config->presence.grace;
}

static bool is_there(const struct presence_instance *i, int64_t now)
{
	return !i->gone && ((i->streams && !i->left) || i->until > now);
}

int64_t presence_user_end(const struct presence *p, const struct presence_user *who, int64_t now)
{
	const struct presence_instance *i;
	int64_t end = 0;

	LIST_FOREACH(i, &who->instances, list)
	{
		if (is_there(i, now))
			return INT64_MAX;
		if (!i->gone)
			end = MAX_OF(end, grace_end(p, i));
	}
	return end;
}

int64_t presence_user_at(const struct presence_user *who)
{
	const struct presence_instance *i;
	int64_t at = who->at;

	LIST_FOREACH(i, &who->instances, list)
	at = MAX_OF(at, i->at);
	return at;
}

void presence_user_dirty(struct presence *p, struct presence_user *who, int64_t now)
{
	if (who->dirty)
		return;
	if (TAILQ_EMPTY(&p->dirty))
		p->dirty_since = now;
	who->dirty = true;
	TAILQ_INSERT_TAIL(&p->dirty, who, dirty_link);
}

void presence_user_clean(struct presence *p, struct presence_user *who)
{
	if (who->dirty)
		TAILQ_REMOVE(&p->dirty, who, dirty_link);
	who->dirty = false;
}

struct presence_user *presence_user_find(struct presence *p, int64_t user)
{
	struct presence_user *who;

	HASH_FIND(hh, p->people, &user, sizeof(user), who);
	return who;
}

static struct presence_user *presence_user_enter(struct presence *p, int64_t user)
{
	struct presence_user *who = presence_user_find(p, user);

	if (who)
		return who;
	who = xcalloc(1, sizeof(*who));
	who->user = user;
	who->at = who->input = who->said_at = PRESENCE_NEVER;
	LIST_INIT(&who->instances);
	HASH_ADD(hh, p->people, user, sizeof(who->user), who);
	return who;
}

void presence_user_forget(struct presence *p, struct presence_user *who)
{
	presence_user_clean(p, who);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(p->people, who);
	free(who);
}

/* ---- instances */

void presence_instance_forget(struct presence *p, struct presence_instance *i)
{
	struct presence_user *who = i->who;

	who->at = MAX_OF(who->at, i->at);
	who->instances_n--;
	LIST_REMOVE(i, list);
	// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
	HASH_DEL(p->instances, i);
	free(i);
}

static bool key_of(int64_t user, int64_t session, const char *uuid, struct presence_key *key)
{
	memset(key, 0, sizeof(*key));
	key->user = user;
	if (uuid)
		return uuid_parse(uuid, strlen(uuid), key->uuid);
	memcpy(key->uuid + 8, &session, sizeof(session));
	return true;
}

struct presence_instance *presence_instance_find(struct presence *p, int64_t user, int64_t session, const char *uuid)
{
	struct presence_instance *i;
	struct presence_key key;

	if (!key_of(user, session, uuid, &key))
		return NULL;
	HASH_FIND(hh, p->instances, &key, sizeof(key), i);
	return i;
}

/* Those whose grace is over. Where none is left, what they knew of input has gone with his lease. */
void presence_user_expire(struct presence *p, struct presence_user *who, int64_t now)
{
	struct presence_instance *i, *next;

	for (i = LIST_FIRST(&who->instances); i; i = next) {
		next = LIST_NEXT(i, list);
		if (!i->streams && !is_there(i, now) && grace_end(p, i) <= now)
			presence_instance_forget(p, i);
	}
	if (LIST_EMPTY(&who->instances)) {
		who->at = who->said_at = PRESENCE_NEVER;
		who->idle = false;
	}
}

struct presence_instance *presence_instance_enter(struct presence *p, int64_t user, int64_t session, const char *uuid,
						  int64_t now)
{
	struct presence_user *who = presence_user_enter(p, user);
	struct presence_instance *i;

	presence_user_expire(p, who, now);
	i = presence_instance_find(p, user, session, uuid);
	if (!i && who->instances_n >= INSTANCES_MAX) {
		uuid = NULL;
		i = presence_instance_find(p, user, session, uuid);
	}
	if (!i) {
		i = xcalloc(1, sizeof(*i));
		if (!key_of(user, session, uuid, &i->key))
			abort(); /* checked when the request was read */
		i->at = PRESENCE_NEVER;
		i->who = who;
		LIST_INSERT_HEAD(&who->instances, i, list);
		who->instances_n++;
		HASH_ADD(hh, p->instances, key, sizeof(i->key), i);
	}
	i->session = session;
	i->began = now;
	i->left = i->gone = false;
	return i;
}

void presence_user_changed(struct presence *p, struct presence_user *who, int64_t now)
{
	if ((presence_user_end(p, who, now) == INT64_MAX) != who->there)
		presence_user_dirty(p, who, now);
}

void presence_user_look(struct presence_user *who, int64_t at)
{
	who->look_at = who->look_at ? MIN_OF(who->look_at, at) : at;
}
