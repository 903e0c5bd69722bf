/* listener: who hears pgbench's notifications, so that the peer of `durable` does what a chat built on them does:
 * listener CONNINFO CHANNEL. Says "ready", then takes notifications until it is ended. */
#include "tests/bench/net.h"
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	char sql[128], *name;
	PGconn *c;

	if (argc != 3)
		die("usage: listener CONNINFO CHANNEL");
	c = PQconnectdb(argv[1]);
	if (PQstatus(c) != CONNECTION_OK)
		die("%s", PQerrorMessage(c));
	name = PQescapeIdentifier(c, argv[2], strlen(argv[2]));
	snprintf(sql, sizeof(sql), "LISTEN %s", name);
	PQfreemem(name);
	PQclear(PQexec(c, sql));
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct pollfd p = {PQsocket(c), POLLIN, 0};
		PGnotify *n;

		poll(&p, 1, -1);
		if (!PQconsumeInput(c))
			die("%s", PQerrorMessage(c));
		while ((n = PQnotifies(c)))
			PQfreemem(n);
	}
}
