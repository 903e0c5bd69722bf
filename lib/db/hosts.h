/* hosts: the addresses of the servers that a dsn names. libpq asks the resolver from inside its non-blocking calls, and
 * waits for it; here threads ask, one a name, and libpq is given `hostaddr` beside `host`. One owner's thread. */
#pragma once
#include "lib/base/strbuf.h"

struct hosts;

/* Begins to look up the names among the hosts that dsn, the environment and the service file tell. *h is NULL, or of an
 * earlier call: it goes on where it has not ended and they are the same. NULL afterwards: there is no name, so libpq
 * asks no resolver. */
void hosts_look_up(struct hosts **h, const char *dsn);
/* Forgets it; a thread that still asks ends later and by itself. NULL is fine. */
void hosts_free(struct hosts **h);
/* Readable when a name has been looked up, until hosts_heard(). */
int hosts_fd(const struct hosts *h);
void hosts_heard(const struct hosts *h);

enum hosts_found {
	HOSTS_NONE, /* no server's address is known yet */
	HOSTS_SOME, /* a resolver is still asked for others */
	HOSTS_ALL,  /* of what can be found */
	HOSTS_LOST, /* no name has an address: why says of one */
};
enum hosts_found hosts_found(struct hosts *h, struct strbuf *why);

/* What is known, in the dsn's order, as libpq wants its lists. port stays empty where one is good for all. */
void hosts_lists(struct hosts *h, struct strbuf *host, struct strbuf *hostaddr, struct strbuf *port);
