/* fault: points where a test build breaks on purpose. Only `make VARIANT=faults` has them: elsewhere FAULT() is the
 * constant false and the compiler drops what hangs on it (tests/lint/faults.sh looks into the binaries).
 *
 *   if (FAULT("lose_notify"))
 *           return;
 *
 * Armed by a specification, "NAME SHARE [COUNT]" by line or comma: how often (0 to 1), and how many times at most; in
 * the environment as PC_FAULTS, or in the file that PC_FAULTS_FILE names, which is looked at again ten times a second.
 * PC_FAULTS_SEED makes the choice repeatable. Each hit writes a log line, "fault.hit". Any thread.
 *
 *   costs nothing but time          breaks a promise (the soak must see it)
 *   lose_notify      a payload      ack_early    told before it is stored
 *   commit_no_reply  a batch's      skip_gap     a hole in the log is not read
 *   ack_lost         an ack's, its connection with it
 *   slow_reader N    of 100         resume_far   one event too far
 *   clock_step N     ms to the wall clock */
#pragma once
#include "lib/base/base.h"

#ifdef PULSECHAT_FAULTS
#define FAULTS_BUILT 1
#define FAULT(name) fault_hit(name)
#define FAULT_NUMBER(name) fault_number(name)
bool fault_hit(const char *name);
int64_t
fault_number(const char *name); /* what stands where the share would: "clock_step -3600000"; 0 where not armed */
#else
#define FAULTS_BUILT 0
#define FAULT(name) false
#define FAULT_NUMBER(name) ((int64_t)0)
#endif
