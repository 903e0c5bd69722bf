/* oidc_private: what oidc.c and oidc_check.c share. */
#pragma once
#include "lib/auth/discovery.h"
#include "lib/auth/oidc.h"
struct http_answer;
struct http_request;

/* One exchange with the provider, tried again where that is safe. */
int oidc_ask(const struct http_request *q, struct http_answer *a, struct err *e);
/* Appends the provider's address for an attempt. */
int oidc_add_authorize(const struct config *c, const struct discovery *d, const struct oidc_attempt *a,
		       const struct oidc_wish *wish, struct strbuf *url, struct err *e);
/* POSTs the code. *doc: the answer's object, even beside an error. Errors as of oidc_exchange(). */
int oidc_redeem(const struct config *c, const struct discovery *d, const char *code, const char *verifier, json_t **doc,
		struct err *e);
