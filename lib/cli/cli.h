/* cli: the `pulsechat` command: a table of subcommands, each with its operands and options. Results go to standard
 * output, errors to standard error. */
#pragma once
#include "lib/base/err.h"
struct config;
struct db;

enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2 }; /* exit statuses */

#define CLI_OPERANDS_MAX 2
#define CLI_OPTIONS_MAX 5

struct cli_option {
	const char *name;  /* "--role" */
	const char *value; /* what its value is called in the help */
	const char *help;
};

/* What the command line says, in the order of the command's declarations; NULL where it is silent. */
struct cli {
	const struct config *config;
	const char *config_path;
	struct db *db; /* not connected yet */
	const char *operand[CLI_OPERANDS_MAX];
	const char *option[CLI_OPTIONS_MAX];
};

struct command {
	const char *name, *sub; /* "user", "add"; sub NULL: none */
	const char *help;
	const char *operands[CLI_OPERANDS_MAX]; /* all required */
	struct cli_option options[CLI_OPTIONS_MAX];
	int (*run)(struct cli *c); /* an exit status */
};

extern const struct command commands[]; /* lib/cli/commands.c; ends with a NULL name */

/* Prints the error and returns CLI_FAILED. */
int cli_fail(const struct err *e);
/* Prints what is wrong with an argument and returns CLI_USAGE. */
int cli_usage(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Finds an active user by handle. ERR_NOT_FOUND. */
MUST_CHECK int cli_user(struct cli *c, const char *handle, int64_t *id, struct err *e);
/* "90d", "12h", "30m", "45s" as milliseconds; false where s is none or out of bounds (1 s to 10 years). */
bool cli_duration(const char *s, int64_t *ms);

/* cmd_db.c */
int cmd_migrate(struct cli *c);
int cmd_new_epoch(struct cli *c);
int cmd_maintain(struct cli *c);
/* cmd_doctor.c */
int cmd_doctor(struct cli *c);
/* cmd_user.c */
int cmd_user_add(struct cli *c);
int cmd_user_list(struct cli *c);
int cmd_user_deactivate(struct cli *c);
int cmd_user_reactivate(struct cli *c);
int cmd_user_role(struct cli *c);
/* cmd_password.c */
int cmd_user_password(struct cli *c);
/* cmd_invite.c */
int cmd_invite_add(struct cli *c);
int cmd_invite_list(struct cli *c);
int cmd_invite_revoke(struct cli *c);
/* cmd_bot.c */
int cmd_bot_add(struct cli *c);
/* cmd_token.c */
int cmd_token_add(struct cli *c);
int cmd_token_list(struct cli *c);
int cmd_token_revoke(struct cli *c);
/* cmd_channel.c */
int cmd_channel_add(struct cli *c);
