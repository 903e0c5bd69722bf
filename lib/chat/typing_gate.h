/* typing_gate: lets through what is told of somebody's typing at most once in a while for each user and channel, so
 * that a client that floods costs neither a statement nor a notification; and remembers in which channels nobody is
 * told. Any thread. */
#pragma once
#include "lib/base/base.h"

#define TYPING_SEND_MAX 128 /* of one statement */

/* What sql/functions/65_state.sql says to each. */
enum typing_status {
	TYPING_TOLD = 0,
	TYPING_CROWDED = 1, /* more are present than [typing] present_max */
	TYPING_NOT_A_MEMBER = 3,
	TYPING_NO_CHANNEL = 4,
	TYPING_ARCHIVED = 7,
	TYPING_MUTED = 10,
	TYPING_NO_ROOT = 12, /* these three as of a reply (enum write_status) */
	TYPING_ROOT_IS_REPLY = 13,
	TYPING_ROOT_DELETED = 14,
};

struct typing_gate;

/* repeat_ms: between two of the same user and channel; 0: no bound. */
struct typing_gate *typing_gate_new(int64_t repeat_ms);
void typing_gate_free(struct typing_gate **g);

/* May this one go out now (mono ms)? Where it may, the next one of the same may not for a while. */
bool typing_gate_pass(struct typing_gate *g, int64_t user, int64_t channel, int64_t now);

enum typing_channel { TYPING_UNKNOWN, TYPING_ON, TYPING_OFF };
/* As judged of late; unknown: let the statement judge. */
enum typing_channel typing_gate_channel(struct typing_gate *g, int64_t channel, int64_t now);
void typing_gate_judged(struct typing_gate *g, int64_t channel, bool off, int64_t now);
