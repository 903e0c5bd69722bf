/* peer: whose request this is: the client's address, from what the web server says of it. Any thread. */
#pragma once
#include "lib/base/base.h"
#include <netinet/in.h>

#define PEER_MAX INET6_ADDRSTRLEN

/* The nearest address that no trusted proxy has: from `remote` back through the list of X-Forwarded-For, in its one
 * text form, an IPv4 address mapped into IPv6 as IPv4. remote NULL: a Unix socket, which is trusted. trusted: addresses
 * with blanks or commas between. Where the list ends with trusted ones, the last of them; "" where nothing is known.
 * Returns whether it is a client's own: no proxy's. */
bool peer_find(const char *trusted, const char *remote, const char *forwarded, char out[PEER_MAX]);
