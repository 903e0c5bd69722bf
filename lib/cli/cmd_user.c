/* cmd_user: accounts. */
#include "lib/chat/user.h"
#include "lib/base/utf8.h"
#include "lib/chat/moderation.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

#define LIST_PAGE 500

enum { NAME, ISSUER, SUBJECT, ROLE }; /* options of user add */

int cli_user(struct cli *c, const char *handle, int64_t *id, struct err *e)
{
	PGresult *r = NULL;
	int rc = 0;

	if (db_one(c->db, STMT_user_by_handle, &r, e, "t", handle) < 0)
		return -1;
	if (!r)
		rc = err_set(e, ERR_NOT_FOUND, NULL, "there is no user %s", handle);
	else if (!result_bool(r, 0, 1))
		rc = err_set(e, ERR_NOT_FOUND, NULL, "%s is deactivated", handle);
	else
		*id = result_int(r, 0, 0);
	PQclear(r);
	return rc;
}

static int add_identity(struct cli *c, const char *name, const char *role)
{
	struct err e = {0};
	PGresult *r = NULL;
	int rc;

	if (db_one(c->db, STMT_user_add_identity, &r, &e, "ttttt", c->option[ISSUER], c->option[SUBJECT], c->operand[0],
		   name, role) < 0)
		return cli_fail(&e);
	PQclear(r);
	r = NULL;
	if (db_one(c->db, STMT_user_of_identity, &r, &e, "tt", c->option[ISSUER], c->option[SUBJECT]) < 0)
		return cli_fail(&e);
	if (r && result_bool(r, 0, 2)) {
		printf("%s\t%s\n", result_text(r, 0, 0), result_text(r, 0, 1));
		rc = CLI_OK;
	} else {
		fputs("pulsechat: this person's account is deactivated\n", stderr);
		rc = CLI_FAILED;
	}
	PQclear(r);
	return rc;
}

int cmd_user_add(struct cli *c)
{
	const char *handle = c->operand[0], *name = c->option[NAME] ? c->option[NAME] : handle;
	const char *role = c->option[ROLE] ? c->option[ROLE] : "member";
	struct err e = {0};
	PGresult *r = NULL;
	int rc = CLI_OK;

	if (!user_handle_valid(handle, strlen(handle)))
		return cli_usage(
			"%s: a handle is 1 to %d of a-z, 0-9, '.', '_' and '-', and begins with a letter or digit",
			handle, USER_HANDLE_MAX);
	if (!role_valid(role, strlen(role)))
		return cli_usage("--role %s: expected owner, admin, member or guest", role);
	if (!utf8_valid(name, strlen(name)) || utf8_has_control(name, strlen(name), "") ||
	    utf8_blank(name, strlen(name)) || utf8_length(name, strlen(name)) > 80)
		return cli_usage("--name: expected 1 to 80 characters of plain UTF-8");
	if (!c->option[ISSUER] != !c->option[SUBJECT])
		return cli_usage("--issuer and --subject go together");
	if (user_handle_look(c->db, handle, &e) < 0)
		return cli_fail(&e);
	if (c->option[ISSUER])
		return add_identity(c, name, role);
	if (db_one(c->db, STMT_user_add, &r, &e, "ttt", handle, name, role) < 0)
		return cli_fail(&e);
	if (r) {
		printf("%s\t%s\n", result_text(r, 0, 0), handle);
	} else {
		fprintf(stderr, "pulsechat: the handle %s is taken\n", handle);
		rc = CLI_FAILED;
	}
	PQclear(r);
	return rc;
}

int cmd_user_list(struct cli *c)
{
	char after[USER_HANDLE_MAX + 1] = "";
	struct err e = {0};
	int rows;

	do {
		PGresult *r = NULL;

		if (db_query(c->db, STMT_user_table, &r, &e, "ti", after, (int64_t)LIST_PAGE) < 0)
			return cli_fail(&e);
		rows = result_rows(r);
		for (int i = 0; i < rows; i++)
			printf("%s\t%s\t%s\t%s\t%s\n", result_text(r, i, 0), result_text(r, i, 1), result_text(r, i, 3),
			       result_bool(r, i, 4) ? "active" : "deactivated", result_text(r, i, 2));
		if (rows)
			snprintf(after, sizeof(after), "%s", result_text(r, rows - 1, 1));
		PQclear(r);
	} while (rows == LIST_PAGE);
	return CLI_OK;
}

int cmd_user_deactivate(struct cli *c)
{
	struct err e = {0};
	int64_t id = 0;

	if (cli_user(c, c->operand[0], &id, &e) < 0 ||
	    user_close(c->db, &ACTING_COMMAND, id, (struct span){"", 0}, &e) < 0)
		return cli_fail(&e);
	return CLI_OK;
}

int cmd_user_reactivate(struct cli *c)
{
	struct err e = {0};
	PGresult *r = NULL;
	int64_t id;

	if (db_one(c->db, STMT_user_by_handle, &r, &e, "t", c->operand[0]) < 0)
		return cli_fail(&e);
	id = r ? result_int(r, 0, 0) : 0;
	PQclear(r);
	if (user_reopen(c->db, &ACTING_COMMAND, id, &e) < 0)
		return cli_fail(&e);
	return CLI_OK;
}

int cmd_user_role(struct cli *c)
{
	const char *role = c->operand[1];
	struct err e = {0};
	int64_t id = 0;

	if (!role_valid(role, strlen(role)))
		return cli_usage("%s: expected owner, admin, member or guest", role);
	if (cli_user(c, c->operand[0], &id, &e) < 0 ||
	    user_role_set(c->db, &ACTING_COMMAND, id, (struct span){role, strlen(role)}, &e) < 0)
		return cli_fail(&e);
	return CLI_OK;
}
