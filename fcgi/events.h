/* events: polls that wait without a thread. One thread of the process runs lib/live for all of them; it and its
 * database connections start with the first poll. A worker makes a parked poll of a request that it has authorised and
 * hands it over with its connection. */
#pragma once
#include "fcgi/request.h"
#include "lib/chat/interests.h"
#include "lib/live/live.h"
struct config;
struct events;
struct parked;

struct events *events_new(const struct config *c); /* starts nothing yet */
/* All that is parked is answered and told to come back; who comes now is refused. */
void events_drain(struct events *ev);
/* Ends the thread within ms, or returns false: its memory is left alone. */
bool events_stop(struct events **ev, int64_t ms);

/* --- any thread */

/* What the thread has seen of the log, to be taken before a session is looked up. */
struct live_place events_here(struct events *ev);

/* What is asked for. */
struct poll_request {
	bool has_cursor, has_instance;
	struct cursor cursor;
	int64_t reads, drafts; /* as of receiver_asks() */
	char instance[37];
	int64_t wait_ms;
	bool active; /* brings input */
	struct interests interests;
};
/* Takes one of the [api] parked places, or ERR_UNAVAILABLE with the time until one is free. seen: events_here(). */
MUST_CHECK int events_reserve(struct events *ev, const struct request *q, const struct poll_request *asked,
			      struct live_place seen, struct parked **out, struct err *e);
/* Takes p and the connection's descriptor over. request_id: FastCGI's. */
void events_park(struct parked *p, int fd, int request_id);
/* Gives the place back. */
void events_release(struct parked **p);

enum events_bus { EVENTS_OFF, EVENTS_HEARS, EVENTS_DEAF }; /* off: no poll yet */
enum events_bus events_bus(struct events *ev);
/* Polls that have all there was and wait for more, as of a tenth of a second ago. */
size_t events_waiting(struct events *ev);
