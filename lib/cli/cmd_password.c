/* cmd_password: passwords of local accounts. They come by standard input, never by the command line, which others see.
 */
#include "lib/auth/local.h"
#include "lib/auth/password.h"
#include "lib/base/config.h"
#include "lib/base/secret.h"
#include "lib/chat/acting.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define LINE_MAX_ (PASSWORD_BYTES_MAX + 3) /* with its end, and one byte that shows that it is too long */

static bool read_line(char out[LINE_MAX_])
{
	if (!fgets(out, LINE_MAX_, stdin))
		return false;
	out[strcspn(out, "\r\n")] = 0;
	return true;
}

/* Asks without showing what is typed. */
static bool ask(const char *prompt, char out[LINE_MAX_])
{
	struct termios shown, hidden;
	bool got;

	fputs(prompt, stderr);
	if (tcgetattr(STDIN_FILENO, &shown) != 0)
		return read_line(out);
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	got = read_line(out);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	fputc('\n', stderr);
	return got;
}

int cmd_user_password(struct cli *c)
{
	char first[LINE_MAX_] = "", second[LINE_MAX_] = "";
	bool person = isatty(STDIN_FILENO);
	struct err e = {0};
	int64_t user;
	int rc = CLI_OK;

	setvbuf(stdin, NULL, _IONBF, 0); /* no copy of it in a buffer */
	if (cli_user(c, c->operand[0], &user, &e) < 0)
		return cli_fail(&e);
	if (!(person ? ask("New password: ", first) && ask("Again: ", second) : read_line(first)))
		rc = cli_usage("no password on standard input");
	else if (person && strcmp(first, second) != 0)
		rc = cli_usage("the two differ");
	else if (local_set_password(c->db, &ACTING_COMMAND, user, first, 0, &e) < 0)
		rc = cli_fail(&e);
	else if (!config_local_accounts(c->config))
		fputs("pulsechat: it is set; nobody can sign in by it while [local] accounts = no\n", stderr);
	secret_wipe(first, sizeof(first));
	secret_wipe(second, sizeof(second));
	return rc;
}
