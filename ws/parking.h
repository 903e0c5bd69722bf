/* parking: notices that the client of a parked request (a poll, an event stream) has gone, or sends more behind
 * it. libwebsockets 4.1.6 sees
 * neither, and spins until the answer goes out. Loop thread. */
#pragma once
#include "ws/realtime.h"

struct parking;

/* gone: the client has closed; hurry: it has sent more. The conn has been removed before. */
struct parking *parking_new(struct realtime *rt, void (*gone)(struct conn *c), void (*hurry)(struct conn *c));
void parking_close(struct parking **p); /* its handle closes in the loop's next turn */
void parking_add(struct parking *p, struct conn *c, int fd);
void parking_remove(struct parking *p, int fd);
