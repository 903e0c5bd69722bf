/* roles: what the provider says about a person's role on this site, by the settings oidc.owners, oidc.roles and
 * oidc.claim_groups. Any thread. */
#pragma once
#include "lib/base/err.h"
#include <jansson.h>
struct config;

/* text: "role:group, role:group, …"; empty gives none. ERR_BAD_FIELD, field "roles". */
MUST_CHECK int roles_check(const char *text, struct err *e);
/* "owner", "admin", "member" or "guest", the highest there is, or NULL: nothing is said. claims: of an id_token,
 * verified. */
const char *roles_of(const struct config *c, const json_t *claims);
