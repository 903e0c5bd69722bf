/* state: what receivers are told of presence, reads and typing, in whatever order the bus, the log and the database
 * bring it. The database is played by hand; so is the time. */
// clang-format off
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include "lib/base/clock.h"
#include "lib/chat/interests.h"
#include "lib/chat/typing_gate.h"
#include "lib/live/state_private.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARK "abcdefgh"
#define ROOM 12
#define PRESENCE(user, state) "{\"user\": " #user ", \"state\": \"" state "\"}"

struct reader {
	struct receiver r; /* first */
	struct strbuf got; /* lines, each with its end */
	bool slow;
	int states;
	bool differs;
};

static struct live *live;
static struct live_read *asked[16];
static size_t asked_n;
static int64_t now;

/* ---- the database */

static void on_read(void *arg, struct live_read *q)
{
	(void)arg;
	assert_true(asked_n < COUNT_OF(asked));
	asked[asked_n++] = q;
}

static void on_ready(void *arg)
{
	(void)arg;
}

static void on_doubt(void *arg)
{
	(void)arg;
	fail();
}

static void on_test(void *arg, int64_t number)
{
	(void)arg;
	(void)number;
}

static struct live_read *take(enum stmt_id stmt)
{
	for (size_t i = 0; i < asked_n; i++)
		if (asked[i]->stmt == stmt) {
			struct live_read *q = asked[i];

			memmove(&asked[i], &asked[i + 1], (--asked_n - i) * sizeof(*asked));
			return q;
		}
	fail_msg("statement %d was not asked", (int)stmt);
	return NULL;
}

/* A result of text columns: rows end with NULL, columns are divided by |, ~ is null. */
static PGresult *rows_of(int columns, const char *const *rows)
{
	PGresult *r = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	PGresAttDesc *d = calloc((size_t)columns, sizeof(*d));

	for (int i = 0; i < columns; i++)
		d[i] = (PGresAttDesc){.name = (char *)(uintptr_t) "x", .typid = 25, .typlen = -1, .atttypmod = -1};
	assert_true(PQsetResultAttrs(r, columns, d));
	free(d);
	for (int row = 0; rows[row]; row++) {
		const char *p = rows[row];

		for (int col = 0; col < columns; col++) {
			size_t n = strcspn(p, "|");

			assert_true(PQsetvalue(r, row, col, *p == '~' ? NULL : (char *)(uintptr_t)p,
					       *p == '~' ? -1 : (int)n));
			p += n + (p[n] ? 1 : 0);
		}
	}
	return r;
}

static void answer(struct live_read *q, int columns, const char *const *rows)
{
	PGresult *r = rows_of(columns, rows);

	live_answer(q, r, NULL);
	PQclear(r);
}
#define ANSWER(q, columns, ...) answer(q, columns, (const char *const[]){__VA_ARGS__, NULL})

static void fails(struct live_read *q)
{
	struct err e = {0};

	err_retry(&e, ERR_UNAVAILABLE, 1000, "away");
	live_answer(q, NULL, &e);
}

/* ---- readers */

static struct reader *reader_of(struct receiver *r)
{
	return (struct reader *)r;
}

static void on_begin(struct receiver *r)
{
	(void)r;
}

static void on_line(struct receiver *r, struct line *l, int64_t id)
{
	if (id)
		return;
	strbuf_add(&reader_of(r)->got, l->p, l->n);
	strbuf_addc(&reader_of(r)->got, '\n');
}

static size_t on_room(struct receiver *r)
{
	(void)r;
	return 1000;
}

static void on_reset(struct receiver *r, const char *reason)
{
	(void)r;
	(void)reason;
}

static void on_refused(struct receiver *r, const struct err *e)
{
	(void)r;
	(void)e;
	fail();
}

static void on_ended(struct receiver *r, enum live_end why)
{
	(void)r;
	(void)why;
}

static bool takes_state(const struct receiver *r)
{
	return !((const struct reader *)r)->slow;
}

static void on_state(struct receiver *r, bool differs)
{
	reader_of(r)->states++;
	reader_of(r)->differs = differs;
}

