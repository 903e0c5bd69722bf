/* pulsechat: finds the subcommand, reads its operands and options, runs it. */
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_CONFIG "/etc/pulsechat/pulsechat.conf"

int cli_fail(const struct err *e)
{
	fprintf(stderr, "pulsechat: %s%s%s\n", e->field[0] ? e->field : "", e->field[0] ? ": " : "", e->detail);
	return CLI_FAILED;
}

int cli_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("pulsechat: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see pulsechat --help\n", stderr);
	return CLI_USAGE;
}

static void print_usage(const struct command *k, FILE *f)
{
	fprintf(f, "  %s%s%s", k->name, k->sub ? " " : "", k->sub ? k->sub : "");
	for (size_t i = 0; i < COUNT_OF(k->operands) && k->operands[i]; i++)
		fprintf(f, " %s", k->operands[i]);
	for (size_t i = 0; i < COUNT_OF(k->options) && k->options[i].name; i++)
		fprintf(f, " [%s %s]", k->options[i].name, k->options[i].value);
	fprintf(f, "\n        %s\n", k->help);
}

static int help(void)
{
	puts("usage: pulsechat [-c FILE] COMMAND …\n\n"
	     "Looks after a PulseChat site. FILE is its configuration (" DEFAULT_CONFIG ").\n"
	     "COMMAND --help says more.\n");
	for (const struct command *k = commands; k->name; k++)
		print_usage(k, stdout);
	puts("\nExit status: 0 done, 1 failed, 2 wrong usage.");
	return CLI_OK;
}

static int command_help(const struct command *k)
{
	fputs("usage: pulsechat [-c FILE]", stdout);
	print_usage(k, stdout);
	for (size_t i = 0; i < COUNT_OF(k->options) && k->options[i].name; i++)
		printf("  %-10s %-7s %s\n", k->options[i].name, k->options[i].value, k->options[i].help);
	return CLI_OK;
}

static const struct command *find(const char *name, const char *sub)
{
	for (const struct command *k = commands; k->name; k++)
		if (!strcmp(k->name, name) && (!k->sub || (sub && !strcmp(k->sub, sub))))
			return k;
	return NULL;
}

static bool is_help(const char *s)
{
	return !strcmp(s, "--help") || !strcmp(s, "-h");
}

/* `--name VALUE` or `--name=VALUE`. Returns how many words it took, 0: no such option, -1: no value. */
static int take_option(const struct command *k, struct cli *c, char **argv, int left)
{
	for (size_t i = 0; i < COUNT_OF(k->options) && k->options[i].name; i++) {
		size_t n = strlen(k->options[i].name);

		if (strncmp(argv[0], k->options[i].name, n) != 0)
			continue;
		if (argv[0][n] == '=') {
			c->option[i] = argv[0] + n + 1;
			return 1;
		}
		if (argv[0][n] == 0) {
			if (left < 2)
				return -1;
			c->option[i] = argv[1];
			return 2;
		}
	}
	return 0;
}

/* Returns -1 to go on, or the exit status. */
static int read_arguments(const struct command *k, struct cli *c, char **argv, int argc)
{
	size_t operands = 0;
	bool options = true;

	for (int i = 0; i < argc;) {
		if (options && is_help(argv[i]))
			return command_help(k);
		if (options && !strcmp(argv[i], "--")) {
			options = false;
			i++;
		} else if (options && argv[i][0] == '-' && argv[i][1]) {
			int took = take_option(k, c, argv + i, argc - i);

			if (took == 0)
				return cli_usage("%s has no option %s", k->name, argv[i]);
			if (took < 0)
				return cli_usage("%s needs a value", argv[i]);
			i += took;
		} else {
			if (operands == COUNT_OF(k->operands) || !k->operands[operands])
				return cli_usage("%s: one argument too many", argv[i]);
			c->operand[operands++] = argv[i++];
		}
	}
	if (operands < COUNT_OF(k->operands) && k->operands[operands])
		return cli_usage("%s%s%s needs %s", k->name, k->sub ? " " : "", k->sub ? k->sub : "",
				 k->operands[operands]);
	return -1;
}

static int run(const struct command *k, struct cli *c)
{
	struct config *config = NULL;
	struct err e = {0};
	enum log_level level = LOG_WARNING;
	int rc;

	if (config_load(c->config_path, &config, &e) < 0) {
		fprintf(stderr, "pulsechat: %s\n", e.detail);
		return CLI_FAILED;
	}
	log_level_parse(config->log.level, &level);
	log_init("pulsechat", MAX_OF(level, LOG_WARNING));
	c->config = config;
	c->db = db_new(config);
	rc = k->run(c);
	db_free(&c->db);
	config_free(&config);
	if (fflush(stdout) != 0 && rc == CLI_OK) {
		fputs("pulsechat: standard output cannot be written\n", stderr);
		rc = CLI_FAILED;
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct cli c = {.config_path = DEFAULT_CONFIG};
	const struct command *k;
	int at = 1, rc;

	secret_no_core();
	while (at < argc && argv[at][0] == '-') {
		if (is_help(argv[at]))
			return help();
		if (strcmp(argv[at], "-c") != 0 && strcmp(argv[at], "--config") != 0)
			return cli_usage("no option %s before the command", argv[at]);
		if (at + 1 == argc)
			return cli_usage("%s needs a file", argv[at]);
		c.config_path = argv[at + 1];
		at += 2;
	}
	if (at == argc)
		return cli_usage("no command");
	k = find(argv[at], at + 1 < argc ? argv[at + 1] : NULL);
	if (!k)
		return cli_usage("no command %s%s%s", argv[at], at + 1 < argc ? " " : "",
				 at + 1 < argc ? argv[at + 1] : "");
	at += k->sub ? 2 : 1;
	rc = read_arguments(k, &c, argv + at, argc - at);
	return rc >= 0 ? rc : run(k, &c);
}
