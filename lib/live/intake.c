/* intake: brings events into the log's order. What does not follow the ring's head waits while the log is read for the
 * hole. */
#include "lib/base/fault.h"
#include "lib/base/log.h"
#include "lib/db/writer.h"
#include "lib/chat/message.h"
#include "lib/live/live_private.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void pending_drop(struct live *l)
{
	struct pending *p = STAILQ_FIRST(&l->pending);

	STAILQ_REMOVE_HEAD(&l->pending, list);
	l->pending_n--;
	l->pending_bytes -= p->line ? p->line->n : 0;
	line_unref(&p->line);
	free(p);
}

void intake_clear(struct live *l)
{
	while (!STAILQ_EMPTY(&l->pending))
		pending_drop(l);
	l->target = 0;
	l->want_head = false;
	l->hole_asked = false;
}

void intake_start(struct live *l, int64_t head)
{
	int64_t events = (int64_t)l->limits.ring_events;

	intake_clear(l);
	ring_start(l->ring, MAX_OF((int64_t)0, head - events));
	l->opened_head = l->log_head = head;
	l->want_head = true;
	intake_next(l);
}

/* Asks for the ids that are missing next, where some are and no answer is awaited. */
static void ask_for_hole(struct live *l)
{
	int64_t head = ring_head(l->ring), upto = l->want_head ? INT64_MAX : l->target;
	struct pending *p;

	if (l->hole_asked || upto <= head)
		return;
	STAILQ_FOREACH(p, &l->pending, list)
	if (p->line && p->event.id > head) {
		if (!l->want_head)
			upto = MIN_OF(upto, p->event.id - 1);
		break;
	}
	upto = MIN_OF(upto, head + LOG_WINDOW_IDS);
	if (upto <= head)
		return;
	l->hole_asked = true;
	read_ask(l, READ_HOLE, NULL, 0, STMT_live_window, 4,
		 (int64_t[]){head, upto, LOG_WINDOW_ROWS, LOG_WINDOW_BYTES});
}

/* Applies what follows the head, then asks for what does not. */
void intake_next(struct live *l)
{
	struct pending *p;

	while (!l->hole_asked && (p = STAILQ_FIRST(&l->pending))) {
		if (p->event.id > ring_head(l->ring)) {
			if (!p->line || p->event.id != ring_head(l->ring) + 1)
				break;
			apply_event(l, &p->event, line_ref(p->line));
		}
		pending_drop(l);
	}
	ask_for_hole(l);
	if (!l->ready && !l->want_head && l->mark[0]) {
		l->ready = true;
		l->hooks.ready(l->arg);
	}
}

static void offer(struct live *l, const struct event *ev)
{
	bool fetch = ev->kind == EVENT_FETCH;
	struct pending *p;

	if (ev->id <= ring_head(l->ring))
		return; /* known */
	l->target = MAX_OF(l->target, ev->id);
	while (!l->hole_asked && STAILQ_EMPTY(&l->pending) && ev->id > ring_head(l->ring) + 1 && FAULT("skip_gap"))
		apply_event(l, &(struct event){.id = ring_head(l->ring) + 1, .kind = EVENT_MISSING}, NULL);
	if (!fetch && ev->id == ring_head(l->ring) + 1 && !l->hole_asked && STAILQ_EMPTY(&l->pending)) {
		apply_event(l, ev, line_new(ev->json.p, ev->json.n));
		return;
	}
	if (!l->hole_asked && STAILQ_EMPTY(&l->pending)) {
		l->stats.holes++;
		if (!fetch)
			log_info("live.hole", "head=%" PRId64 " event=%" PRId64, ring_head(l->ring), ev->id);
	}
	if (l->pending_n == INTAKE_PENDING_MAX || l->pending_bytes + ev->json.n > INTAKE_PENDING_BYTES)
		return; /* the target stands: it will be read */
	p = xcalloc(1, sizeof(*p));
	p->event = *ev;
	if (!fetch) {
		p->line = line_new(ev->json.p, ev->json.n);
		p->event.json = (struct span){p->line->p, p->line->n};
	}
	STAILQ_INSERT_TAIL(&l->pending, p, list);
	l->pending_n++;
	l->pending_bytes += ev->json.n;
}

