/* audience: two hashes, user to memberships and channel to present members. */
#include "lib/live/audience.h"
#include <stdlib.h>
#include <string.h>

struct channel {
	int64_t id;
	struct audience_member *members;
	size_t n, cap;
	UT_hash_handle hh;
};

struct audience {
	struct live_user *users;
	struct channel *channels;
	struct live_user *idle_first, *idle_last;
	size_t idle_n;
};

struct audience *audience_new(void)
{
	return xcalloc(1, sizeof(struct audience));
}

void audience_free(struct audience **a)
{
	struct live_user *u, *next;

	if (!*a)
		return;
	HASH_ITER(hh, (*a)->users, u, next)
	{
		struct live_user *gone = u;

		audience_forget(*a, &gone);
	}
	free(*a);
	*a = NULL;
}

/* ---- channels */

static struct channel *channel_find(const struct audience *a, int64_t id)
{
	struct channel *c;

	HASH_FIND(hh, a->channels, &id, sizeof(id), c);
	return c;
}

/* Returns where u stands among the channel's. */
static size_t channel_add(struct audience *a, int64_t id, struct live_user *u, int64_t since, int64_t first_seq)
{
	struct channel *c = channel_find(a, id);

	if (!c) {
		c = xcalloc(1, sizeof(*c));
		c->id = id;
		HASH_ADD(hh, a->channels, id, sizeof(c->id), c);
	}
	if (c->n == c->cap) {
		c->cap = MAX_OF((size_t)4, c->cap * 2);
		c->members = xrealloc(c->members, c->cap * sizeof(*c->members));
	}
	c->members[c->n] = (struct audience_member){u, since, first_seq};
	return c->n++;
}

static size_t position(const struct live_user *u, int64_t channel, bool *found);

/* The last of the channel moves into the place that becomes free. */
static void channel_remove(struct audience *a, const struct membership *m)
{
	struct channel *c = channel_find(a, m->channel);
	struct live_user *moved = c->members[--c->n].user;
	bool found;
	size_t at = position(moved, m->channel, &found);

	c->members[m->at] = c->members[c->n];
	if (found)
		moved->memberships[at].at = m->at;
	if (c->n == 0) {
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
		HASH_DEL(a->channels, c);
		free(c->members);
		free(c);
	}
}

/* ---- memberships */

/* Where channel stands, or would. */
static size_t position(const struct live_user *u, int64_t channel, bool *found)
{
	size_t low = 0, high = u->memberships_n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (u->memberships[mid].channel < channel)
			low = mid + 1;
		else
			high = mid;
	}
	*found = low < u->memberships_n && u->memberships[low].channel == channel;
	return low;
}

void audience_join(struct audience *a, struct live_user *u, int64_t channel, int64_t since, int64_t first_seq)
{
	bool found;
	size_t at = position(u, channel, &found);

	if (found) {
		struct audience_member *m = &channel_find(a, channel)->members[u->memberships[at].at];

		u->memberships[at].since = m->since = since;
		u->memberships[at].first_seq = m->first_seq = first_seq;
		return;
	}
	if (u->memberships_n == u->memberships_cap) {
		u->memberships_cap = MAX_OF((size_t)8, u->memberships_cap * 2);
		u->memberships = xrealloc(u->memberships, u->memberships_cap * sizeof(*u->memberships));
	}
	memmove(&u->memberships[at + 1], &u->memberships[at], (u->memberships_n - at) * sizeof(*u->memberships));
	u->memberships[at] =
		(struct membership){channel, since, first_seq, channel_add(a, channel, u, since, first_seq)};
	u->memberships_n++;
}

void audience_leave(struct audience *a, struct live_user *u, int64_t channel)
{
	bool found;
	size_t at = position(u, channel, &found);

	if (!found)
		return;
	channel_remove(a, &u->memberships[at]);
	u->memberships_n--;
	memmove(&u->memberships[at], &u->memberships[at + 1], (u->memberships_n - at) * sizeof(*u->memberships));
}

int64_t audience_since(const struct live_user *u, int64_t channel)
{
	bool found;
	size_t at = position(u, channel, &found);

	return found ? u->memberships[at].since : -1;
}

bool audience_sees(const struct live_user *u, int64_t channel, int64_t id, char kind, int64_t subject)
{
	bool found;
	size_t at = position(u, channel, &found);

	return found && u->memberships[at].since < id && u->memberships[at].first_seq <= audience_about(kind, subject);
}

const struct audience_member *audience_of(const struct audience *a, int64_t channel, size_t *n)
{
	struct channel *c = channel_find(a, channel);

	*n = c ? c->n : 0;
	return c ? c->members : NULL;
}

/* ---- users */

struct live_user *audience_find(const struct audience *a, int64_t user)
{
	struct live_user *u;

	HASH_FIND(hh, a->users, &user, sizeof(user), u);
	return u;
}

struct live_user *audience_enter(struct audience *a, int64_t user)
{
	struct live_user *u = audience_find(a, user);

	if (u)
		return u;
	u = xcalloc(1, sizeof(*u));
	u->id = user;
	u->idle_since = -1;
	HASH_ADD(hh, a->users, id, sizeof(u->id), u);
	return u;
}

void audience_unload(struct audience *a, struct live_user *u)
{
	for (size_t i = 0; i < u->memberships_n; i++)
		channel_remove(a, &u->memberships[i]);
	free(u->memberships);
	u->memberships = NULL;
	u->memberships_n = u->memberships_cap = 0;
	u->loaded = false;
}

void audience_forget(struct audience *a, struct live_user **u)
{
	audience_wake(a, *u);
	audience_unload(a, *u);
	HASH_DEL(a->users, *u);
	free(*u);
	*u = NULL;
}

struct live_user *audience_next(const struct audience *a, struct live_user *u)
{
	return u ? u->hh.next : a->users;
}

size_t audience_users(const struct audience *a)
{
	return HASH_COUNT(a->users);
}

/* ---- the idle */

void audience_idle(struct audience *a, struct live_user *u, int64_t now)
{
	audience_wake(a, u);
	u->idle_since = now;
	u->prev = a->idle_last;
	u->next = NULL;
	*(a->idle_last ? &a->idle_last->next : &a->idle_first) = u;
	a->idle_last = u;
	a->idle_n++;
}

void audience_wake(struct audience *a, struct live_user *u)
{
	if (u->idle_since < 0)
		return;
	*(u->prev ? &u->prev->next : &a->idle_first) = u->next;
	*(u->next ? &u->next->prev : &a->idle_last) = u->prev;
	u->prev = u->next = NULL;
	u->idle_since = -1;
	a->idle_n--;
}

struct live_user *audience_oldest_idle(const struct audience *a)
{
	return a->idle_first;
}

size_t audience_idle_count(const struct audience *a)
{
	return a->idle_n;
}
