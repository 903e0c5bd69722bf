/* presence_private: what the files of presence share. presence has what receivers and the bus tell, presence_user who
 * is there by it, presence_lease what is said of that to the database. */
#pragma once
#include "lib/live/presence.h"
#include <sys/queue.h>
#include <uthash.h>

#define PRESENCE_BATCH 500 /* users of one statement */

/* When input was: mono ms, or one of these, which are older than any. */
#define PRESENCE_NEVER INT64_MIN      /* nothing is known */
#define PRESENCE_NONE (INT64_MIN + 1) /* it was said that there is none */

struct presence_key {
	int64_t user; /* whose it is: a name alone may be known to others */
	unsigned char uuid[16];
};

struct presence_instance {
	struct presence_key key;
	struct presence_user *who;
	int64_t session;
	size_t streams;
	int64_t began; /* the newest of its streams or polls */
	int64_t until; /* of polls: so long it is there without any stream */
	int64_t ended; /* … the newest of its streams */
	bool left;     /* it said that it goes */
	bool gone;     /* its session has ended: it counts for nothing */
	int64_t at;    /* its input, as it counts for online or away */
	LIST_ENTRY(presence_instance) list;
	UT_hash_handle hh;
};

struct presence_user {
	int64_t user;
	LIST_HEAD(, presence_instance) instances;
	size_t instances_n;
	int64_t at;       /* input of instances that are no more */
	int64_t input;    /* the last true input of all */
	bool there;       /* as was said last */
	bool dirty, idle; /* idle: what is said of input may be older than what was said before */
	bool dismissed;   /* his lease ends at once, where he has none left */
	int64_t said_at;  /* input as was said last */
	int64_t input_said;
	int64_t look_at; /* he may be away then; 0: never */
	TAILQ_ENTRY(presence_user) dirty_link;
	UT_hash_handle hh;
};

enum presence_asked { NOTHING, RENEW, WRITE, LEAVE, SWEEP, SETTINGS };

struct presence {
	const struct config *config;
	struct presence_hooks hooks;
	void *arg;
	int64_t node;
	struct presence_instance *instances;
	struct presence_user *people;
	TAILQ_HEAD(, presence_user) dirty;
	int64_t dirty_since;
	/* the statement under way */
	enum presence_asked asked;
	int64_t users[PRESENCE_BATCH];
	size_t users_n;

	bool must_renew; /* before anything else is said or judged */
	bool stopping, left;
	int64_t renew_at, sweep_at, whole_at, settings_at, look_at, retry_at, log_at;
	uint64_t rows; /* written since log_at's last */
};

/* ---- presence_lease; further, presence_tick(), _stop() and _quiet() */

void presence_lease_start(struct presence *p, int64_t now);

/* ---- presence_user */

struct presence_user *presence_user_find(struct presence *p, int64_t user);
void presence_user_forget(struct presence *p, struct presence_user *who);
/* INT64_MAX while one of his instances is there; else when the last one's grace ends, 0 where he has none. */
int64_t presence_user_end(const struct presence *p, const struct presence_user *who, int64_t now);
int64_t presence_user_at(const struct presence_user *who); /* his input, as it counts for online or away */
/* Something is to be said of him; all has been. */
void presence_user_dirty(struct presence *p, struct presence_user *who, int64_t now);
void presence_user_clean(struct presence *p, struct presence_user *who);
/* He is there or in his grace where he was not, or the other way round: that is to be said. */
void presence_user_changed(struct presence *p, struct presence_user *who, int64_t now);
/* Lets go of those of his instances whose grace is over. */
void presence_user_expire(struct presence *p, struct presence_user *who, int64_t now);
void presence_user_look(struct presence_user *who, int64_t at); /* at the latest */

/* uuid NULL: the one of the session. */
struct presence_instance *presence_instance_find(struct presence *p, int64_t user, int64_t session, const char *uuid);
struct presence_instance *presence_instance_enter(struct presence *p, int64_t user, int64_t session, const char *uuid,
						  int64_t now);
void presence_instance_forget(struct presence *p, struct presence_instance *i);
