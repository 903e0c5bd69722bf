/* dberr: what a failed statement means. Logs the inner cause, fills the outer error. */
#pragma once
#include "lib/base/err.h"
#include <libpq-fe.h>

/* r may be NULL (connection gone). what: a short word for the log, usually the statement's name. Always returns -1. */
int dberr_set(struct err *e, const PGconn *c, const PGresult *r, const char *what);
/* The connection is gone, and why is for the log. Always returns -1. */
int dberr_lost(struct err *e, const char *what, const char *why);
/* True where SQLSTATE of r begins with prefix ("23", "55P03"). */
bool dberr_is(const PGresult *r, const char *prefix);
