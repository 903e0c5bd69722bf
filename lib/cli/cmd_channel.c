/* cmd_channel: channels. */
#include "lib/chat/channel.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

enum { KIND, TOPIC, OWNER }; /* options of channel add */

static int first_owner(struct cli *c, int64_t *id, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(c->db, STMT_user_first_owner, &r, e, "") < 0)
		return -1;
	if (!r)
		return err_set(e, ERR_NOT_FOUND, NULL, "there is no owner or admin yet: say --owner HANDLE");
	*id = result_int(r, 0, 0);
	PQclear(r);
	return 0;
}

int cmd_channel_add(struct cli *c)
{
	struct channel_wish w = {.name = {c->operand[0], strlen(c->operand[0])}, .topic = {"", 0}};
	const char *kind = c->option[KIND] ? c->option[KIND] : "public";
	struct err e = {0};
	int64_t owner = 0, channel = 0, none = 0;
	bool created;

	if (strcmp(kind, "public") != 0 && strcmp(kind, "private") != 0)
		return cli_usage("--kind %s: expected public or private", kind);
	if (c->option[TOPIC])
		w.topic = (struct span){c->option[TOPIC], strlen(c->option[TOPIC])};
	if (channel_check_text("NAME", &w.name, 1, CHANNEL_NAME_CHARS, &e) < 0 ||
	    channel_check_text("--topic", &w.topic, 0, CHANNEL_TOPIC_CHARS, &e) < 0)
		return cli_usage("%s %s", e.field, e.detail);
	snprintf(w.kind, sizeof(w.kind), "%s", kind);
	w.members = &none;
	if ((c->option[OWNER] ? cli_user(c, c->option[OWNER], &owner, &e) : first_owner(c, &owner, &e)) < 0 ||
	    channel_make(c->db, c->config, owner, "owner", &w, &channel, &created, &e) < 0)
		return cli_fail(&e);
	printf("%lld\n", (long long)channel);
	return CLI_OK;
}