void live_payload(struct live *l, const char *payload, size_t n)
{
	struct span rest = {payload, n}, mark;
	struct event ev;
	int rc;

	if (FAULT("lose_notify"))
		return;
	while ((rc = payload_next(&rest, &ev)) != 0) {
		if (rc < 0) {
			log_warning("live.payload", "bytes=%zu", n);
			continue;
		}
		if (ev.kind == EVENT_TEST) {
			l->hooks.test(l->arg, ev.subject);
			continue;
		}
		if (!l->mark[0])
			continue; /* the log is read from its end when the epoch is known */
		if (!ev.id) {
			apply_state(l, &ev);
			continue;
		}
		if (ev.json.n && (!event_line_tail(ev.json, &mark) || mark.n != strlen(l->mark) ||
				  memcmp(mark.p, l->mark, mark.n) != 0)) {
			l->hooks.doubt(l->arg);
			continue;
		}
		offer(l, &ev);
	}
	if (l->mark[0])
		intake_next(l);
}

void live_own(struct live *l, const struct write_item *item)
{
	struct event ev = {.id = item->event,
			   .kind = EVENT_MESSAGE,
			   .channel = item->channel,
			   .audience = AUDIENCE_MEMBERS,
			   .subject = item->seq};
	struct strbuf *b = &l->scratch;

	if (!l->hears || !item->ok || item->again || !message_renders(item) || !l->ready ||
	    ev.id != ring_head(l->ring) + 1 || l->hole_asked || !STAILQ_EMPTY(&l->pending))
		return; /* the bus brings it */
	strbuf_reset(b);
	event_line_start(b, "message", l->mark, ev.id);
	strbuf_addc(b, ',');
	message_render_item(b, item);
	strbuf_addc(b, '}');
	if (b->failed)
		return;
	ev.json = (struct span){b->p, b->n};
	apply_event(l, &ev, line_new(b->p, b->n));
}

void live_catch_up(struct live *l)
{
	if (!l->mark[0])
		return;
	l->want_head = true;
	intake_next(l);
}

void live_saw_head(struct live *l, int64_t head)
{
	l->log_head = MAX_OF(l->log_head, head);
	if (head > ring_head(l->ring) && !l->hole_asked && STAILQ_EMPTY(&l->pending))
		live_catch_up(l);
}

/* The log's oldest events are gone, and what this process had not seen yet was among them. */
static void skip_to(struct live *l, int64_t first)
{
	log_warning("live.skip", "head=%" PRId64 " first=%" PRId64, ring_head(l->ring), first);
	ring_start(l->ring, first - 1);
	if (l->ready)
		for (struct live_user *u = NULL; (u = audience_next(l->audience, u));)
			for (struct receiver *r = u->receivers; r; r = r->next)
				if (r->state == RECEIVER_LIVE && r->position < first - 1)
					resume_reset(l, r, "too old");
}

void intake_rows(struct live *l, const struct live_read *q, const PGresult *r)
{
	int64_t before = ring_head(l->ring);
	struct log_window w;
	struct event ev;

	l->hole_asked = false;
	if (!log_window_read(r, q->params[0], q->params[1], &w)) {
		intake_failed(l);
		return;
	}
	if (strcmp(w.mark, l->mark) != 0 || w.head < ring_head(l->ring)) {
		l->hooks.doubt(l->arg);
		return; /* live_opened() goes on from there */
	}
	l->log_head = MAX_OF(l->log_head, w.head);
	if (w.first > ring_head(l->ring) + 1)
		skip_to(l, w.first);
	for (int row = 0; row < w.rows; row++) {
		log_window_event(r, row, &w, &l->scratch, &ev);
		if (ev.id <= ring_head(l->ring))
			continue;
		while (ev.id > ring_head(l->ring) + 1) { /* cannot be, but must not stop everything */
			struct event missing = {.id = ring_head(l->ring) + 1, .kind = EVENT_MISSING};

			log_error("live.missing", "event=%" PRId64, missing.id);
			apply_event(l, &missing, NULL);
		}
		apply_event(l, &ev, line_new(ev.json.p, ev.json.n));
	}
	if (ring_head(l->ring) >= w.head)
		l->want_head = false;
	if (ring_head(l->ring) == before && l->target > w.head) {
		l->hooks.doubt(l->arg); /* heard of an event that is not there; live_tick() asks again */
		return;
	}
	intake_next(l);
}

void intake_failed(struct live *l)
{
	l->hole_asked = false; /* live_tick() asks again */
}
