/* rate: how much one session or one address may ask for, by [rate] of the configuration, each in a minute. All
 * processes of a host count together, by the table [rate] table; hosts do not. Any thread. */
#pragma once
#include "lib/base/err.h"
#include "lib/base/strbuf.h"
struct config;

struct rate;

/* Where the table cannot be had, this process counts for itself, and the log says why. */
struct rate *rate_new(const struct config *c);
void rate_free(struct rate **r);
/* Whether the table can be had; *e says why not. */
MUST_CHECK int rate_check(const struct config *c, struct err *e);

enum rate_kind {
	RATE_SESSION, /* requests and ops of one session or token */
	RATE_ADDRESS, /* requests of one address */
	RATE_LOGIN,   /* steps of signing in of one address */
	RATE_CALL,    /* messages of one person that call many: a group, who is here, a channel */
	RATE_GUESS,   /* credentials of one address that nobody has */
	RATE_KINDS
};

/* What is left, for the headers. limit 0: not limited. */
struct rate_left {
	enum rate_kind kind;
	int64_t limit, left, reset_s;
};

/* ERR_RATE_LIMITED with the time to come back after. *left (NULL is fine) is set in either case. */
MUST_CHECK int rate_session(struct rate *r, int64_t session, int64_t n, struct rate_left *left, struct err *e);
/* One message of a person's that calls many; field body.mentions. */
MUST_CHECK int rate_call(struct rate *r, int64_t user, struct err *e);
/* The same by address, as peer_find() made it; "": not known, not limited. IPv6: by /64. kind: RATE_ADDRESS or
 * RATE_LOGIN. */
MUST_CHECK int rate_address(struct rate *r, enum rate_kind kind, const char *address, struct rate_left *left,
			    struct err *e);

/* Before a credential is looked up, by its hash in hex. ERR_RATE_LIMITED: too many that nobody has came from there;
 * what was found to be one of late (rate_known) passes all the same, since many people may share an address. */
MUST_CHECK int rate_guess(struct rate *r, const char *address, const char *hash, struct rate_left *left, struct err *e);
/* After it: what came of it. */
void rate_known(struct rate *r, const char *hash);
void rate_unknown(struct rate *r, const char *address);

/* Appends the lines RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers); nothing where not limited.
 */
void rate_headers(const struct rate_left *left, struct strbuf *b);
/* Appends {"session":{"quota":…,"window":60},…}, what is limited. */
void rate_render(struct strbuf *b, const struct config *c);
