/* transport_sse: server-sent events (WHATWG HTML, 9.2): an answer without an end, a line of the protocol an event.
 * Its head goes out with the first of them: hello, or the goodbye of a session that has ended, since a browser tells a
 * page nothing of a status. */
#include "lib/base/config.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/http/headers.h"
#include "lib/live/frame.h"
#include "ws/stream.h"
#include "ws/transport.h"
#include <inttypes.h>
#include <string.h>

#define WRITE_BYTES ((size_t)64 << 10)
#define RETRY_MIN_MS 1000
#define RETRY_NEVER_MS 3600000 /* for a client that reads no goodbye and would come back where it should not */

struct sse {
	struct stream s; /* first */
	char id[REQUEST_ID_MAX];
	bool started;    /* the head is out */
	bool said_retry; /* … and so is the goodbye's `retry` */
};

static struct sse *sse_of(struct stream *s)
{
	return (struct sse *)s;
}

/* ---- writing */

static bool may_write(const struct stream *s)
{
	return s->c.state != CONN_DEAD && !http_is_pending(s->c.http);
}

/* The connection calls by itself when what is pending is out; else a turn of the loop does. */
static void want_write(struct stream *s)
{
	if (!http_is_pending(s->c.http))
		conn_dirty(&s->c);
}

static int write_bytes(struct stream *s, const char *p, size_t n)
{
	return http_write(s->c.http, p, n);
}

/* When to come back where no goodbye says it: spread, since it is the server that has gone then. */
static int64_t usual_retry_ms(const struct config *config)
{
	return RETRY_MIN_MS + (int64_t)rand_below((uint32_t)config->realtime.drain_spread + 1);
}

static int write_first(struct sse *e, const char *p, size_t n)
{
	AUTO_STRBUF b = {0};

	e->started = true;
	strbuf_adds(&b, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nX-Accel-Buffering: no\r\n");
	headers_add(&b, &headers_api, e->id);
	rate_headers(&e->s.c.rate, &b);
	strbuf_addf(&b, "Connection: close\r\n\r\nretry: %" PRId64 "\n\n", usual_retry_ms(e->s.c.rt->config));
	strbuf_add(&b, p, n);
	return write_bytes(&e->s, b.p, b.n);
}

static int write_lines(struct stream *s, size_t n)
{
	size_t len;
	char *p = frame_get(s->c.rt->sse_frames, s->queue, n, &len);

	return sse_of(s)->started ? write_bytes(s, p, len) : write_first(sse_of(s), p, len);
}

/* ---- the end */

/* The goodbye for the browser itself: when to come back. */
static int write_retry(struct stream *s)
{
	char b[40];
	bool ended = s->c.close_code == CLOSE_SIGNED_OUT || s->c.close_code == CLOSE_DEACTIVATED ||
		     s->c.close_code == CLOSE_REPLACED;
	int64_t retry = ended ? RETRY_NEVER_MS : s->retry_after_ms;
	int n = snprintf(b, sizeof(b), "retry: %" PRId64 "\n\n", retry);

	sse_of(s)->said_retry = true;
	return retry ? write_bytes(s, b, (size_t)n) : 0;
}

static void finish(struct stream *s)
{
	if (!sse_of(s)->said_retry && write_retry(s) < 0) {
		transport_kill(&s->c);
		return;
	}
	s->c.state = CONN_DEAD;
	http_finish(s->c.http);
}

static void cut(struct stream *s)
{
	transport_kill(&s->c);
}

static const struct stream_kind kind = {
	.name = "sse",
	.request = REQUEST_SSE,
	.write_bytes = WRITE_BYTES,
	.may_write = may_write,
	.want_write = want_write,
	.write = write_lines,
	.finish = finish,
	.cut = cut,
};

void sse_start(struct realtime *rt, struct http_conn *h, const struct http_head *head)
{
	struct request *request = request_take(rt, h, head, REQUEST_SSE);
	struct stream *s;

	if (!request)
		return;
	s = stream_new(rt, &kind, sizeof(struct sse), request);
	s->c.http = h;
	memcpy(sse_of(s)->id, request->id, sizeof(request->id));
	transport_park(&s->c);
}
