/* load_lines: what a client makes of each line: latency, order, gaps. */
#include "tests/bench/load.h"
#include <string.h>

bool starts(const char *p, size_t n, const char *with, size_t with_n)
{
	return n >= with_n && memcmp(p, with, with_n) == 0;
}
#define STARTS(p, n, lit) starts(p, n, lit, sizeof(lit) - 1)

static const char *find(const char *p, size_t n, const char *what)
{
	const char *at = memmem(p, n, what, strlen(what));

	return at ? at + strlen(what) : NULL;
}

static int64_t hex(const char *p, int n)
{
	int64_t v = 0;

	for (int k = 0; k < n; k++)
		v = v << 4 | (p[k] <= '9' ? p[k] - '0' : p[k] - 'a' + 10);
	return v;
}

static int64_t number(const char **p)
{
	int64_t v = 0;

	while (**p >= '0' && **p <= '9')
		v = v * 10 + *(*p)++ - '0';
	return v;
}

static void on_message(struct conn *c, const char *p, size_t n, int64_t now)
{
	/* {"type":"message","cursor":"MARK.ID","channel":C,"seq":S,… and at the end {"text":"…"}} */
	const char *at = p + 37, *text = p + n - 3 - opt.body;
	int64_t channel, seq, due;
	struct room *r = &rooms[c->room];

	while (at < p + n && *at >= '0' && *at <= '9')
		at++;
	if (STARTS(at, (size_t)(p + n - at), "\",\"channel\":"))
		at += 12;
	else if (!(at = find(p, n, "\"channel\":")))
		return;
	channel = number(&at);
	if (STARTS(at, (size_t)(p + n - at), ",\"seq\":"))
		at += 7;
	else if (!(at = find(p, n, "\"seq\":")))
		return;
	seq = number(&at);
	if (channel != r->id) {
		m.foreign++;
		return;
	}
	if (c->last >= 0 && seq <= c->last) {
		m.backward++;
		return;
	}
	if (c->last >= 0)
		m.gaps += (uint64_t)(seq - c->last - 1);
	c->last = seq;
	if (seq > r->top)
		r->top = seq;
	if (n < opt.body + 3 || text < p || *text != '@') {
		text = find(p, n, "\"text\":\"");
		if (!text || *text != '@')
			return;
	}
	due = hex(text + 1, 16);
	if (now >= m.from && now < m.to)
		m.arrived++;
	if (due >= m.from && due < m.to) {
		m.delivered++;
		hist_add(&m.delivery, now - due);
	}
	if (c->witness) {
		size_t pub = (size_t)hex(text + 18, 4);
		unsigned count = (unsigned)hex(text + 23, 8);

		if (pub < publishers_n) {
			if (count <= seen_of[pub])
				m.unordered++;
			seen_of[pub] = count;
		}
	}
}

static void on_line(struct conn *c, const char *p, size_t n, int64_t now)
{
	if (STARTS(p, n, "{\"type\":\"message\",\"cursor\":\"")) {
		on_message(c, p, n, now);
	} else if (STARTS(p, n, "{\"type\":\"ack\"")) {
		bool usual = STARTS(p, n, "{\"type\":\"ack\",\"ref\":\"");
		const char *ref = usual ? p + 21 : find(p, n, "\"ref\":\""), *seq = find(p, n, "\"seq\":");
		const char *end = ref ? memchr(ref, '"', n - (size_t)(ref - p)) : NULL;
		int64_t s = seq ? number(&seq) : 0;

		c->waits = false;
		rooms[c->room].acked++;
		if (s > rooms[c->room].top)
			rooms[c->room].top = s;
		count_ack(end ? hex(ref, (int)(end - ref)) : now, now);
		if (m.closed && now < m.to)
			send_op(c, now);
	} else if (STARTS(p, n, "{\"type\":\"error\"")) {
		c->waits = false;
		m.refused++;
		note("error", p, n);
		if (m.closed && now < m.to)
			send_op(c, now);
	} else if (STARTS(p, n, "{\"type\":\"hello\"")) {
		if (c->state == GREETING)
			conn_opened(c);
	} else if (STARTS(p, n, "{\"type\":\"reset\"")) {
		m.resets++;
		note("reset", p, n);
	} else if (STARTS(p, n, "{\"type\":\"bye\"")) {
		m.byes++;
		note("bye", p, n);
	}
}

void on_lines(struct conn *c, const char *p, size_t n, int64_t now)
{
	const char *end = p + n;

	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = nl ? (size_t)(nl - p) : (size_t)(end - p);

		on_line(c, p, len, now);
		if (c->state == DEAD)
			return;
		p += len + 1;
	}
}
