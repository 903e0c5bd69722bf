/* guard: which addresses the server asks for what members of it say: none that is not everyone's (server-side request
 * forgery). */
#pragma once
#include "lib/base/err.h"
#include <sys/socket.h>

#define GUARD_PORTS_MAX 16
#define GUARD_ALLOW_MAX 16

struct guard {
	int ports[GUARD_PORTS_MAX];
	size_t ports_n;
	struct guard_exact {
		struct sockaddr_storage address;
	} allow[GUARD_ALLOW_MAX];
	size_t allow_n;
};

/* Reads [previews] ports and allow. ERR_BAD_FIELD: field is the key, detail what is wrong. */
MUST_CHECK int guard_read(struct guard *g, const char *ports, const char *allow, struct err *e);
/* True where some address at that port may be asked. */
bool guard_port(const struct guard *g, int port);
/* True where this very address and port may be: a public unicast one at one of the ports, or one that is allowed
 * exactly. */
bool guard_address(const struct guard *g, const struct sockaddr *a);
/* True for addresses of the internet at large (IANA's special-purpose registries): global unicast, and none in which a
 * private IPv4 one may be hidden (mapped, NAT64, 6to4, Teredo). */
bool guard_public(const struct sockaddr *a);
