/* api_ops: ops by REST, for who has no WebSocket: all of a body's sends go to the writer together. */
#include "fcgi/app.h"
#include "fcgi/handlers.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/chat/interests.h"
#include "lib/chat/message.h"
#include "lib/chat/op.h"
#include "lib/chat/presence_view.h"
#include "lib/chat/read_marker.h"
#include "lib/chat/typing_gate.h"
#include "lib/db/db.h"
#include "lib/json/jx.h"
#include <stdlib.h>
#include <string.h>

struct asked { /* a line of the body */
	struct op_name name;
	struct op_ask ask;
	struct err e; /* e.code: refused */
};

/* Borrowed from the body; blank lines are none. */
static bool next_line(struct span *rest, struct span *line)
{
	while (rest->n) {
		const char *lf = memchr(rest->p, '\n', rest->n);
		size_t n = lf ? (size_t)(lf - rest->p) : rest->n;

		*line = (struct span){rest->p, n};
		n += lf ? 1 : 0;
		rest->p += n;
		rest->n -= n;
		while (line->n && strchr(" \t\r", line->p[line->n - 1]))
			line->n--;
		if (line->n)
			return true;
	}
	return false;
}

static size_t count_lines(struct span body)
{
	struct span line;
	size_t n = 0;

	while (n <= OPS_MAX && next_line(&body, &line))
		n++;
	return n;
}

/* The first of them has been counted as the request. */
static int read_line(struct request *q, struct span text, bool first, struct asked *l, struct err *e)
{
	struct jx *o = NULL;
	int rc;

	if (!first && rate_session(q->app->rate, q->session.id, 1, &q->rate, e) < 0)
		return -1;
	if (text.n > (size_t)q->config->realtime.frame_bytes)
		return err_set(e, ERR_TOO_LARGE, NULL, "the line is over %lld bytes",
			       (long long)q->config->realtime.frame_bytes);
	if (op_parse(text.p, text.n, &l->name, &o, e) < 0)
		return -1;
	rc = op_read(q->config, o, q->session.user, q->session.scopes, &l->ask, e);
	jx_free(&o);
	if (rc == 0 && l->ask.kind == OP_SEND && l->ask.item->calls_n &&
	    (rc = rate_call(q->app->rate, q->session.user, e)) < 0)
		write_item_free(&l->ask.item);
	return rc;
}

static bool is_input(const struct asked *l)
{
	return !l->e.code && (l->ask.kind == OP_ACTIVE || l->ask.kind == OP_IDLE);
}

static void write_sends(struct request *q, struct asked *lines, size_t n)
{
	struct write_item **items = arena_alloc(q->arena, n * sizeof(*items));
	struct err *errs = arena_alloc(q->arena, n * sizeof(*errs));
	size_t *whose = arena_alloc(q->arena, n * sizeof(*whose));
	size_t sends = 0;

	for (size_t i = 0; i < n; i++)
		if (!lines[i].e.code && lines[i].ask.kind == OP_SEND) {
			whose[sends] = i;
			items[sends++] = lines[i].ask.item;
		}
	if (!sends)
		return;
	q->app->gate->write(q->app->gate, items, sends, errs);
	for (size_t i = 0; i < sends; i++) {
		struct asked *l = &lines[whose[i]];

		l->ask.item = items[i];
		if (!items[i])
			l->e = errs[i];
		else if (!items[i]->ok)
			message_item_error(items[i], &l->e);
	}
}

