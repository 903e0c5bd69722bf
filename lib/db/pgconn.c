/* pgconn: a non-blocking libpq connection in pipeline mode (PostgreSQL documentation, 34.5). Each query is followed by
 * its own Sync, so that one that fails takes no other along. A statement is prepared in the pipeline before its first
 * use, unless a pooler stands between (pooler.h). */
#include "lib/db/pgconn.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/db/dberr.h"
#include "lib/db/hosts.h"
#include "lib/db/params.h"
#include "lib/db/pooler.h"
#include "lib/db/settings.h"
#include "lib/db/stmt.h"
#include <stdlib.h>
#include <string.h>

#define CONNECT_TIMEOUT_MS 5000
#define RESOLVE_MS \
	2500 /* for all names; then what is known is tried. For the first one the resolver has its own time */
#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 2000
#define QUERY_ARENA_LIMIT ((size_t)8 << 20)
#define FAR_AWAY_MS 60000
#define SILENT_MS 3000 /* beyond the statement time-out: it is the connection that is stuck */

enum state {
	DOWN,       /* waits for reconnect_at */
	RESOLVING,  /* threads look up the servers' names (hosts.h) */
	CONNECTING, /* PQconnectPoll() is under way */
	SETTING,    /* the settings and LISTEN are under way, not yet in pipeline mode */
	UP,         /* takes queries */
};

struct query {
	struct query *next;
	uint64_t id;
	enum stmt_id stmt;
	struct arena *arena; /* holds the parameters until sent */
	struct params params;
	int64_t deadline; /* for the wait while down */
	pgconn_done done; /* NULL: forgotten */
	void *arg;
	bool prepares; /* a Parse goes ahead of it */
	/* Its answer, which counts when its Sync has come: the transaction is committed there, and not before. */
	bool answered;
	PGresult *result;
	struct err failed;
};

struct list {
	struct query *first, **last;
};

struct pgconn {
	const struct config *config;
	char *name, *listen, *settings;
	struct pgconn_hooks hooks;
	void *arg;
	enum state state;
	PGconn *conn;
	int fd, events;
	struct hosts *hosts; /* NULL: no name to look up; kept while a thread still asks for one of them */
	int64_t reconnect_at, connect_deadline, backoff;
	struct list waiting; /* not sent */
	struct list sent;
	int64_t asked_at; /* since when the oldest one sent is the oldest; where there is one */
	size_t pending;
	uint64_t last_id;
	bool prepared[STMT_COUNT + 1];
	char *lost_why; /* a loss found inside pgconn_query(): dealt with in the next tick, since callbacks must not run
			   there */
};

static void list_init(struct list *l)
{
	l->first = NULL;
	l->last = &l->first;
}

static void list_add(struct list *l, struct query *q)
{
	q->next = NULL;
	*l->last = q;
	l->last = &q->next;
}

static struct query *list_take(struct list *l)
{
	struct query *q = l->first;

	if (q) {
		l->first = q->next;
		if (!l->first)
			l->last = &l->first;
	}
	return q;
}

static void query_free(struct query *q)
{
	PQclear(q->result);
	arena_free(&q->arena);
	free(q);
}

static void watch(struct pgconn *p, int fd, int events)
{
	if (p->fd == fd && p->events == events)
		return;
	p->fd = fd;
	p->events = events;
	p->hooks.watch(p->arg, fd, events);
}

static void finish_query(struct pgconn *p, struct query *q, const PGresult *r, const struct err *e)
{
	p->pending--;
	if (q->done)
		q->done(q->arg, r, e);
	query_free(q);
}

