/* instances: open tabs and programs, by the UUID that they keep. Shows what an instance has open here, which a newer
 * one of the same kind ends, and when the last poll was answered. One thread. */
#pragma once
#include "lib/base/base.h"

struct instances;
struct instance; /* with its kind */

struct instances *instances_new(void);
void instances_free(struct instances **i);

/* holder is what the instance has open now. *older: what it had, still open (or NULL). kind: of holders; one of another
 * kind is none of its business. The instance stays known for a while after instances_leave(). */
struct instance *instances_enter(struct instances *i, int64_t user, const char *uuid, unsigned char kind, void *holder,
				 void **older);
/* answered: at now (mono ms), or 0. holder is no more. */
void instances_leave(struct instances *i, struct instance *who, const void *holder, int64_t answered);
int64_t instance_answered(const struct instance *who); /* mono ms; 0: never */
void instances_sweep(struct instances *i, int64_t now);
