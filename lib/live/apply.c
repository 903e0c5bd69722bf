/* apply: one event of the log takes effect: memberships, delivery, ended sessions, redaction. Called in the log's
 * order. */
#include "lib/live/live_private.h"
#include "lib/live/state.h"

static void give(struct live *l, struct receiver *r, struct line *line, int64_t id)
{
	if (r->state != RECEIVER_LIVE || (id && id <= r->position))
		return;
	l->stats.delivered++;
	r->hooks->line(r, line, id);
}

static void give_user(struct live *l, struct live_user *u, struct line *line, int64_t id)
{
	for (struct receiver *r = u ? u->receivers : NULL; r; r = r->next)
		give(l, r, line, id);
}

static void give_members(struct live *l, const struct event *ev, struct line *line)
{
	bool about = ev->kind == EVENT_JOIN || ev->kind == EVENT_LEAVE;
	bool told = !about;
	int64_t seq = audience_about(ev->kind, ev->subject);
	size_t n;
	const struct audience_member *members = audience_of(l->audience, ev->channel, &n);

	for (size_t i = 0; i < n; i++) {
		bool himself = about && members[i].user->id == ev->subject;

		told |= himself;
		/* who joined again later has no claim on what passed while he was out */
		if (himself || !ev->id || (members[i].since < ev->id && members[i].first_seq <= seq))
			give_user(l, members[i].user, line, ev->id);
	}
	if (!told) /* his memberships are newer than this event: he is out again, but is told of it */
		give_user(l, audience_find(l->audience, ev->subject), line, ev->id);
}

static void deliver(struct live *l, const struct event *ev, struct line *line)
{
	if (ev->audience == AUDIENCE_MEMBERS)
		give_members(l, ev, line);
	else if (ev->audience > 0)
		give_user(l, audience_find(l->audience, ev->audience), line, ev->id);
	else
		for (struct live_user *u = NULL; (u = audience_next(l->audience, u));)
			if (!u->guest || ev->audience == AUDIENCE_ALL)
				give_user(l, u, line, ev->id);
}

static void end_streams(struct live *l, int64_t user, int64_t session, enum live_end why)
{
	struct live_user *u = audience_find(l->audience, user);

	if (l->hooks.signed_out)
		l->hooks.signed_out(l->arg, user, session);
	for (struct receiver *r = u ? u->receivers : NULL; r; r = r->next)
		if (r->state != RECEIVER_OUT && (!session || r->session == session)) {
			r->state = RECEIVER_OUT;
			r->hooks->ended(r, why);
		}
}

void apply_event(struct live *l, const struct event *ev, struct line *line)
{
	struct live_user *subject = NULL;
	struct span tail = {NULL, 0};
	size_t at;

	l->stats.events++;
	if (ev->kind == EVENT_JOIN || ev->kind == EVENT_LEAVE || ev->kind == EVENT_GUEST || ev->kind == EVENT_NO_GUEST)
		subject = audience_find(l->audience, ev->subject);
	if (ev->kind == EVENT_REDACT && line && (at = event_line_tail((struct span){line->p, line->n}, NULL))) {
		tail = (struct span){line->p + at, line->n - at};
		ring_redact(l->ring, ev->channel, ev->subject, tail);
	}
	ring_append(l->ring, ev, line);
	if (ev->kind == EVENT_JOIN && subject && subject->loaded && audience_since(subject, ev->channel) < ev->id)
		audience_join(l->audience, subject, ev->channel, ev->id, line_first_seq(line));
	if (subject && (ev->kind == EVENT_GUEST || ev->kind == EVENT_NO_GUEST))
		subject->guest = ev->kind == EVENT_GUEST;
	if (line)
		deliver(l, ev, line);
	if (ev->kind == EVENT_LEAVE && subject && subject->loaded && audience_since(subject, ev->channel) < ev->id)
		audience_leave(l->audience, subject, ev->channel);
	if (ev->kind == EVENT_REVOKE)
		end_streams(l, ev->audience, ev->subject, LIVE_SESSION_ENDED);
	if (ev->kind == EVENT_DEACTIVATE)
		end_streams(l, ev->subject, 0, LIVE_DEACTIVATED);
	if (ev->kind == EVENT_JOIN || ev->kind == EVENT_LEAVE || ev->kind == EVENT_MESSAGE)
		state_event(l, ev, line);
	line_unref(&line);
}

void apply_state(struct live *l, const struct event *ev)
{
	struct line *line;

	if (ev->kind == EVENT_BEACON) {
		if (l->hooks.said)
			l->hooks.said(l->arg, ev->subject, ev->json);
		return;
	}
	if (ev->kind != EVENT_STATE) {
		state_line(l, ev);
		return;
	}
	line = line_new(ev->json.p, ev->json.n);
	deliver(l, ev, line);
	line_unref(&line);
}
