/* cmd_invite: links that let new people in. */
#include "lib/auth/invite.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/chat/acting.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define LIST_PAGE 500

enum { NOTE, USES, EXPIRES, ROLE }; /* options of invite add */

int cmd_invite_add(struct cli *c)
{
	struct invite_wish w = {.note = c->option[NOTE] ? c->option[NOTE] : "",
				.role = c->option[ROLE] ? c->option[ROLE] : "member",
				.uses = 1};
	const char *uses = c->option[USES], *expires = c->option[EXPIRES] ? c->option[EXPIRES] : "7d";
	AUTO_STRBUF text = {0};
	struct err e = {0};
	json_t *made;

	if (uses && !strcmp(uses, "any"))
		w.uses = 0;
	else if (uses && (!int_parse(uses, strlen(uses), INVITE_USES_MAX, &w.uses) || !w.uses))
		return cli_usage("--uses %s: expected 1 to %d, or any", uses, INVITE_USES_MAX);
	if (strcmp(expires, "never") != 0 && (!cli_duration(expires, &w.ttl_ms) || w.ttl_ms > INVITE_TTL_MAX_MS))
		return cli_usage("--expires %s: expected a time such as 12h or 7d, at most 400d, or never", expires);
	if (invite_create(c->db, c->config, &ACTING_COMMAND, &w, &text, &e) < 0)
		return cli_fail(&e);
	made = json_loads(strbuf_cstr(&text), 0, NULL);
	printf("%lld\t%s\n", (long long)json_integer_value(json_object_get(made, "id")),
	       json_string_value(json_object_get(made, "url")));
	json_decref(made);
	return CLI_OK;
}

int cmd_invite_list(struct cli *c)
{
	int64_t before = INT64_MAX;
	struct err e = {0};
	int rows;

	do {
		PGresult *r = NULL;

		if (db_query(c->db, STMT_invite_table, &r, &e, "ii", before, (int64_t)LIST_PAGE) < 0)
			return cli_fail(&e);
		rows = result_rows(r);
		for (int i = 0; i < rows; i++) {
			char end[TIME_TEXT_MAX] = "never";

			if (!result_null(r, i, 4))
				time_text(result_int(r, i, 4), end);
			printf("%s\t%s\t%s/%s\t%s\t%s\t%s\n", result_text(r, i, 0), result_text(r, i, 1),
			       result_text(r, i, 2), result_null(r, i, 3) ? "any" : result_text(r, i, 3), end,
			       result_text(r, i, 5), result_text(r, i, 6));
			before = result_int(r, i, 0);
		}
		PQclear(r);
	} while (rows == LIST_PAGE);
	return CLI_OK;
}

int cmd_invite_revoke(struct cli *c)
{
	struct err e = {0};
	int64_t id;

	if (!int_parse(c->operand[0], strlen(c->operand[0]), INT64_MAX, &id))
		return cli_usage("%s is no id", c->operand[0]);
	return invite_revoke(c->db, &ACTING_COMMAND, id, &e) < 0 ? cli_fail(&e) : CLI_OK;
}
