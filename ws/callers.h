/* callers: how many streams each address has open. One thread. */
#pragma once
#include "lib/base/base.h"
#include "lib/http/peer.h"

#define CALLER_MAX 4000 /* streams of one address: a whole office may be behind it */
#define CALLER_ADDRESS_MAX PEER_MAX

struct callers;
struct caller;

struct callers *callers_new(void);
void callers_free(struct callers **c);
bool callers_full(const struct callers *c, const char *address);
struct caller *callers_enter(struct callers *c, const char *address); /* NULL for an empty address: it is not counted */
void callers_leave(struct callers *c, struct caller **who);