static const struct receiver_hooks stream_hooks = {
	.begin = on_begin,
	.line = on_line,
	.room = on_room,
	.live = on_begin,
	.reset = on_reset,
	.refused = on_refused,
	.ended = on_ended,
	.takes_state = takes_state,
};
static const struct receiver_hooks poll_hooks = {
	.begin = on_begin,
	.line = on_line,
	.room = on_room,
	.live = on_begin,
	.reset = on_reset,
	.refused = on_refused,
	.ended = on_ended,
	.state = on_state,
};

static int set_up(void **state)
{
	static const struct live_hooks hooks = {.read = on_read, .ready = on_ready, .doubt = on_doubt, .test = on_test};
	struct live_limits limits = {
		.ring_events = 100, .ring_bytes = 1 << 20, .resume_events = 100, .typing = {6000, 2000, 200}};

	(void)state;
	asked_n = 0;
	now = clock_mono_ms();
	live = live_new(&limits, &hooks, NULL);
	live_listening(live, true);
	live_opened(live, MARK, 0);
	ANSWER(take(STMT_live_window), 27, "0|1|" MARK "|0|2000|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~|~");
	assert_true(live_is_ready(live));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	live_free(&live);
	return 0;
}

/* A reader of the user, who is a member of ROOM. */
static void enter(struct reader *a, const struct receiver_hooks *hooks, int64_t user, const struct cursor *cursor)
{
	memset(a, 0, sizeof(*a));
	a->r.hooks = hooks;
	assert_int_equal(live_add(live, &a->r, user, 1, live_here(live), cursor), LIVE_ADDED);
	if (!a->r.user->loaded)
		ANSWER(take(STMT_live_user), 5, "0|" MARK "|12|0|f");
	assert_int_equal(a->r.state, RECEIVER_LIVE);
}

static void leave(struct reader *a)
{
	live_remove(live, &a->r, now);
	strbuf_release(&a->got);
}

static void focus(struct reader *a, int64_t channel)
{
	live_interests(live, &a->r, &(struct interests){.focus = true, .channels_n = 1, .channels = {channel}});
}

static void watch(struct reader *a, int64_t user)
{
	live_interests(live, &a->r, &(struct interests){.watch = true, .users_n = 1, .users = {user}});
}

/* What came since the last look. */
static void got(struct reader *a, const char *lines)
{
	assert_string_equal(strbuf_cstr(&a->got), lines);
	strbuf_reset(&a->got);
}

static void work(int64_t later)
{
	now = MAX_OF(now, clock_mono_ms()) + later;
	state_tick(live, now);
	state_work(live, now);
}

static void bus(const char *payload)
{
	live_payload(live, payload, strlen(payload));
}

#define C_ROW "0|" MARK "|c|12|0|3|0|f|~"
#define M_ROW(user, seq) "0|" MARK "|m|12|" #user "|" #seq "|~|f|~"
#define P_ROW(user, state) "0|" MARK "|p|0|" #user "|~|~|f|" PRESENCE(user, state)

#define PRESENCE_LINE(...) "{\"type\":\"presence\",\"users\":[" __VA_ARGS__ "]}\n"
#define READS_LINE(...) "{\"type\":\"reads\",\"channel\":12,\"reads\":[" __VA_ARGS__ "]}\n"
#define TYPING_LINE(users, count) "{\"type\":\"typing\",\"channel\":12,\"users\":[" users "],\"count\":" count "}\n"
#define JOIN(id, user) #id " j 12 0 " #user " {\"type\":\"member.joined\",\"cursor\":\"" MARK "." #id "\",\"x\":1}"
#define LEAVE(id, user) #id " l 12 0 " #user " {\"type\":\"member.left\",\"cursor\":\"" MARK "." #id "\",\"x\":1}"

static void look_at(struct reader *a)
{
	focus(a, ROOM);
	work(0);
	ANSWER(take(STMT_live_state), 9, C_ROW, M_ROW(1, 5), M_ROW(2, 4), M_ROW(3, ~), P_ROW(1, "online"),
	       P_ROW(2, "away"), P_ROW(3, "offline"));
	work(0);
	got(a, PRESENCE_LINE(PRESENCE(2, "away") "," PRESENCE(3, "offline"))
		       READS_LINE("{\"user\":1,\"seq\":5},{\"user\":2,\"seq\":4}"));
}

