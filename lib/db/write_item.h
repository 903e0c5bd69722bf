/* write_item: one thing for the writer to store (lib/db/writer.h), and what became of it. */
#pragma once
#include "lib/base/err.h"

enum write_status { /* as write_batch() numbers them */
		    WRITE_STORED = 0,
		    WRITE_AGAIN = 1, /* stored before under this client id; seq and id are the first one's */
		    WRITE_REUSED,
		    WRITE_NOT_A_MEMBER,
		    WRITE_NO_CHANNEL,
		    WRITE_DEFERRED,
		    WRITE_TWICE_IN_BATCH,
		    WRITE_ARCHIVED,
		    WRITE_BAD_KIND,
		    WRITE_STALE_EPOCH,
		    WRITE_MUTED,
		    WRITE_NOT_ATTACHABLE,
		    WRITE_NO_ROOT, /* these three of a reply */
		    WRITE_ROOT_IS_REPLY,
		    WRITE_ROOT_DELETED,
		    WRITE_CALL_FORBIDDEN, /* these four of one that calls */
		    WRITE_NO_GROUP,
		    WRITE_TOO_MANY,
		    WRITE_NOT_CALLED_HERE,
		    WRITE_NO_QUOTED,
		    WRITE_NO_ORIGINAL, /* these two of what is forwarded */
		    WRITE_ORIGINAL_DELETED,
};

struct write_item {
	/* set by the submitter; strings are malloc()ed and belong to the item */
	char kind; /* 's' send */
	int64_t channel, sender;
	unsigned char client_id[16], digest[16];
	int64_t epoch; /* encryption epoch, -1: not encrypted */
	char *body;    /* JSON text */
	size_t body_n;
	char *tail; /* the event's line behind created_at (lib/chat/message.h) */
	size_t tail_n;
	int64_t *named; /* users whom it names, each once; NULL: none */
	size_t named_n;
	int64_t *calls; /* what calls several, each once, as lib/chat/mention.h numbers it; NULL: nothing */
	size_t calls_n;
	int64_t *files; /* files that it bears, each once; NULL: none. What of them is told is known to the database
			   alone */
	size_t files_n;
	int64_t refs[4]; /* messages that it quotes or forwards, in pairs: the channel, 0 where it is quoted, and seq */
	size_t refs_n;   /* numbers in there. What is told of them is known to the database alone */
	int64_t root;    /* of a reply: the seq of what it replies to, below 0 in the channel's line too; 0: no reply */
	/* Called once from the writer's thread, from writer_ready() or writer_tick(), never from writer_submit(). Owns
	 * the item from then on. ok: seq, id, event, at_us are set; else err is. */
	void (*done)(struct write_item *item, void *arg);
	void *arg;

	/* the outcome */
	bool ok;
	bool again; /* not stored now, but before */
	int64_t seq, id;
	int64_t event; /* event id; 0 where again */
	int64_t at_us; /* created_at; 0 where again */
	struct err err;

	/* the writer's own */
	struct write_item *next;
	int64_t deadline;
	bool alone, deferred;
};

struct write_item *write_item_new(void);
void write_item_free(struct write_item **i);
/* One of its own with the same content, queued nowhere. */
struct write_item *write_item_copy(const struct write_item *i);

/* What the sender is told where an item was not stored. until_us: of WRITE_MUTED, when that ends; 0: never. */
void write_refusal(int status, int64_t until_us, struct err *e);
