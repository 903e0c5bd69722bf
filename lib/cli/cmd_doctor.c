/* cmd_doctor: a line per check, "ok" or "FAIL" and what to do. */
#include "lib/auth/oidc.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include "lib/db/migrations.h"
#include "lib/store/store_check.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLOCK_SKEW_MAX_US ((int64_t)2000000)
#define EVENTS_SPARE_MIN 2
#define BUS_WAIT_MS 2000

struct doctor {
	struct cli *c;
	bool failed;
};

static void report(struct doctor *d, bool ok, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void report(struct doctor *d, bool ok, const char *fmt, ...)
{
	va_list ap;

	fputs(ok ? "ok    " : "FAIL  ", stdout);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	d->failed = d->failed || !ok;
}

static void report_oidc(void *arg, bool ok, const char *text)
{
	report(arg, ok, "oidc: %s", text);
}

static void report_files(void *arg, bool ok, const char *text)
{
	report(arg, ok, "files: %s", text);
}

/* True where every file of this program is recorded as it is here. */
static bool check_schema(struct doctor *d)
{
	for (const struct sql_file *f = sql_files; f->path; f++) {
		unsigned char hash[32];
		char want[65];
		PGresult *r = NULL;
		struct err e = {0};
		bool same;

		sha256(f->sql, strlen(f->sql), hash);
		hex_encode(want, hash, sizeof(hash));
		if (db_one(d->c->db, STMT_schema_recorded, &r, &e, "t", f->path) < 0) {
			report(d, false, "schema: there is none: run `pulsechat migrate`");
			return false;
		}
		same = r && !strcmp(result_text(r, 0, 0), want);
		PQclear(r);
		if (!same) {
			report(d, false, "schema: %s is not applied, or another version of it: run `pulsechat migrate`",
			       f->path);
			return false;
		}
	}
	report(d, true, "schema: current");
	return true;
}

static void check_stream(struct doctor *d)
{
	struct err e = {0};
	PGresult *r = NULL;
	int64_t before = clock_now_us(), after, skew = 0, now;

	if (db_one(d->c->db, STMT_doctor_stream, &r, &e, "") < 0 || !r) {
		report(d, false, "event log: %s", e.detail);
		return;
	}
	after = clock_now_us();
	report(d, !result_null(r, 0, 0), "event log: epoch %s, at event %s%s", result_text(r, 0, 0),
	       result_text(r, 0, 1), result_null(r, 0, 0) ? "none: run `pulsechat migrate`" : "");
	report(d, result_int(r, 0, 5) >= EVENTS_SPARE_MIN,
	       "event log: partitions have room for %s more events, %s of them are spare%s", result_text(r, 0, 2),
	       result_text(r, 0, 5),
	       result_int(r, 0, 5) >= EVENTS_SPARE_MIN
		       ? ""
		       : ": run `pulsechat maintain`, and see why pulsechat-api does not");
	now = result_int(r, 0, 3);
	if (now < before)
		skew = before - now;
	else if (now > after)
		skew = now - after;
	report(d, skew <= CLOCK_SKEW_MAX_US, "clock: %lld ms from the database server's%s", (long long)(skew / 1000),
	       skew <= CLOCK_SKEW_MAX_US ? "" : ": have both kept by NTP, log-ins depend on it");
	PQclear(r);
}

/* A notification on the connection, within ms. */
static bool heard(PGconn *conn, int64_t ms)
{
	int64_t end = clock_mono_ms() + ms, left;
	bool any = false;

	for (;;) {
		struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};
		PGnotify *n;

		if (!PQconsumeInput(conn))
			return false;
		while ((n = PQnotifies(conn))) {
			any = true;
			PQfreemem(n);
		}
		left = end - clock_mono_ms();
		if (any || left <= 0)
			return any;
		poll(&p, 1, (int)left);
	}
}

