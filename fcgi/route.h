/* route: the table of routes, and the router: it answers 400, 401, 403, 404, 405, 413 and 415; a handler sees parsed
 * ids, a known user and a checked body. */
#pragma once
#include "fcgi/request.h"
#include "fcgi/response.h"

/* 0 with the answer in r, or -1: the router makes problem+json of e. */
typedef int (*route_handler)(struct request *q, struct response *r, struct err *e);

enum need {
	NEED_NONE,  /* anyone; no credential is looked at */
	NEED_USER,  /* a live session or token with the scope; the rules of origin for cookies */
	NEED_ADMIN, /* the same of an owner or admin of the site */
};

enum input {
	INPUT_NONE,  /* no body, or an empty JSON object */
	INPUT_JSON,  /* one JSON object */
	INPUT_LINES, /* application/x-ndjson, as it is: q->body */
	INPUT_RAW,   /* anything within the limit, unread: q->body */
};

struct route {
	enum method method;
	const char *pattern; /* segments are literal, {name}: a number from 1 up, or {=name}: text, not empty */
	enum need need;
	unsigned scope; /* of enum scope; 0 for NEED_NONE */
	enum input input;
	const char *query; /* names that it takes, with commas between; "*": any */
	route_handler handler;
};

extern const struct route routes[]; /* fcgi/routes.c; ends with a NULL pattern */

struct route_match {
	const struct route *route; /* NULL: no such path, or no such method on it */
	bool path_known;
	char allow[64]; /* the methods of the path, for Allow */
};
/* Looks q's method and segments up; fills q->param. */
void route_find(const struct route *table, struct request *q, struct route_match *m);

/* Answers one request from start to end. */
void route_request(struct request *q, struct response *r);