/* ---- */

static void a_look_is_one_question_for_all(void **state)
{
	struct reader a, b;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	enter(&b, &stream_hooks, 2, NULL);
	look_at(&a);
	focus(&b, ROOM);
	work(0);
	assert_int_equal(asked_n, 0);
	got(&b, PRESENCE_LINE(PRESENCE(1, "online") "," PRESENCE(3, "offline"))
			READS_LINE("{\"user\":1,\"seq\":5},{\"user\":2,\"seq\":4}"));
	leave(&a);
	leave(&b);
	enter(&a, &stream_hooks, 1, NULL); /* what is known is kept for a while */
	focus(&a, ROOM);
	work(0);
	assert_int_equal(asked_n, 0);
	got(&a, PRESENCE_LINE(PRESENCE(2, "away") "," PRESENCE(3, "offline"))
			READS_LINE("{\"user\":1,\"seq\":5},{\"user\":2,\"seq\":4}"));
	leave(&a);
	work(FOCUS_LINGER_MS + 1000);
	assert_null(live->state->focus.channels);
	assert_null(live->state->focus.people);
}

static void changes_are_told_once_a_second(void **state)
{
	struct reader a;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	look_at(&a);
	bus("0 w 0 0 2 " PRESENCE(2, "online"));
	bus("0 w 0 0 1 " PRESENCE(1, "away")); /* oneself */
	bus("0 w 0 0 9 " PRESENCE(9, "away")); /* of no interest */
	bus("0 k 12 0 3 {\"user\":3,\"seq\":6}");
	work(500);
	got(&a, "");
	bus("0 w 0 0 2 " PRESENCE(2, "offline"));
	bus("0 w 0 0 3 " PRESENCE(3, "offline")); /* nothing new */
	bus("0 k 12 0 2 {\"user\":2,\"seq\":3}"); /* backwards */
	work(501);
	got(&a, PRESENCE_LINE(PRESENCE(2, "offline")) READS_LINE("{\"user\":3,\"seq\":6}"));
	work(1001);
	bus("0 k 12 0 3 {\"user\":3,\"seq\":null}");
	work(0);
	got(&a, READS_LINE("{\"user\":3,\"seq\":null}"));
	leave(&a);
}

static void a_slow_reader_is_told_later_what_is_then(void **state)
{
	struct reader a;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	look_at(&a);
	a.slow = true;
	for (int i = 0; i < 5; i++) {
		bus("0 w 0 0 2 " PRESENCE(2, "online"));
		work(1100);
		bus("0 w 0 0 2 " PRESENCE(2, "offline"));
		bus("0 w 0 0 3 " PRESENCE(3, "away"));
		work(1100);
	}
	got(&a, "");
	a.slow = false;
	work(1100);
	got(&a, PRESENCE_LINE(PRESENCE(2, "offline") "," PRESENCE(3, "away")));
	leave(&a);
}

