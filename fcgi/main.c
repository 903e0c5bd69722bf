/* pulsechat-api: the REST interface and the log-in, as a FastCGI program, or for hosts without FastCGI as a CGI
 * program. */
#include "fcgi/app.h"
#include "fcgi/cgi.h"
#include "fcgi/checker.h"
#include "fcgi/events.h"
#include "fcgi/files.h"
#include "fcgi/files_thread.h"
#include "fcgi/listen.h"
#include "fcgi/maintain_thread.h"
#include "fcgi/openapi.h"
#include "fcgi/preview_thread.h"
#include "lib/base/notify.h"
#include "fcgi/worker.h"
#include "fcgi/writer_thread.h"
#include "lib/auth/oidc.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/descriptors.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/chat/typing_gate.h"
#include "lib/store/store.h"
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_CONFIG "/etc/pulsechat/pulsechat.conf"

/* A stop takes 2 s at most. Requests that wait for the database are let go in time to be answered. Each as from its
 * beginning. */
#define DRAINED_MS 1200
#define HURRIED_MS 1700
#define STOPPED_MS 1900

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static const char usage[] =
	"usage: pulsechat-api [-c FILE] [--files]\n"
	"\n"
	"The REST interface of PulseChat, a FastCGI program. It listens where [api] listen says, or takes the socket\n"
	"that a web server, spawn-fcgi or systemd passes on. Started by a web server as a CGI program it answers one\n"
	"request.\n"
	"\n"
	"  -c, --config FILE   the configuration (" DEFAULT_CONFIG ")\n"
	"  -F, --files         be the local object store instead, at [files] listen\n"
	"  -h, --help          this text\n"
	"  -V, --version       the version\n"
	"      --routes        the tables of routes and errors, as JSON\n"
	"\n"
	"SIGTERM, SIGINT: requests under way finish, then it ends, within two seconds.\n"
	"Exit status: 0 stopped as asked, 1 failed, 2 wrong usage.\n";

/* Returns -1 to go on, or the exit status. */
static int read_options(int argc, char **argv, const char **config, bool *files)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'}, {"files", no_argument, NULL, 'F'},
		{"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
		{"routes", no_argument, NULL, 'R'},       {0},
	};
	int o;

	while ((o = getopt_long(argc, argv, "c:FhV", options, NULL)) != -1)
		switch (o) {
		case 'c':
			*config = optarg;
			break;
		case 'F':
			*files = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		case 'V':
			puts("pulsechat-api " PULSECHAT_VERSION);
			return EXIT_OK;
		case 'R':
			openapi_print_tables(stdout);
			return EXIT_OK;
		default:
			fputs("try pulsechat-api --help\n", stderr);
			return EXIT_USAGE;
		}
	if (optind == argc)
		return -1;
	fprintf(stderr, "pulsechat-api takes no %s; try --help\n", argv[optind]);
	return EXIT_USAGE;
}

static struct config *load(const char *path)
{
	struct config *c = NULL;
	struct err e = {0};
	enum log_level level = LOG_INFO;

	if (config_load(path, &c, &e) < 0 || oidc_settings_check(c, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		config_free(&c);
		return NULL;
	}
	log_level_parse(c->log.level, &level);
	log_init("pulsechat-api", level);
	return c;
}

/* Blocked in all threads; main takes them. */
static void prepare_signals(sigset_t *stop)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	sigemptyset(stop);
	sigaddset(stop, SIGTERM);
	sigaddset(stop, SIGINT);
	pthread_sigmask(SIG_BLOCK, stop, NULL);
	sigaction(SIGPIPE, &ignore, NULL); /* a web server that left is nobody's death */
}

static int64_t until_ms(int64_t at)
{
	return MAX_OF(at - clock_mono_ms(), (int64_t)0);
}

static int stop(struct app *app, struct listener *l, struct workers *w, struct writer_thread *writer,
		struct maintain_thread *m, struct preview_thread *p)
{
	int64_t start = clock_mono_ms();
	size_t left;

