/* events_private: what the files of events share. All but what stands under the lock is the thread's own. */
#pragma once
#include "fcgi/events.h"
#include "lib/live/polls.h"
#include "lib/live/presence.h"
#include <pthread.h>
#include <sys/queue.h>

#define EVENTS_USER_MAX 100 /* parked polls of one user in this process */

/* What a descriptor in the epoll set is of. */
struct source {
	enum { SOURCE_BELL, SOURCE_BUS, SOURCE_QUERY, SOURCE_PARKED } kind;
	int fd, events; /* -1: not watched */
};

enum parked_state {
	PARKED_NEW,     /* waits for live to be ready */
	PARKED_LOOKUP,  /* its session is being looked up again */
	PARKED_WAITING, /* in live */
	PARKED_WRITING, /* its answer goes out */
	PARKED_GONE,    /* freed at the end of the turn */
};

struct parked {
	struct live_poll poll; /* first */
	struct events *events;
	struct poll_request asked;
	char id[REQUEST_ID_MAX];
	int64_t user, session;
	struct rate_left rate;  /* what its answer tells of the session's limit */
	int64_t deadline;       /* mono ms */
	struct live_place seen; /* from before its session was looked up */
	int request_id;
	struct source source; /* of its connection */

	enum parked_state state;
	int lookups;
	struct pgconn *in; /* where its question is under way, NULL: none */
	uint64_t question;
	struct strbuf out; /* the answer as records */
	size_t out_at;
	bool dirty;
	TAILQ_ENTRY(parked) list, dirty_link;
	STAILQ_ENTRY(parked) handed;
};

struct events {
	const struct config *config;
	pthread_mutex_t lock;
	/* under the lock */
	bool started, draining, stopping;
	size_t reserved;
	size_t waiting;
	int64_t next_free; /* mono ms: when the first of the parked is answered at the latest */
	struct live_place here;
	enum events_bus bus_state;
	STAILQ_HEAD(, parked) handed_in;

	pthread_t thread;
	int bell, ep;
	struct live *live;
	struct bus *bus;
	struct pgconn *query;
	struct polls *polls;
	struct presence *presence;
	struct source bell_source, bus_source, query_source;
	TAILQ_HEAD(parked_list, parked) all, gone;
	TAILQ_HEAD(, parked) dirty;
	bool drained; /* the thread has seen `draining` */
	int64_t next_tick;
};

/* watches fd for EPOLL… events; 0: not at all */
void source_watch(struct events *ev, struct source *s, int fd, int events);

/* --- a parked poll's life (fcgi/events_parked.c) */
void parked_take(struct events *ev, struct parked *p, int64_t now); /* it has been handed in */
void parked_ready(struct parked *p, int events);                    /* its connection */
void parked_flush(struct parked *p, int64_t now);                   /* it was marked as changed: answer where due */
void parked_tick(struct parked *p, int64_t now);
void parked_stop(struct parked *p);
void parked_free(struct parked **p); /* one that is PARKED_GONE */
