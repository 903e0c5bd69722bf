/* cgi: the same handlers as a plain CGI program (RFC 3875), for hosts without FastCGI: a process and a database
 * connection per request. Slow, and it stops nothing from working. */
#pragma once
#include "lib/base/base.h"
struct config;

/* True where this process was started for one request. */
bool cgi_is(void);
/* True where the web server may have made the command line from the query (RFC 3875, 4.4): it must not be looked at. */
bool cgi_arguments_suspect(void);
/* Answers the request and returns the exit status. config NULL: answers that it could not be read. */
int cgi_serve(const struct config *c);
