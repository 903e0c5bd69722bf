/* transport_poll: a long-poll (lib/live/poll.h): one request, one whole answer from the loop's flush, header and body
 * in one write. */
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/strbuf.h"
#include "lib/http/headers.h"
#include "lib/live/polls.h"
#include "ws/transport.h"
#include <string.h>

#define HEAD_BYTES 1024
#define KEPT_BYTES ((size_t)64 << 10) /* of the buffer for answers: a large one is not kept */
#define SECOND_MS 1000

struct poll {
	struct conn c; /* first */
	struct live_poll live;
	int64_t wait_ms;
	int64_t until; /* mono ms: the end of its wait */
	char id[REQUEST_ID_MAX];
	bool close;
};

static struct poll *poll_of(struct conn *c)
{
	return (struct poll *)c;
}

/* It may be due. */
static void changed(struct live_poll *live)
{
	conn_dirty(&((struct poll *)((char *)live - offsetof(struct poll, live)))->c);
}

/* ---- the answer */

/* The body goes behind room for the head, which tells its length. Returns where the answer begins in b. */
static size_t build(struct poll *p, struct strbuf *b)
{
	struct strbuf *head = &p->c.rt->answer_head;
	char cursor[CURSOR_TEXT_MAX];

	b->n = HEAD_BYTES;
	live_poll_render(&p->live, b, cursor);
	strbuf_reset(head);
	head->max = HEAD_BYTES;
	strbuf_adds(head, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: ");
	strbuf_addi(head, (int64_t)(b->n - HEAD_BYTES));
	strbuf_adds(head, "\r\nPulseChat-Cursor: ");
	strbuf_adds(head, cursor);
	strbuf_adds(head, "\r\n");
	headers_add(head, &headers_api, p->id);
	rate_headers(&p->c.rate, head);
	strbuf_adds(head, p->close ? "Connection: close\r\n\r\n" : "\r\n");
	memcpy(b->p + HEAD_BYTES - head->n, head->p, head->n);
	return HEAD_BYTES - head->n;
}

/* Writes the answer; the poll is over. */
static void answer(struct poll *p, int64_t now)
{
	struct conn *c = &p->c;
	struct http_conn *h = c->http;
	struct strbuf *b = &c->rt->answer;
	bool close = p->close;
	size_t at = 0;

	strbuf_reset(b);
	if (p->live.problem) {
		b->max = 0;
		problem_text(b, p->live.problem, p->id, &c->rate, p->close);
	} else {
		live_poll_take_state(&p->live);
		b->max = HEAD_BYTES + live_poll_size(&p->live);
		strbuf_reserve(b, b->max);
		at = build(p, b);
	}
	polls_leave(c->rt->polls, &p->live, now);
	c->http = NULL;
	conn_free(c);
	http_answer(h, b->p + at, b->n - at, close);
	if (b->cap > KEPT_BYTES)
		strbuf_release(b);
}

/* For the end of its wait, and of its session, which is no event: then that is looked up. */
static void set_timer(struct poll *p, int64_t now)
{
	struct conn *c = &p->c;
	int64_t at = p->until;

	if (c->expires_us)
		at = MIN_OF(at, MAX_OF(c->expires_us / 1000 + 1, (int64_t)1));
	else if (c->asked)
		at = MIN_OF(at, now + SECOND_MS / 4);
	wheel_set(c->rt->wheel, &c->timer, at);
}

static void begin(struct poll *p)
{
	p->until = p->live.arrived + MAX_OF(p->wait_ms, (int64_t)1);
	conn_began(&p->c);
	set_timer(p, clock_mono_ms());
}

static void poll_flush(struct conn *c)
{
	struct poll *p = poll_of(c);
	int64_t now = clock_mono_ms();

	if (c->state == CONN_DEAD)
		return;
	if (c->state == CONN_STARTING && p->live.began)
		begin(p);
	if (polls_due(c->rt->polls, &p->live, now))
		answer(p, now);
}

/* ---- as a transport */

static void poll_added(struct conn *c)
{
	polls_enter(c->rt->polls, &poll_of(c)->live, c->user, c->instance);
}

static void poll_end(struct conn *c, int64_t retry_after_ms)
{
	c->state = CONN_CLOSING;
	live_poll_end(&poll_of(c)->live, c->close_reason, retry_after_ms);
}

static void poll_refuse(struct conn *c, enum close_code code, const struct err *e)
{
	c->close_code = code;
	c->close_reason = "refused";
	c->state = CONN_CLOSING;
	live_poll_refuse(&poll_of(c)->live, e);
}

static void poll_due(struct conn *c, int64_t now)
{
	struct poll *p = poll_of(c);

	if (now < p->until) {
		if (c->expires_us && c->expires_us <= clock_mono_us()) {
			c->expires_us = 0; /* the answer tells */
			conn_recheck(c);
		}
		set_timer(p, now);
		return;
	}
	live_poll_expire(&p->live);
	wheel_set(c->rt->wheel, &c->timer, now + SECOND_MS);
}

static void poll_hurry(struct conn *c)
{
	live_poll_hurry(&poll_of(c)->live);
}

static void poll_kill(struct conn *c)
{
	http_kill(c->http);
}

static void poll_release(struct conn *c)
{
	polls_leave(c->rt->polls, &poll_of(c)->live, 0);
	live_poll_release(&poll_of(c)->live);
}

static const struct transport transport = {
	.added = poll_added,
	.flush = poll_flush,
	.end = poll_end,
	.refuse = poll_refuse,
	.due = poll_due,
	.hurry = poll_hurry,
	.kill = poll_kill,
	.release = poll_release,
};

/* ---- requests */

void poll_start(struct realtime *rt, struct http_conn *h, const struct http_head *head)
{
	struct request *request = request_take(rt, h, head, REQUEST_POLL);
	struct poll *p;

	if (!request)
		return;
	p = (struct poll *)conn_new(rt, &transport, "poll", sizeof(*p), request);
	live_poll_init(&p->live, rt->live, (size_t)rt->config->realtime.queue_bytes, changed);
	p->live.arrived = clock_mono_ms();
	p->live.has_cursor = request->has_cursor;
	p->live.waits = request->wait_ms > 0;
	p->live.interests = request->interests;
	p->c.receiver = &p->live.receiver;
	p->c.http = h;
	p->wait_ms = request->wait_ms;
	p->close = request->close;
	memcpy(p->id, request->id, sizeof(p->id));
	transport_park(&p->c);
}
