/* acting: who acts, and how, for what is judged by his role and kept in the audit log. */
#pragma once
#include "lib/base/base.h"

struct acting {
	int64_t user;                  /* 0: the pulsechat command, which stands where an owner does */
	bool admin;                    /* a role of owner or admin counts; a token may lack the scope for it */
	const char *request, *address; /* ids of the request and the client; NULL or "": unknown. Borrowed */
};
/* By the pulsechat command. */
#define ACTING_COMMAND ((struct acting){.admin = true})
