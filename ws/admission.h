/* admission: lets the provider's access tokens in (lib/auth/access_jwt.h). To look one over may mean to ask the
 * provider for its keys, so a thread of libuv's pool does it; the loop goes on. */
#pragma once
#include "ws/conn.h"

struct admission;

/* Of a connection that is being authorised, whose token no session has yet: then conn_authorise() once more, or it is
 * refused. */
void admission_start(struct conn *c);
/* The connection goes before its answer; NULL is fine. */
void admission_forget(struct admission **a);