/* By two connections, as the programs have them: a pooler in transaction mode shows by what the first does not hear. */
static void check_bus(struct doctor *d)
{
	struct db *other = db_new(d->c->config);
	PGresult *r = NULL, *sent = NULL;
	struct err e = {0};
	int64_t began = clock_mono_ms();
	bool pooled;

	if (db_query(d->c->db, STMT_doctor_listen, &r, &e, "") < 0 ||
	    db_query(other, STMT_doctor_notify, &sent, &e, "") < 0) {
		report(d, false, "bus: %s", e.detail);
	} else {
		pooled = result_int(sent, 0, 1) != PQbackendPID(db_raw(other));
		if (heard(db_raw(d->c->db), BUS_WAIT_MS))
			report(d, true, "bus: a notification arrived in %lld ms%s",
			       (long long)(clock_mono_ms() - began),
			       pooled ? ", through a pooler in session mode" : "");
		else
			report(d, false,
			       "bus: a notification did not arrive within %d s%s: let [database] dsn name the server "
			       "itself, or a pool in session mode (PgBouncer: pool_mode = session); until then "
			       "messages "
			       "come up to a second late",
			       BUS_WAIT_MS / 1000, pooled ? ", through a connection pooler" : "");
	}
	PQclear(r);
	PQclear(sent);
	db_free(&other);
}

static void check_database(struct doctor *d)
{
	struct err e = {0};

	if (db_connect(d->c->db, &e) < 0) {
		report(d, false,
		       "database: no connection by [database] dsn = %s: is PostgreSQL running, and may this user log "
		       "in?",
		       d->c->config->database.dsn);
		return;
	}
	report(d, true, "database: PostgreSQL %d as %s, database %s", PQserverVersion(db_raw(d->c->db)) / 10000,
	       PQuser(db_raw(d->c->db)), PQdb(db_raw(d->c->db)));
	if (check_schema(d)) {
		check_stream(d);
		check_bus(d);
	}
}

static int connect_unix(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd, rc;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -1 : connect(fd, (const struct sockaddr *)&addr, sizeof(addr));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int connect_tcp(const char *text)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV}, *found;
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	char host[64];
	int fd, rc;

	if (n >= 2 && text[0] == '[' && text[n - 1] == ']') {
		text++;
		n -= 2;
	}
	errno = EINVAL;
	if (!colon || n >= sizeof(host))
		return -1;
	memcpy(host, text, n);
	host[n] = 0;
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -1;
	fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -1 : connect(fd, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void check_socket(struct doctor *d, const char *program, const char *section, const char *listen)
{
	int rc;

	if (!listen[0]) {
		report(d, true, "%s: [%s] listen is empty, the web server starts it", program, section);
		return;
	}
	rc = listen[0] == '/' ? connect_unix(listen) : connect_tcp(listen);
	if (rc == 0)
		report(d, true, "%s: listens on %s", program, listen);
	else
		report(d, false, "%s: nobody answers on [%s] listen = %s (%s): start it, or see its log", program,
		       section, listen, strerror(errno));
}

static void check_rate(struct doctor *d)
{
	const char *table = d->c->config->rate.table;
	struct err e = {0};

	if (!table[0])
		report(d, true,
		       "limits: [rate] table is empty, each process counts for itself, and CGI programs not at all");
	else if (rate_check(d->c->config, &e) == 0)
		report(d, true, "limits: the processes of this host count together in %s", table);
	else
		report(d, false,
		       "limits: %s: until then each process counts for itself; run this as the user of the programs, "
		       "and "
		       "let "
		       "[rate] table name a file in a folder of that user",
		       e.detail);
}

int cmd_doctor(struct cli *c)
{
	struct doctor d = {.c = c};

	report(&d, true, "configuration: %s, for %s", c->config_path, c->config->site.url);
	check_database(&d);
	if (!oidc_check(c->config, report_oidc, &d))
		d.failed = true;
	if (!store_check(c->config, report_files, &d))
		d.failed = true;
	check_rate(&d);
	check_socket(&d, "pulsechat-api", "api", c->config->api.listen);
	check_socket(&d, "pulsechat-realtime", "realtime", c->config->realtime.listen);
	return d.failed ? CLI_FAILED : CLI_OK;
}
