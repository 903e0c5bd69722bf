/* person: what verified claims say about someone, as PulseChat keeps it: handle, name, picture, e-mail. All of them are
 * wishes of a provider; none identifies anybody (that is issuer and subject). Any thread. */
#pragma once
#include "lib/base/base.h"
#include <jansson.h>

#define PERSON_NAME_POINTS 80
#define PERSON_NAME_MAX (PERSON_NAME_POINTS * 4 + 1)
#define PERSON_AGENT_POINTS 200
#define PERSON_AGENT_MAX (PERSON_AGENT_POINTS * 4 + 1)
#define PERSON_URL_MAX 1025
#define PERSON_EMAIL_MAX 255

struct person {
	char handle[PERSON_NAME_MAX]; /* a wish; the database makes a free handle of it */
	char name[PERSON_NAME_MAX];   /* never empty */
	char picture[PERSON_URL_MAX]; /* an https URL, or empty */
	char email[PERSON_EMAIL_MAX]; /* or empty */
	bool email_verified;          /* true only for the JSON value true */
};

/* Which claims to look at first, by configuration; NULL or empty: none. "a.b" is b of the object a. */
struct person_claims {
	const char *name, *handle, *picture;
};
/* The claim of a name or a path, NULL where there is none. */
const json_t *person_claim(const json_t *claims, const char *path);

/* claims: an id_token's, verified; first: NULL for none. Name: that of `first`, then name, given_name and family_name,
 * given_name, username, the e-mail's local part, else "user-" and a short hash of issuer and subject; one that misleads
 * is passed over. */
void person_from_claims(const json_t *claims, const struct person_claims *first, struct person *out);

/* True for a name that is there to be taken for another: letters of several scripts that look alike within one word
 * (Latin, Greek, Cyrillic, …), or letters made of mathematical or full-width signs. */
bool person_misleads(const char *name);

/* Text for one line of at most `points` characters: without control, invisible and direction-changing characters and
 * bytes that are no UTF-8; white space becomes single blanks, none at the ends. size: at least 4 * points + 1. */
void person_clean(const char *in, size_t points, char *out, size_t size);
