/* state_private: what the files of state share. state has who is to be told and when, state_read what is asked of the
 * database, state_member who is where and has read what, state_typing who types; tell says it. */
#pragma once
#include "lib/live/focus.h"
#include "lib/live/heard.h"
#include "lib/live/state.h"

#define STATE_SMALL_CHANNEL 100 /* members up to which a focus covers presence and read marks of all of them */

struct state {
	struct focus focus;
	TAILQ_HEAD(interest_list, interest) waking;
	int64_t wake_at; /* the first of them */
	/* state_read */
	struct focused_list stale;
	bool people_stale;  /* some are to be read again who are members of no small channel here */
	bool refreshing;    /* a question of nobody's is under way */
	int64_t refresh_at; /* again where nothing is heard */
	size_t asking;      /* questions under way; while they are, what the bus says is remembered: */
	struct heard heard;
	unsigned pass;
	/* state_typing */
	LIST_HEAD(, focused) typing;
	int64_t typing_at; /* when the first of those who type there is over */
	struct typing_gate *gate;
	struct { /* who types, to be told to the others */
		int64_t *users, *channels, *seqs, *threads;
		size_t n;
		int64_t at;
	} out;
	/* tell */
	struct watched **people; /* scratch */
	size_t people_cap;
	struct line *lines[8]; /* told in this turn: others may be told the same */
	size_t lines_n;
};

/* state: who is to be told, then or before; who watches a person, not faster than presence is told. */
void state_wake(struct live *l, struct interest *i, int64_t at);
void state_wake_looks(struct live *l, const struct focused *c, int64_t now);
void state_wake_watchers(struct live *l, const struct watched *p, int64_t now);

/* state_read */
void state_ask(struct live *l, struct interest *i); /* for what of its interests is not known yet */
void state_refresh(struct live *l);                 /* reads again what may be out of date */
void state_stale(struct live *l, struct focused *c);
void state_not_stale(struct live *l, struct focused *c);

/* state_member */
/* What the ring knows above an answer's head. False: it does not reach back so far. */
bool state_catch_up(struct live *l, struct focused *c);
/* Forward only. True where it is another one than before. */
bool state_set_mark(struct state *s, const struct focused *c, struct member *m, int64_t seq, int64_t delivered);
void state_mark_line(struct live *l, const struct event *ev, int64_t now);
void state_membership(struct live *l, const struct event *ev, int64_t now);

/* state_typing */
void state_typing_start(struct live *l);
void state_typing_free(struct state *s);
void state_typing_line(struct live *l, const struct event *ev, int64_t now);
void state_types_no_more(struct live *l, struct focused *c, int64_t user);
void state_typing_stop(struct focused *c); /* nobody does there, or the channel is forgotten */
void state_typing_work(struct live *l, int64_t now);
int64_t state_typing_next(const struct state *s); /* when it is to be called */

/* tell: a stream what has changed; a poll's owner that something has. Where not all can be told now it wakes again. */
void tell_stream(struct live *l, struct interest *i, int64_t now);
void tell_poll(struct live *l, struct interest *i, int64_t now);
void tell_asked(struct interest *i, int64_t now); /* its interests are new */