/* After the sends, so that a marker may stand on one of them: all in one statement, each channel once. */
static void move_markers(struct request *q, struct asked *lines, size_t n)
{
	struct mark *marks = arena_alloc(q->arena, n * sizeof(*marks));
	int *whose = arena_alloc(q->arena, n * sizeof(*whose));
	size_t marks_n = 0, k;
	PGresult *r = NULL;
	struct err away = {0};
	int rc;

	_Static_assert(OPS_MAX <= MARKS_MAX, "one statement");
	for (size_t i = 0; i < n; i++) {
		const struct op_ask *ask = &lines[i].ask;

		if (lines[i].e.code || !op_marks(ask->kind))
			continue;
		for (k = 0; k < marks_n && marks[k].channel != ask->channel; k++)
			;
		if (k == marks_n)
			marks[marks_n++] = (struct mark){.channel = ask->channel, .user = q->session.user};
		mark_fold(&marks[k], ask->mark, ask->seq);
		whose[i] = (int)k;
	}
	if (!marks_n)
		return;
	rc = marks_move(q->db, q->config, marks, marks_n, false, &r, &away);
	for (size_t i = 0; i < n; i++) {
		struct asked *l = &lines[i];

		if (l->e.code || !op_marks(l->ask.kind))
			continue;
		if (rc < 0)
			l->e = away;
		else if (mark_outcome(r, whose[i], l->ask.mark, &l->ask.seq, &l->e) < 0 && !l->e.code)
			abort(); /* a failure without a code */
	}
	PQclear(r);
}

/* ---- what one wants to be told of: for a stream that some process holds */

static int pass_on(struct request *q, const char *instance, const struct asked *l, struct err *e)
{
	AUTO_STRBUF b = {0};
	PGresult *row = NULL;
	int rc;

	if (!instance)
		return err_set(e, ERR_UNPROCESSABLE, NULL,
			       "a poll says this in its own query; for a stream name its instance in the query here");
	interests_notice(&b, instance, l->ask.interests);
	rc = db_query(q->db, STMT_interest_notify, &row, e, "it", q->session.user, strbuf_cstr(&b));
	PQclear(row);
	return rc;
}

/* ---- who types: of all of a body one statement */

struct typings {
	int64_t users[OPS_MAX], channels[OPS_MAX], seqs[OPS_MAX], threads[OPS_MAX], judge[OPS_MAX];
	struct asked *of[OPS_MAX];
	size_t n, judge_n;
};

static void add_typing(struct request *q, struct typings *t, struct asked *l, int64_t now)
{
	struct typing_gate *g = q->app->typing;
	enum typing_channel known = typing_gate_channel(g, l->ask.channel, now);

	if (known == TYPING_OFF || !typing_gate_pass(g, q->session.user, l->ask.channel, now))
		return;
	if (known == TYPING_UNKNOWN)
		t->judge[t->judge_n++] = l->ask.channel;
	t->users[t->n] = q->session.user;
	t->channels[t->n] = l->ask.channel;
	t->seqs[t->n] = l->ask.seq;
	t->threads[t->n] = l->ask.thread;
	t->of[t->n++] = l;
}

