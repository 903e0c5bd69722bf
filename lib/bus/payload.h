/* payload: the lines of a notification (sql/functions/10_stream.sql): `<event id> <kind> <channel> <audience> <subject>
 * <json>`. They route an event without a look into its JSON. Any thread. */
#pragma once
#include "lib/base/base.h"

#define EVENT_ID_MAX (((int64_t)1 << 53) - 1)

/* AUDIENCE_EVERYONE: but guests; AUDIENCE_ALL: guests too; above 0: one user */
enum { AUDIENCE_MEMBERS = 0, AUDIENCE_EVERYONE = -1, AUDIENCE_ALL = -2 };

enum event_kind { /* what a process has to do itself; any other letter is passed on */
		  EVENT_PASS = 'p',
		  EVENT_MESSAGE = 'm',
		  EVENT_JOIN = 'j',       /* subject: the user */
		  EVENT_LEAVE = 'l',      /* subject: the user */
		  EVENT_REVOKE = 'x',     /* audience: the user; subject: the session, 0 for all */
		  EVENT_DEACTIVATE = 'd', /* subject: the user */
		  EVENT_GUEST = 'g',      /* subject: the user, who is a guest from here on */
		  EVENT_NO_GUEST = 'n',   /* subject: the user, who is none any more */
		  EVENT_REDACT = 'r',     /* subject: the seq of the message whose text is gone */
		  EVENT_ABOUT = 'a',      /* subject: the seq of the message that it is about */
		  EVENT_FETCH = 'f',      /* too large for a notification: it stands in the log */
		  EVENT_STATE = 's',      /* id 0, not logged, to the audience's instances */
		  /* id 0, and each process picks out what it needs (doc/events.md, section 3): */
		  EVENT_PRESENCE = 'w', /* subject: the user whose presence it is */
		  EVENT_TYPING = 'y',   /* subject: who types; audience: the last seq that he knew of, 0: unknown;
					 * json may name a thread */
		  EVENT_MARK = 'k',     /* subject: whose read mark in the channel it is */
		  EVENT_INTEREST = 'o', /* audience: the user, for a stream of his by its instance */
		  EVENT_BEACON = 'b',   /* subject: the user of whom an instance says something */
		  EVENT_TEST = 't',     /* id 0: a process's own round trip; subject: its number */
		  EVENT_MISSING = '?',  /* never on the bus: an id that the log does not hold any more */
};

struct event {
	int64_t id; /* 0: not logged */
	int64_t channel, audience, subject;
	struct span json; /* the whole line for clients, no line end; empty for fetch and test; borrowed */
	char kind;
};

/* Takes the next line off *rest. 1: *out is set; 0: nothing is left; -1: a broken line, passed over. */
int payload_next(struct span *rest, struct event *out);

/* The cursor of a line that starts `{"type":"…","cursor":"…"`, as every line with a cursor does; false for others.
 * Borrowed. */
bool event_line_cursor(struct span json, struct span *cursor);
/* Where the text behind `{"type":"…","cursor":"…",` starts, 0 where the line does not start so. mark (may be NULL) gets
 * the epoch's mark in the cursor, borrowed. */
size_t event_line_tail(struct span json, struct span *mark);
/* The first_seq of a line of kind j: the lowest seq that who joins may see. 1 where it says none. */
int64_t event_line_first_seq(struct span json);
/* The root of the thread that a line of kind y names. 0: none, the channel's line is meant. */
int64_t event_line_thread(struct span json);
