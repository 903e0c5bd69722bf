/* focus: who in this process is interested in what, and what is known of it: channels that receivers look at, people
 * whose presence they are shown. A channel stays for a while after the last look, since polls come and go. Knows
 * neither the database nor lines; lib/live/state.c does. One thread. */
#pragma once
#include "lib/base/base.h"
#include "lib/live/typing.h"
#include <sys/queue.h>
#include <uthash.h>

#define FOCUS_LINGER_MS 60000 /* a channel is kept for so long after the last look at it */
#define FOCUS_LINGER_MAX 2000

struct receiver; /* lib/live/live.h */
struct interest;
struct focused;

struct watched { /* a person */
	int64_t id;
	char *json; /* his presence; NULL: not known */
	size_t json_n;
	uint64_t changed; /* when, by the count of changes */
	bool stale;       /* is to be read again */
	unsigned pass;    /* of lib/live/state_private.h: has been met in this one */
	size_t refs;
	struct focused **channels; /* the small ones that he is a member of */
	size_t channels_n, channels_cap;
	LIST_HEAD(, watch) watches;
	UT_hash_handle hh;
};

struct member { /* of a small channel */
	struct watched *person;
	int64_t seq, delivered; /* his read mark; seq -1: he shows none; delivered -1: none is shown here */
	uint64_t marked;        /* its last change */
	uint64_t joined;        /* by the count of changes; 0: before it was looked at */
	unsigned pass;          /* of lib/live/state_private.h: is in this answer */
};

enum load { LOAD_NEW, LOAD_ASKED, LOAD_DONE };

struct focused { /* a channel */
	int64_t id;
	enum load load;
	bool stale, refreshing; /* is to be read again, is being */
	bool direct, small;
	int64_t as_of; /* the log's id that it is right as of */
	int64_t members_all;
	struct member *members; /* of a small one; ascending by user */
	size_t members_n, members_cap;
	struct typing typing;
	uint64_t said; /* who types: changes, or told again */
	int64_t said_at;
	int64_t idle_since;
	LIST_HEAD(, look) looks;
	bool types; /* is among those where somebody types */
	LIST_ENTRY(focused) typing_link;
	TAILQ_ENTRY(focused) idle, stale_link;
	UT_hash_handle hh;
};

struct look { /* a receiver's at a channel */
	struct interest *interest;
	struct focused *channel;
	bool fresh; /* the whole is to be told */
	uint64_t reads_told, said_told;
	uint64_t typing_told; /* its hash; 0: nobody types */
	LIST_ENTRY(look) link;
};

enum watch_state {
	WATCH_NEW,   /* it is to be seen whether he may */
	WATCH_ASKED, /* … is being */
	WATCH_YES,
	WATCH_NO,
};

struct watch { /* a receiver's of a person */
	struct interest *interest;
	struct watched *person;
	enum watch_state state;
	bool fresh;
	LIST_ENTRY(watch) link;
};

struct interest { /* of one receiver */
	struct receiver *receiver;
	struct look *looks;
	size_t looks_n;
	struct watch *watches; /* ascending by user */
	size_t watches_n;
	/* the rest is state's (lib/live/state_private.h) */
	uint64_t told;                 /* changes of presence up to here */
	int64_t presence_at, reads_at; /* mono ms: not before */
	bool judging;
	bool known;    /* of a poll: all of it has been */
	bool differs;  /* … and is worth an answer */
	char asked[3]; /* … a digest of what is asked for */
	int64_t since; /* … mono ms when it was */
	bool wakes;
	int64_t wake_at;
	TAILQ_ENTRY(interest) wake;
};

TAILQ_HEAD(focused_list, focused);

struct focus {
	struct focused *channels;
	struct watched *people;
	struct focused_list idle;
	size_t idle_n;
	uint64_t changes; /* counted */
};

void focus_init(struct focus *f);
void focus_release(struct focus *f); /* no interests are left */

struct focused *focus_channel(const struct focus *f, int64_t id); /* NULL: nobody looks, nor has of late */
struct watched *focus_person(const struct focus *f, int64_t id);

/* What i is interested in, in place of what it was before. Looks are fresh, whatever they were; of people it stays
 * known whether they may be watched. ids: ascending, none twice. */
void focus_look(struct focus *f, struct interest *i, const int64_t *ids, size_t n, int64_t now);
void focus_watch(struct focus *f, struct interest *i, const int64_t *ids, size_t n);
struct watch *focus_find_watch(const struct interest *i, int64_t user);

/* Members of a small channel. */
struct member *focus_member(const struct focused *c, int64_t user); /* NULL: is none */
struct member *focus_add_member(struct focus *f, struct focused *c, int64_t user);
void focus_remove_member(struct focus *f, struct focused *c, int64_t user);
void focus_clear_members(struct focus *f, struct focused *c);

/* json is copied. True where it is another one than before. */
bool focus_presence(struct focus *f, struct watched *p, const char *json, size_t n);

/* Lets go of channels that nobody looks at any more. forget: called for each before it goes. */
void focus_sweep(struct focus *f, int64_t now, void (*forget)(void *arg, struct focused *c), void *arg);
