/* instances: open tabs and programs that poll, by the UUID that they keep. Shows the poll under way, which a newer one
 * ends, and when the last answer went out. One thread. */
#pragma once
#include "lib/base/base.h"

struct instances;
struct instance;

struct instances *instances_new(void);
void instances_free(struct instances **i);

/* poll is the instance's poll now. *older: the one before, still under way (or NULL). The instance stays known for a
 * while after instances_leave(). */
struct instance *instances_enter(struct instances *i, int64_t user, const char *uuid, void *poll, void **older);
/* answered: at now (mono ms), or 0. poll is no more. */
void instances_leave(struct instances *i, struct instance *who, const void *poll, int64_t answered);
int64_t instance_answered(const struct instance *who); /* mono ms; 0: never */
void instances_sweep(struct instances *i, int64_t now);