	notify_systemd("STOPPING=1");
	listen_unlink(l);
	workers_drain(w);
	events_drain(app->events);
	checker_drain(app->checker);
	left = workers_wait(w, until_ms(start + DRAINED_MS));
	if (left) {
		writer_thread_hurry(writer);
		left = workers_wait(w, until_ms(start + HURRIED_MS));
	}
	if (left || !events_stop(&app->events, until_ms(start + STOPPED_MS)) ||
	    !checker_stop(&app->checker, until_ms(start + STOPPED_MS)) ||
	    !files_thread_stop(&app->care, until_ms(start + STOPPED_MS)) ||
	    !maintain_thread_stop(&m, until_ms(start + STOPPED_MS)) ||
	    !preview_thread_stop(&p, until_ms(start + STOPPED_MS))) {
		log_warning("stop.cut_short", "requests=%zu ms=%lld", left, (long long)(clock_mono_ms() - start));
		_exit(EXIT_OK); /* threads still use what would be freed */
	}
	writer_thread_stop(&writer);
	workers_free(&w);
	oidc_free(&app->oidc);
	typing_gate_free(&app->typing);
	rate_free(&app->rate);
	store_free(&app->store);
	listen_close(l);
	log_info("stop", "ms=%lld", (long long)(clock_mono_ms() - start));
	return EXIT_OK;
}

static int serve_fastcgi(const struct config *c)
{
	struct app app = {.config = c};
	struct listener l;
	struct writer_thread *writer;
	struct maintain_thread *maintain;
	struct preview_thread *previews;
	struct workers *workers = NULL;
	struct err e = {0};
	sigset_t stop_set;
	int signal_number = 0;

	prepare_signals(&stop_set);
	if (listen_open(c, c->api.listen, &l, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		return EXIT_FAILED;
	}
	if (store_new(c, &app.store, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		return EXIT_FAILED;
	}
	descriptors_raise(); /* a parked poll takes one */
	app.oidc = oidc_new(c);
	app.events = events_new(c);
	app.typing = typing_gate_new(c->typing.repeat);
	app.rate = rate_new(c);
	writer = writer_thread_start(c);
	app.gate = writer_thread_gate(writer);
	if (app.store) {
		app.checker = checker_start(c, app.store);
		app.care = files_thread_start(c, app.store);
	}
	if (preview_thread_start(c, &previews, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		return EXIT_FAILED;
	}
	if (workers_start(&app, &l, (size_t)c->api.threads, &workers, &e) < 0) {
		fprintf(stderr, "pulsechat-api: %s\n", e.detail);
		return EXIT_FAILED;
	}
	maintain = maintain_thread_start(c);
	log_info("start", "version=%s listen=%s threads=%lld", PULSECHAT_VERSION,
		 l.own ? log_quote(c->api.listen) : "passed", (long long)c->api.threads);
	notify_systemd("READY=1");
	while (sigwait(&stop_set, &signal_number) != 0)
		;
	return stop(&app, &l, workers, writer, maintain, previews);
}

static int serve_files(const struct config *c)
{
	sigset_t stop_set;

	prepare_signals(&stop_set);
	return files_serve(c, &stop_set);
}

int main(int argc, char **argv)
{
	const char *path = DEFAULT_CONFIG;
	bool cgi = cgi_is(), files = false;
	struct config *c;
	int rc = -1;

	secret_no_core();
	if (!cgi || !cgi_arguments_suspect())
		rc = read_options(argc, argv, &path, &files);
	if (rc >= 0)
		return rc;
	c = load(path);
	if (cgi)
		rc = cgi_serve(c);
	else if (files && c)
		rc = serve_files(c);
	else
		rc = c ? serve_fastcgi(c) : EXIT_FAILED;
	config_free(&c);
	return rc;
}