static void the_bus_is_newer_than_an_answer_that_was_under_way(void **state)
{
	struct reader a;
	struct live_read *q;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	focus(&a, ROOM);
	watch(&a, 9);
	work(0);
	q = take(STMT_live_state);
	assert_int_equal(q->lists[0].n, 1);
	assert_int_equal(q->lists[1].n, 1);
	assert_int_equal(q->params[0], 1);
	bus("0 w 0 0 9 " PRESENCE(9, "online"));
	bus("0 k 12 0 2 {\"user\":2,\"seq\":8}");
	fails(q);
	now += LIVE_RETRY_MS + 100;
	live->reads[READ_STATE].not_before = 0;
	reads_start(live, READ_STATE);
	q = take(STMT_live_state);
	ANSWER(q, 9, C_ROW, M_ROW(1, 5), M_ROW(2, 4), M_ROW(3, ~), P_ROW(1, "online"), P_ROW(2, "away"),
	       P_ROW(3, "offline"), "0|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "away"));
	work(0);
	got(&a, PRESENCE_LINE(PRESENCE(2, "away") "," PRESENCE(3, "offline") "," PRESENCE(9, "online"))
			READS_LINE("{\"user\":1,\"seq\":5},{\"user\":2,\"seq\":8}"));
	leave(&a);
}

static void membership_is_as_the_log_says(void **state)
{
	struct reader a;
	struct live_read *q;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	focus(&a, ROOM);
	work(0);
	q = take(STMT_live_state);
	bus(LEAVE(1, 2)); /* above the head of the answer that is under way */
	bus(JOIN(2, 4));
	ANSWER(q, 9, C_ROW, M_ROW(1, 5), M_ROW(2, 4), M_ROW(3, ~), P_ROW(1, "online"), P_ROW(2, "away"),
	       P_ROW(3, "offline"));
	work(0);
	got(&a, PRESENCE_LINE(PRESENCE(3, "offline")) READS_LINE("{\"user\":1,\"seq\":5}"));
	q = take(STMT_live_state); /* of the newcomer nothing is known */
	assert_int_equal(q->params[0], 0);
	ANSWER(q, 9, "2|" MARK "|c|12|0|3|0|f|~", "2|" MARK "|m|12|1|5|~|f|~", "2|" MARK "|m|12|3|~|~|f|~",
	       "2|" MARK "|m|12|4|7|~|f|~", P_ROW(1, "online"), P_ROW(3, "offline"), P_ROW(4, "online"));
	work(1001);
	got(&a, PRESENCE_LINE(PRESENCE(4, "online")) READS_LINE("{\"user\":4,\"seq\":7}"));
	/* the reader himself is out, and in again */
	bus(LEAVE(3, 1));
	bus("0 w 0 0 4 " PRESENCE(4, "away"));
	bus("0 y 12 0 4 {}");
	work(2000);
	got(&a, "");
	bus(JOIN(4, 1));
	work(0);
	got(&a, PRESENCE_LINE(PRESENCE(3, "offline") "," PRESENCE(4, "away")) READS_LINE("{\"user\":4,\"seq\":7}")
			TYPING_LINE("4", "1"));
	leave(&a);
}

static void who_may_be_watched_is_judged_again_at_a_leave(void **state)
{
	struct reader a;
	struct live_read *q;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	watch(&a, 9);
	work(0);
	ANSWER(take(STMT_live_state), 9, "0|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "away"));
	work(0);
	got(&a, PRESENCE_LINE(PRESENCE(9, "away")));
	watch(&a, 9); /* it is known that he may */
	work(0);
	assert_int_equal(asked_n, 0);
	got(&a, PRESENCE_LINE(PRESENCE(9, "away")));
	bus(LEAVE(1, 9));
	bus("0 w 0 0 9 " PRESENCE(9, "online"));
	work(2000);
	got(&a, ""); /* not before it has been judged */
	q = take(STMT_live_state);
	bus(LEAVE(2, 9)); /* after the question: it says nothing any more */
	ANSWER(q, 9, "0|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "online"));
	work(2000);
	got(&a, "");
	ANSWER(take(STMT_live_state), 9, "2|" MARK "|~|~|~|~|~|~|~");
	work(2000);
	got(&a, "");
	bus(JOIN(3, 9));
	work(0);
	ANSWER(take(STMT_live_state), 9, "3|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "online"));
	work(0);
	got(&a, PRESENCE_LINE(PRESENCE(9, "online")));
	leave(&a);
}

static void typing_ends_with_the_message_and_in_time(void **state)
{
	struct reader a, b;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	look_at(&a);
	enter(&b, &stream_hooks, 2, NULL);
	bus("0 y 12 0 2 {}");
	bus("0 y 13 0 2 {}"); /* a channel that nobody looks at */
	work(0);
	got(&a, TYPING_LINE("2", "1"));
	got(&b, "");
	focus(&b, ROOM);
	work(0);
	strbuf_reset(&b.got);
	bus("0 y 12 0 3 {}");
	work(0);
	got(&a, TYPING_LINE("2,3", "2"));
	got(&b, TYPING_LINE("3", "1"));
	bus("1 m 12 0 41 {\"type\":\"message\",\"cursor\":\"" MARK
	    ".1\",\"channel\":12,\"seq\":41,\"id\":7,\"created_at\":\"x\",\"sender\":2,\"body\":{\"text\":\"\"}}");
	work(0);
	got(&a, TYPING_LINE("3", "1"));
	got(&b, "");
	bus("0 y 12 40 2 {}"); /* from before his message */
	work(0);
	got(&a, "");
	bus("0 y 12 41 2 {}");
	work(0);
	got(&a, TYPING_LINE("3,2", "2"));
	bus("0 y 12 41 2 {\"thread\":40}"); /* now in a thread */
	work(0);
	got(&a, "{\"type\":\"typing\",\"channel\":12,\"users\":[3],\"count\":1,\"threads\":["
		"{\"thread\":40,\"users\":[2],\"count\":1}]}\n");
	got(&b, ""); /* it is his own */
	work(7000);
	got(&a, TYPING_LINE("", "0"));
	leave(&a);
	leave(&b);
}

static void what_one_types_leaves_once_and_together(void **state)
{
	struct reader a;
	struct err e = {0};
	struct live_read *q;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	for (int i = 0; i < 100; i++)
		assert_int_equal(live_type(live, &a.r, ROOM, 40, 41, &e), 0);
	assert_int_equal(live_type(live, &a.r, 13, 0, 0, &e), -1);
	assert_int_equal(e.code, ERR_NOT_A_MEMBER);
	assert_int_equal(asked_n, 0);
	work(51);
	q = take(STMT_typing_send);
	assert_int_equal(q->lists[0].n, 1);
	assert_int_equal(q->lists[2].ids[0], 41);
	assert_int_equal(q->lists[3].ids[0], 40);
	assert_int_equal(q->lists[4].n, 1);
	ANSWER(q, 1, "1"); /* too many are present */
	assert_int_equal(typing_gate_channel(live->state->gate, ROOM, clock_mono_ms()), TYPING_OFF);
	assert_int_equal(live_type(live, &a.r, ROOM, 40, 41, &e), 0);
	work(5000);
	assert_int_equal(asked_n, 0);
	leave(&a);
}

static void what_may_have_been_missed_is_read_again(void **state)
{
	struct reader a;
	struct live_read *q;

	(void)state;
	enter(&a, &stream_hooks, 1, NULL);
	look_at(&a);
	watch(&a, 9);
	work(0);
	ANSWER(take(STMT_live_state), 9, "0|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "away"));
	work(1001);
	strbuf_reset(&a.got);
	live_opened(live, MARK, 0); /* as after a reconnect */
	asked_n = 0;                /* the log's window is of no interest here */
	work(0);
	q = take(STMT_live_state);
	assert_int_equal(q->lists[0].ids[0], ROOM);
	assert_int_equal(q->lists[1].ids[0], 9);
	ANSWER(q, 9, C_ROW, M_ROW(1, 5), M_ROW(2, 9), M_ROW(3, ~), P_ROW(1, "online"), P_ROW(2, "online"),
	       P_ROW(3, "offline"), "0|" MARK "|p|0|9|~|~|t|" PRESENCE(9, "offline"));
	work(1001);
	got(&a, PRESENCE_LINE(PRESENCE(2, "online") "," PRESENCE(9, "offline")) READS_LINE("{\"user\":2,\"seq\":9}"));
	leave(&a);
}

static void a_poll_is_due_where_its_cursor_says_otherwise(void **state)
{
	struct cursor c = {MARK, 0, ""};
	char digest[CURSOR_DIGEST_LEN + 1], again[CURSOR_DIGEST_LEN + 1];
	AUTO_STRBUF b = {0};
	struct reader p;

	(void)state;
	enter(&p, &poll_hooks, 1, &c);
	focus(&p, ROOM);
	work(0);
	ANSWER(take(STMT_live_state), 9, C_ROW, M_ROW(1, 5), M_ROW(2, 4), M_ROW(3, ~), P_ROW(1, "online"),
	       P_ROW(2, "away"), P_ROW(3, "offline"));
	assert_int_equal(p.states, 0);
	work(0);
	assert_int_equal(p.states, 1);
	assert_true(p.differs);
	live_state(live, &p.r, &b, digest);
	assert_string_equal(strbuf_cstr(&b),
			    PRESENCE_LINE(PRESENCE(2, "away") "," PRESENCE(3, "offline")) READS_LINE(
				    "{\"user\":1,\"seq\":5},{\"user\":2,\"seq\":4}") "{\"type\":\"typing\",\"channel\":"
										     "12,\"users\":[],\"count\":0}\n");
	got(&p, "");
	leave(&p);

	memcpy(c.digest, digest, sizeof(digest)); /* the next one */
	enter(&p, &poll_hooks, 1, &c);
	focus(&p, ROOM);
	work(0);
	assert_int_equal(p.states, 1);
	assert_false(p.differs);
	strbuf_reset(&b);
	live_state(live, &p.r, &b, again);
	assert_string_equal(again, digest);
	assert_int_equal(b.n, 0);
	bus("0 w 0 0 2 " PRESENCE(2, "online"));
	work(0);
	assert_int_equal(p.states, 1); /* for state alone not within a second of its arrival */
	bus("0 w 0 0 2 " PRESENCE(2, "away"));
	work(1100);
	assert_int_equal(p.states, 1); /* as it was */
	bus("0 k 12 0 2 {\"user\":2,\"seq\":5}");
	work(0);
	assert_int_equal(p.states, 2);
	assert_true(p.differs);
	leave(&p);

	enter(&p, &poll_hooks, 1, &c); /* who asks for something else is answered at once */
	live_interests(live, &p.r, &(struct interests){.focus = true, .watch = true, .users_n = 1, .users = {9}});
	work(0);
	ANSWER(take(STMT_live_state), 9, "0|" MARK "|~|~|~|~|~|~|~");
	work(0);
	assert_int_equal(p.states, 1);
	assert_true(p.differs);
	strbuf_reset(&b);
	live_state(live, &p.r, &b, again);
	assert_int_equal(b.n, 0);
	assert_string_not_equal(again, digest);
	leave(&p);
}

static void what_nobody_is_told_of_makes_no_difference(void **state)
{
	static const char *const json[] = {
		"{\"user\": 2, \"state\": \"away\", \"last_active\": null}",
		"{\"user\": 2, \"state\": \"away\", \"last_active\": \"2026-11-26T15:00:00.000Z\"}"};
	struct cursor c = {MARK, 0, ""};
	char digest[2][CURSOR_DIGEST_LEN + 1];
	struct reader p;

	(void)state;
	enter(&p, &poll_hooks, 1, &c);
	focus(&p, ROOM);
	work(0);
	ANSWER(take(STMT_live_state), 9, C_ROW, M_ROW(1, 5), M_ROW(2, 4), P_ROW(1, "online"), P_ROW(2, "online"));
	for (int i = 0; i < 2; i++) {
		AUTO_STRBUF b = {0}, line = {0};

		strbuf_addf(&line, "0 w 0 0 2 %s", json[i]);
		bus(strbuf_cstr(&line));
		live_state(live, &p.r, &b, digest[i]);
		assert_non_null(strstr(strbuf_cstr(&b), json[i]));
	}
	assert_string_equal(digest[0], digest[1]);
	leave(&p);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_look_is_one_question_for_all),
		TEST(changes_are_told_once_a_second),
		TEST(a_slow_reader_is_told_later_what_is_then),
		TEST(the_bus_is_newer_than_an_answer_that_was_under_way),
		TEST(membership_is_as_the_log_says),
		TEST(who_may_be_watched_is_judged_again_at_a_leave),
		TEST(typing_ends_with_the_message_and_in_time),
		TEST(what_one_types_leaves_once_and_together),
		TEST(what_may_have_been_missed_is_read_again),
		TEST(a_poll_is_due_where_its_cursor_says_otherwise),
		TEST(what_nobody_is_told_of_makes_no_difference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
