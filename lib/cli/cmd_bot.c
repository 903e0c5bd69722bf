/* cmd_bot: programs' accounts. */
#include "lib/chat/bot.h"
#include "lib/chat/acting.h"
#include "lib/cli/cli.h"
#include <stdio.h>

enum { NAME }; /* options of bot add */

int cmd_bot_add(struct cli *c)
{
	const char *handle = c->operand[0];
	struct err e = {0};
	int64_t id;

	if (bot_add(c->db, &ACTING_COMMAND, handle, c->option[NAME] ? c->option[NAME] : handle, &id, &e) < 0)
		return e.code == ERR_BAD_FIELD ? cli_usage("%s: %s", e.field, e.detail) : cli_fail(&e);
	printf("%lld\t%s\n", (long long)id, handle);
	return CLI_OK;
}