static void typing_outcome(struct typing_gate *g, struct asked *l, int64_t status, int64_t now)
{
	switch (status) {
	case TYPING_TOLD:
		if (typing_gate_channel(g, l->ask.channel, now) == TYPING_UNKNOWN)
			typing_gate_judged(g, l->ask.channel, false, now);
		break;
	case TYPING_CROWDED:
		typing_gate_judged(g, l->ask.channel, true, now);
		break;
	case TYPING_NOT_A_MEMBER:
		err_set(&l->e, ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel");
		break;
	case TYPING_NO_CHANNEL:
		err_set(&l->e, ERR_NOT_FOUND, NULL, "no such channel");
		break;
	case TYPING_MUTED:
		err_set(&l->e, ERR_MUTED, NULL, "you are muted: you may read, but not write");
		break;
	case TYPING_NO_ROOT:
		err_set(&l->e, ERR_UNPROCESSABLE, "thread", "there is no such message in this channel");
		break;
	case TYPING_ROOT_IS_REPLY:
		err_set(&l->e, ERR_UNPROCESSABLE, "thread", "is a reply itself: name the root of its thread");
		break;
	case TYPING_ROOT_DELETED:
		err_set(&l->e, ERR_UNPROCESSABLE, "thread", "the message has been deleted");
		break;
	default:
		err_set(&l->e, ERR_UNPROCESSABLE, NULL, "the channel is archived");
	}
}

static void tell_typing(struct request *q, struct asked *lines, size_t n)
{
	struct typings *t = arena_alloc(q->arena, sizeof(*t));
	int64_t now = clock_mono_ms();
	PGresult *rows = NULL;
	struct err e = {0};

	for (size_t i = 0; i < n; i++)
		if (!lines[i].e.code && lines[i].ask.kind == OP_TYPING)
			add_typing(q, t, &lines[i], now);
	if (!t->n)
		return;
	if (db_query(q->db, STMT_typing_send, &rows, &e, "IIIIIi", t->users, t->n, t->channels, t->n, t->seqs, t->n,
		     t->threads, t->n, t->judge, t->judge_n, q->config->typing.present_max) < 0) {
		for (size_t i = 0; i < t->n; i++)
			t->of[i]->e = e;
		return;
	}
	for (size_t i = 0; i < t->n && (int)i < result_rows(rows); i++)
		typing_outcome(q->app->typing, t->of[i], result_int(rows, (int)i, 0), now);
	PQclear(rows);
}

/* ---- */

static void answer(struct strbuf *b, const struct asked *l)
{
	if (l->e.code)
		op_failed(b, &l->name, &l->e);
	else if (l->ask.kind == OP_SEND)
		op_sent(b, &l->name, l->ask.item);
	else if (op_marks(l->ask.kind))
		op_marked(b, &l->name, l->ask.channel, l->ask.seq);
	else if (l->ask.kind == OP_PING)
		op_pong(b, &l->name);
	else
		op_done(b, &l->name);
	strbuf_addc(b, '\n');
}

/* The last word counts; the process that holds the instance hears of it. */
static void tell_input(struct request *q, struct asked *lines, size_t n)
{
	const char *instance = request_query(q, "instance"), *input = NULL;
	struct err e = {0};

	for (size_t i = 0; i < n; i++)
		if (is_input(&lines[i]))
			input = lines[i].ask.kind == OP_ACTIVE ? "active" : "idle";
	if (!input)
		return;
	if (!instance)
		err_set(&e, ERR_UNPROCESSABLE, NULL, "needs instance= in the query, of a stream or a poll");
	else if (presence_say(q->db, q->config, q->session.user, instance, input, &e) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (is_input(&lines[i]))
			lines[i].e = e;
}

int handle_ops(struct request *q, struct response *r, struct err *e)
{
	const char *instance = request_query(q, "instance");
	struct span rest = q->body, text;
	size_t n = count_lines(q->body);
	struct asked *lines;

	if (!n)
		return err_set(e, ERR_BAD_REQUEST, NULL, "expected an op on each line");
	if (instance && !uuid_parse(instance, strlen(instance), NULL))
		return err_set(e, ERR_BAD_FIELD, "instance", "must be a UUID in lower case");
	if (n > OPS_MAX)
		return err_set(e, ERR_TOO_LARGE, NULL, "more than %d ops", OPS_MAX);
	if (instance && !uuid_parse(instance, strlen(instance), NULL))
		return err_set(e, ERR_BAD_FIELD, "instance", "must be a UUID in lower case");
	lines = arena_alloc(q->arena, n * sizeof(*lines));
	for (size_t i = 0; i < n && next_line(&rest, &text); i++)
		if (read_line(q, text, i == 0, &lines[i], &lines[i].e) < 0 && !lines[i].e.code)
			abort(); /* a failure without a code */
	write_sends(q, lines, n);
	move_markers(q, lines, n);
	tell_input(q, lines, n);
	tell_typing(q, lines, n);
	for (size_t i = 0; i < n; i++) {
		if (lines[i].ask.interests && !lines[i].e.code && pass_on(q, instance, &lines[i], &lines[i].e) < 0 &&
		    !lines[i].e.code)
			abort(); /* as above */
		free(lines[i].ask.interests);
		answer(&r->body, &lines[i]);
		if (lines[i].ask.item)
			write_item_free(&lines[i].ask.item);
	}
	r->type = "application/x-ndjson";
	return 0;
}