/* The connection is gone: queries sent fail, those that wait go on waiting until their deadline. */
static void lose(struct pgconn *p, const char *why)
{
	struct list failed = p->sent;
	bool was_up = p->state == UP;
	struct err e = {0};

	if (p->sent.first == NULL)
		list_init(&failed);
	list_init(&p->sent);
	log_warning("db.down", "conn=%s cause=%s", p->name, log_quote(why));
	watch(p, -1, 0);
	PQfinish(p->conn);
	p->conn = NULL;
	p->state = DOWN;
	memset(p->prepared, 0, sizeof(p->prepared));
	p->reconnect_at = clock_mono_ms() + p->backoff / 2 + rand_below((uint32_t)p->backoff);
	p->backoff = MIN_OF(p->backoff * 2, RECONNECT_MAX_MS);
	err_retry(&e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	for (struct query *q; failed.first && (q = failed.first);) {
		failed.first = q->next;
		finish_query(p, q, NULL, &e);
	}
	if (was_up && p->hooks.down)
		p->hooks.down(p->arg);
}

static void on_notice(void *arg, const PGresult *r)
{
	(void)arg;
	log_debug("db.notice", "text=%s", log_quote(PQresultErrorMessage(r)));
}

static void connect_open(struct pgconn *p)
{
	const char *keywords[DB_PARAMS], *values[DB_PARAMS];
	AUTO_STRBUF host = {0}, hostaddr = {0}, port = {0};

	if (p->hosts)
		hosts_lists(p->hosts, &host, &hostaddr, &port);
	db_connect_params(p->config, p->name, keywords, values);
	if (p->hosts)
		db_connect_to(strbuf_cstr(&host), strbuf_cstr(&hostaddr), strbuf_cstr(&port), keywords, values);
	p->conn = PQconnectStartParams(keywords, values, 1);
	p->connect_deadline = clock_mono_ms() + CONNECT_TIMEOUT_MS;
	p->state = CONNECTING;
	if (!p->conn || PQstatus(p->conn) == CONNECTION_BAD) {
		lose(p, p->conn ? PQerrorMessage(p->conn) : "no memory");
		return;
	}
	PQsetNoticeReceiver(p->conn, on_notice, NULL);
	watch(p, PQsocket(p->conn), PGCONN_WRITE);
}

/* Goes on when the names are known, or some of them for long enough. */
static void resolved(struct pgconn *p, int64_t now)
{
	AUTO_STRBUF why = {0};
	enum hosts_found found = hosts_found(p->hosts, &why);

	if (found == HOSTS_LOST)
		lose(p, strbuf_cstr(&why));
	else if (found == HOSTS_ALL || (found == HOSTS_SOME && p->connect_deadline <= now))
		connect_open(p);
}

static void connect_start(struct pgconn *p)
{
	hosts_look_up(&p->hosts, p->config->database.dsn);
	if (!p->hosts) {
		connect_open(p);
		return;
	}
	p->connect_deadline = clock_mono_ms() + RESOLVE_MS;
	p->state = RESOLVING;
	watch(p, hosts_fd(p->hosts), PGCONN_READ);
}

static bool send_one(struct pgconn *p, struct query *q)
{
	const struct stmt *s = &stmts[q->stmt];
	const struct params *a = &q->params;

	if (pooler_seen())
		return PQsendQueryParams(p->conn, s->sql, a->n, NULL, a->value, a->length, a->format, 0);
	q->prepares = !p->prepared[q->stmt];
	if (q->prepares && !PQsendPrepare(p->conn, s->name, s->sql, 0, NULL))
		return false;
	p->prepared[q->stmt] = true;
	return PQsendQueryPrepared(p->conn, s->name, a->n, a->value, a->length, a->format, 0);
}

/* Sends what waits, as far as the connection takes it. False: the connection is lost. */
static bool send_waiting(struct pgconn *p)
{
	while (p->waiting.first) {
		struct query *q = p->waiting.first;

		if (!send_one(p, q) || !PQpipelineSync(p->conn))
			return false;
		if (!p->sent.first)
			p->asked_at = clock_mono_ms();
		list_take(&p->waiting);
		list_add(&p->sent, q);
		arena_free(&q->arena); /* libpq has copied the parameters */
	}
	return true;
}

/* Returns false where the connection is lost. */
static bool flush(struct pgconn *p)
{
	int rc = PQflush(p->conn);

	if (rc < 0)
		return false;
	watch(p, PQsocket(p->conn), PGCONN_READ | (rc ? PGCONN_WRITE : 0));
	return true;
}

static void now_up(struct pgconn *p)
{
	if (!PQenterPipelineMode(p->conn)) {
		lose(p, "no pipeline mode");
		return;
	}
	p->state = UP;
	p->backoff = RECONNECT_MIN_MS;
	log_info("db.up", "conn=%s backend=%d", p->name, PQbackendPID(p->conn));
	if (p->hooks.up)
		p->hooks.up(p->arg);
	if (p->state == UP && (!send_waiting(p) || !flush(p)))
		lose(p, PQerrorMessage(p->conn));
}

static void connect_poll(struct pgconn *p)
{
	AUTO_STRBUF settings = {0};

	watch(p, -1, 0); /* its next address is another socket, mostly under the same number */
	switch (PQconnectPoll(p->conn)) {
	case PGRES_POLLING_READING:
		watch(p, PQsocket(p->conn), PGCONN_READ);
		return;
	case PGRES_POLLING_WRITING:
		watch(p, PQsocket(p->conn), PGCONN_WRITE);
		return;
	case PGRES_POLLING_OK:
		break;
	default:
		lose(p, PQerrorMessage(p->conn));
		return;
	}
	db_settings(&settings, p->config);
	if (p->settings)
		strbuf_addf(&settings, "; %s", p->settings);
	if (p->listen)
		strbuf_addf(&settings, "; LISTEN %s", p->listen);
	p->state = SETTING;
	if (PQsetnonblocking(p->conn, 1) != 0 || !PQsendQuery(p->conn, strbuf_cstr(&settings)) || !flush(p))
		lose(p, PQerrorMessage(p->conn));
}

static void read_settings(struct pgconn *p)
{
	PGresult *r;

	while (!PQisBusy(p->conn)) {
		r = PQgetResult(p->conn);
		if (!r) {
			now_up(p);
			return;
		}
		if (PQresultStatus(r) != PGRES_COMMAND_OK) {
			PQclear(r);
			lose(p, PQerrorMessage(p->conn));
			return;
		}
		PQclear(r);
	}
}

static void read_notifications(struct pgconn *p)
{
	PGnotify *n;

	while (p->state == UP && (n = PQnotifies(p->conn))) {
		if (p->hooks.notify)
			p->hooks.notify(p->arg, n->extra, strlen(n->extra));
		PQfreemem(n);
	}
}

/* A second one is a failure behind the rows: what is checked at the commit, or a server that ends before it. */
static void take_answer(struct pgconn *p, struct query *q, PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

	if (q->answered && good) { /* never: a query is one statement */
		PQclear(r);
		return;
	}
	PQclear(q->result);
	q->result = r;
	q->answered = true;
	if (good)
		return;
	pooler_noticed(r);
	dberr_set(&q->failed, p->conn, r, stmts[q->stmt].name);
	if (q->prepares)
		p->prepared[q->stmt] = false;
}

/* One result of the oldest query sent. Returns false where there is nothing more to read now. *nulls counts the ends of
 * statements in a row: two mean that libpq has nothing under way. */
static bool read_result(struct pgconn *p, int *nulls)
{
	struct query *q = p->sent.first;
	PGresult *r;
	ExecStatusType status;

	if (!q || PQisBusy(p->conn))
		return false;
	r = PQgetResult(p->conn);
	if (!r)
		return ++*nulls < 2;
	*nulls = 0;
	status = PQresultStatus(r);
	if (status == PGRES_PIPELINE_SYNC) {
		PQclear(r);
		list_take(&p->sent);
		p->asked_at = clock_mono_ms();
		if (!q->answered) /* never: each query has a result ahead of its Sync */
			err_set(&q->failed, ERR_INTERNAL, NULL, "something went wrong on our side");
		finish_query(p, q, q->result, q->failed.code ? &q->failed : NULL);
		return true;
	}
	if (q->prepares && status == PGRES_COMMAND_OK) {
		q->prepares = false;                   /* the Parse; its Execute follows. */
	} else if (status != PGRES_PIPELINE_ABORTED) { /* that: the Execute behind a Prepare that failed */
		take_answer(p, q, r);
		return true;
	}
	PQclear(r);
	return true;
}

void pgconn_ready(struct pgconn *p, int events)
{
	int nulls = 0;

	if (p->state == RESOLVING) {
		hosts_heard(p->hosts);
		resolved(p, clock_mono_ms());
		return;
	}
	if (p->state == CONNECTING) {
		connect_poll(p);
		return;
	}
	if (p->state == DOWN)
		return;
	if (events & PGCONN_READ) {
		if (!PQconsumeInput(p->conn)) {
			lose(p, PQerrorMessage(p->conn));
			return;
		}
		if (p->state == SETTING)
			read_settings(p);
		while (p->state == UP && read_result(p, &nulls))
			;
		read_notifications(p);
		if (p->state == UP && PQstatus(p->conn) != CONNECTION_OK) {
			lose(p, PQerrorMessage(p->conn));
			return;
		}
	}
	if ((p->state == UP || p->state == SETTING) && !flush(p))
		lose(p, PQerrorMessage(p->conn));
}

/* Fails what has waited long enough for a connection. */
static int64_t expire(struct pgconn *p, int64_t now)
{
	struct query **at = &p->waiting.first;
	struct list failed;
	int64_t next = now + FAR_AWAY_MS;
	struct err e = {0};

	list_init(&failed);
	while (*at) {
		struct query *q = *at;

		if (q->deadline <= now) {
			*at = q->next;
			list_add(&failed, q);
		} else {
			next = MIN_OF(next, q->deadline);
			at = &q->next;
		}
	}
	p->waiting.last = at;
	err_retry(&e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	for (struct query *q; (q = list_take(&failed));)
		finish_query(p, q, NULL, &e);
	return next;
}

int64_t pgconn_tick(struct pgconn *p, int64_t now)
{
	int64_t next = now + FAR_AWAY_MS;

	if (p->lost_why) {
		char *why = p->lost_why;

		p->lost_why = NULL;
		if (p->state != DOWN)
			lose(p, why);
		free(why);
	}
	if (p->state == DOWN && p->reconnect_at <= now)
		connect_start(p);
	if (p->state == RESOLVING)
		resolved(p, now);
	if ((p->state == CONNECTING || p->state == SETTING) && p->connect_deadline <= now)
		lose(p, "no answer in time");
	if (p->state == UP && p->sent.first) {
		int64_t silent_at = p->asked_at + p->config->database.statement_timeout + SILENT_MS;

		if (silent_at <= now)
			lose(p, "no answer in time");
		else
			next = MIN_OF(next, silent_at);
	}
	if (p->state != UP)
		next = MIN_OF(next, expire(p, now));
	if (p->state == DOWN)
		next = MIN_OF(next, p->reconnect_at);
	else if (p->state != UP && p->connect_deadline > now) /* else a name that is still looked up: it rings */
		next = MIN_OF(next, p->connect_deadline);
	return p->lost_why ? now : next;
}

struct pgconn *pgconn_new(const struct config *c, const char *name, const char *listen, const char *settings,
			  const struct pgconn_hooks *hooks, void *arg)
{
	struct pgconn *p = xcalloc(1, sizeof(*p));

	p->config = c;
	p->name = xstrdup(name);
	p->listen = listen ? xstrdup(listen) : NULL;
	p->settings = settings ? xstrdup(settings) : NULL;
	p->hooks = *hooks;
	p->arg = arg;
	p->fd = -1;
	p->backoff = RECONNECT_MIN_MS;
	p->reconnect_at = clock_mono_ms();
	list_init(&p->waiting);
	list_init(&p->sent);
	return p;
}

void pgconn_close(struct pgconn **pp)
{
	struct pgconn *p = *pp;
	struct query *q;

	if (!p)
		return;
	watch(p, -1, 0);
	PQfinish(p->conn);
	hosts_free(&p->hosts);
	while ((q = list_take(&p->waiting)) || (q = list_take(&p->sent)))
		query_free(q);
	free(p->lost_why);
	free(p->name);
	free(p->listen);
	free(p->settings);
	free(p);
	*pp = NULL;
}

bool pgconn_is_up(const struct pgconn *p)
{
	return p->state == UP && !p->lost_why;
}

void pgconn_reset(struct pgconn *p, const char *why)
{
	if (p->state != DOWN && !p->lost_why)
		p->lost_why = xstrdup(why);
}

uint64_t pgconn_query(struct pgconn *p, enum stmt_id stmt, int64_t wait, pgconn_done done, void *arg, const char *types,
		      ...)
{
	struct query *q = xcalloc(1, sizeof(*q));
	va_list ap;

	q->id = ++p->last_id;
	q->stmt = stmt;
	q->done = done;
	q->arg = arg;
	q->deadline = clock_mono_ms() + wait;
	q->arena = arena_new(QUERY_ARENA_LIMIT);
	va_start(ap, types);
	params_build(&q->params, q->arena, types, ap);
	va_end(ap);
	p->pending++;
	list_add(&p->waiting, q);
	if (p->state == UP && !p->lost_why && (!send_waiting(p) || !flush(p)))
		p->lost_why = xstrdup(PQerrorMessage(p->conn));
	if (q->arena) /* not sent yet, so what it borrows must live on */
		for (int i = 0; i < q->params.n; i++)
			if (q->params.value[i])
				q->params.value[i] = arena_strndup(q->arena, q->params.value[i],
								   q->params.format[i] ? (size_t)q->params.length[i]
										       : strlen(q->params.value[i]));
	return q->id;
}

void pgconn_push(struct pgconn *p)
{
	if (p->state == UP && !p->lost_why && !flush(p))
		p->lost_why = xstrdup(PQerrorMessage(p->conn));
}

void pgconn_forget(struct pgconn *p, uint64_t id)
{
	for (struct query *q = p->waiting.first; q; q = q->next)
		if (q->id == id)
			q->done = NULL;
	for (struct query *q = p->sent.first; q; q = q->next)
		if (q->id == id)
			q->done = NULL;
}

int pgconn_backend(const struct pgconn *p)
{
	return p->state == UP ? PQbackendPID(p->conn) : 0;
}

void pgconn_reset_silent(struct pgconn *p, int64_t now, int64_t ms, bool idle)
{
	if (p->state == UP && (p->sent.first ? now - p->asked_at >= ms : idle))
		pgconn_reset(p, "no answer, to the self-test neither");
}

size_t pgconn_pending(const struct pgconn *p)
{
	return p->pending;
}
