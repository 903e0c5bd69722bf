/* transport_poll: a long-poll: one request, one whole answer from the loop's flush, header and body in one write. */
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/strbuf.h"
#include "lib/live/control.h"
#include "lib/live/frame.h"
#include "lib/live/instances.h"
#include "ws/transport.h"
#include "ws/poll_gather.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_BYTES ((size_t)256 << 10) /* of lines, about; what is more comes with the next poll */

#define SECOND_MS 1000

struct poll {
	struct conn c; /* first */
	struct gather_entry gather;
	struct instance *instance;
	int64_t arrived, wait_ms;
	int64_t started_at; /* the log's id that it began from: what a superseded poll answers */
	int64_t retry_after_ms;
	char id[REQUEST_ID_MAX];
	bool has_cursor, has_instance, close;
	bool caught_up, hurry, superseded;
	int expired;
	bool has_problem;
	struct err problem;
};

static struct poll *poll_of(struct conn *c)
{
	return (struct poll *)c;
}

/* ---- the answer */

static void build(struct poll *p, struct strbuf *b)
{
	struct conn *c = &p->c;
	AUTO_STRBUF last = {0};
	char cursor[CURSOR_TEXT_MAX];
	size_t n = 0;
	const char *lines = NULL;

	if (p->superseded) {
		conn_unqueue(c, c->queue_n);
		cursor_text(cursor, live_mark(c->rt->live), p->started_at);
	} else {
		conn_cursor(c, cursor);
	}
	if (c->queue_n)
		lines = frame_get(c->rt->frames, c->queue, c->queue_n, &n);
	control_cursor(&last, cursor, p->retry_after_ms);
	strbuf_addc(&last, '\n');
	strbuf_addf(b,
		    "HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: %zu\r\ncache-control: "
		    "no-store\r\n"
		    "pulsechat-cursor: %s\r\npulsechat-request-id: %s\r\n%s\r\n",
		    n + last.n, cursor, p->id, p->close ? "connection: close\r\n" : "");
	strbuf_add(b, lines ? lines : "", n);
	strbuf_add(b, last.p, last.n);
}

/* Writes the answer; the poll is over. */
static void answer(struct poll *p)
{
	struct conn *c = &p->c;
	struct http_conn *h = c->http;
	struct strbuf b = {.max = (size_t)c->rt->config->realtime.queue_bytes * 2 + ANSWER_BYTES * 2 + 4096};
	bool close = p->close;

	if (p->has_problem)
		problem_text(&b, &p->problem, p->id, p->close);
	else
		build(p, &b);
	if (p->instance)
		instances_leave(c->rt->instances, p->instance, c, p->superseded ? 0 : clock_mono_ms());
	p->instance = NULL;
	c->http = NULL;
	conn_free(c);
	if (b.failed)
		http_kill(h);
	else
		http_answer(h, b.p, b.n, close);
	strbuf_release(&b);
}

/* Whether it is time, and for a poll that came right behind an answer, whether more shall gather first. */
static bool is_due(struct poll *p)
{
	struct conn *c = &p->c;
	int64_t until;

	if (c->state == CONN_CLOSING)
		return true;
	if (c->state != CONN_OPEN)
		return false;
	if (!p->has_cursor || p->superseded || p->hurry || c->queue_bytes >= ANSWER_BYTES || p->expired > 1 ||
	    (p->expired && (p->caught_up || c->queue_n)))
		return true;
	if (!p->caught_up || (!c->queue_n && p->wait_ms))
		return false;
	if (!p->wait_ms || !p->instance || !instance_answered(p->instance) ||
	    p->arrived - instance_answered(p->instance) >= GATHER_MS)
		return true;
	until = p->arrived + GATHER_MS;
	if (clock_mono_ms() >= until)
		return true;
	gather_wait(c->rt, &p->gather, c, until);
	return false;
}

static void poll_flush(struct conn *c)
{
	struct poll *p = poll_of(c);

	if (c->state != CONN_DEAD && is_due(p))
		answer(p);
}

/* ---- as a transport */

