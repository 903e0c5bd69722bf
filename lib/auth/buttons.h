/* buttons: what the sign-in page offers, from the setting oidc.buttons: "id:Label:fidp, …". Any thread. */
#pragma once
#include "lib/base/err.h"

#define BUTTONS_MAX 16
#define BUTTON_ID_MAX 33
#define BUTTON_LABEL_MAX 161 /* 40 characters */
#define BUTTON_FIDP_MAX 129

struct button {
	char id[BUTTON_ID_MAX];       /* [a-z0-9-], for `provider` of /auth/login */
	char label[BUTTON_LABEL_MAX]; /* for a person */
	char fidp[BUTTON_FIDP_MAX];   /* sent to the provider as is; empty: not sent */
};
struct buttons {
	size_t n;
	struct button at[BUTTONS_MAX];
};

/* text: the setting; empty gives none. -1: ERR_BAD_FIELD, field "buttons". */
MUST_CHECK int buttons_parse(const char *text, struct buttons *out, struct err *e);
/* NULL where there is none of that id (NULL: nobody asked for one). */
const struct button *buttons_find(const struct buttons *b, const char *id);