static size_t poll_room(struct conn *c)
{
	if (c->queue_bytes < ANSWER_BYTES)
		return MIN_OF(ANSWER_BYTES - c->queue_bytes, (size_t)c->rt->config->realtime.queue_bytes / 2 + 1);
	conn_dirty(c); /* that is an answer */
	return 0;
}

static void poll_begin(struct conn *c)
{
	struct poll *p = poll_of(c);
	void *older;

	p->started_at = live_position(c->rt->live, &c->receiver);
	if (p->has_instance) {
		p->instance = instances_enter(c->rt->instances, c->user, c->instance, c, &older);
		if (older) {
			poll_of(older)->superseded = true;
			poll_of(older)->c.receiver.state = RECEIVER_OUT;
			conn_dirty(older);
		}
	}
	wheel_set(c->rt->wheel, &c->timer, p->arrived + MAX_OF(p->wait_ms, (int64_t)1));
	if (!p->has_cursor || p->hurry)
		conn_dirty(c);
}

static void poll_live(struct conn *c)
{
	poll_of(c)->caught_up = true;
	conn_dirty(c);
}

static void poll_end(struct conn *c, int64_t retry_after_ms)
{
	poll_of(c)->retry_after_ms = retry_after_ms;
	c->receiver.position = MAX_OF(c->receiver.position, c->queued_id); /* what is queued goes out with the answer */
	if (c->state != CONN_OPEN) {                                       /* it has no place to tell of yet */
		err_retry(&poll_of(c)->problem, ERR_UNAVAILABLE, (int)MAX_OF(retry_after_ms, (int64_t)1), "%s",
			  c->close_reason);
		poll_of(c)->has_problem = true;
	}
	c->state = CONN_CLOSING;
}

static void poll_refuse(struct conn *c, enum close_code code, const struct err *e)
{
	struct poll *p = poll_of(c);

	p->problem = *e;
	p->has_problem = true;
	c->close_code = code;
	c->close_reason = "refused";
	c->state = CONN_CLOSING;
	conn_dirty(c);
}

/* What does not fit any more comes with the next poll. */
static void poll_overflow(struct conn *c)
{
	c->receiver.state = RECEIVER_OUT;
	c->receiver.position = MAX_OF(c->queued_id, poll_of(c)->started_at);
	c->state = CONN_CLOSING;
	conn_dirty(c);
}

static void poll_due(struct conn *c, int64_t now)
{
	/* one that is still on its way to now, with nothing to give, goes on until the second time */
	poll_of(c)->expired++;
	wheel_set(c->rt->wheel, &c->timer, now + SECOND_MS);
	conn_dirty(c);
}

static void poll_release(struct conn *c)
{
	struct poll *p = poll_of(c);

	gather_forget(&p->gather);
	if (p->instance)
		instances_leave(c->rt->instances, p->instance, c, 0);
	p->instance = NULL;
}

static void poll_kill(struct conn *c)
{
	http_kill(c->http);
}

static void poll_hurry(struct conn *c)
{
	poll_of(c)->hurry = true;
	conn_dirty(c);
}

static const struct transport poll_transport = {
	.name = "poll",
	.room = poll_room,
	.begin = poll_begin,
	.live = poll_live,
	.flush = poll_flush,
	.end = poll_end,
	.refuse = poll_refuse,
	.overflow = poll_overflow,
	.due = poll_due,
	.hurry = poll_hurry,
	.kill = poll_kill,
	.release = poll_release,
};

/* ---- requests */

void poll_start(struct realtime *rt, struct http_conn *h, const struct http_head *head)
{
	struct request *request = NULL;
	struct err e = {0};
	struct poll *p;

	if (request_read(rt, head, http_fd(h), REQUEST_POLL, &request, &e) < 0) {
		request_problem(h, head, &e, false);
		return;
	}
	p = (struct poll *)conn_new(rt, &poll_transport, sizeof(*p), request);
	p->c.http = h;
	p->arrived = clock_mono_ms();
	p->wait_ms = request->wait_ms;
	p->has_cursor = request->has_cursor;
	p->has_instance = request->has_instance;
	p->close = request->close;
	memcpy(p->id, request->id, sizeof(p->id));
	transport_park(&p->c);
}
