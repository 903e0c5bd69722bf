/* cmd_token: personal access tokens. */
#include "lib/auth/access_token.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/secret.h"
#include "lib/chat/acting.h"
#include "lib/cli/cli.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

enum { NAME, SCOPES, EXPIRES }; /* options of token add */

bool cli_duration(const char *s, int64_t *ms)
{
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	const int64_t most = (int64_t)3650 * 86400000;
	size_t n = strnlen(s, 16);
	int64_t v;

	if (n < 2 || n == 16)
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (s[n - 1] == units[i].unit) {
			if (!int_parse(s, n - 1, most / units[i].ms, &v) || v < 1)
				return false;
			*ms = v * units[i].ms;
			return true;
		}
	return false;
}

int cmd_token_add(struct cli *c)
{
	const char *name = c->option[NAME] ? c->option[NAME] : "token";
	char token[SESSION_SECRET_MAX];
	int64_t user = 0, id = 0, ttl = 0;
	unsigned scopes = SCOPE_READ | SCOPE_WRITE;
	struct err e = {0};

	if (c->option[SCOPES] && !scope_parse(c->option[SCOPES], ",", &scopes))
		return cli_usage("--scopes %s: expected some of read,write,files,admin", c->option[SCOPES]);
	if (c->option[EXPIRES] && !cli_duration(c->option[EXPIRES], &ttl))
		return cli_usage("--expires %s: expected a time such as 90d, 12h or 30m", c->option[EXPIRES]);
	if (cli_user(c, c->operand[0], &user, &e) < 0 ||
	    access_token_create(c->db, &ACTING_COMMAND, user, name, scopes, ttl, token, &id, &e) < 0)
		return cli_fail(&e);
	puts(token);
	secret_wipe(token, sizeof(token));
	return CLI_OK;
}

static const char *when(const PGresult *r, int row, int col, char out[TIME_TEXT_MAX])
{
	if (result_null(r, row, col))
		return "never";
	time_text(result_int(r, row, col), out);
	return out;
}

int cmd_token_list(struct cli *c)
{
	char made[TIME_TEXT_MAX], used[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
	struct err e = {0};
	PGresult *r = NULL;
	int64_t user = 0;

	if (cli_user(c, c->operand[0], &user, &e) < 0 || access_token_list(c->db, user, &r, &e) < 0)
		return cli_fail(&e);
	for (int i = 0; i < result_rows(r); i++)
		printf("%s\t%s\t%s\t%s\t%s\t%s\n", result_text(r, i, 0), result_text(r, i, 2), when(r, i, 3, made),
		       when(r, i, 4, used), when(r, i, 5, end), result_text(r, i, 1));
	PQclear(r);
	return CLI_OK;
}

int cmd_token_revoke(struct cli *c)
{
	const char *text = c->operand[0];
	struct err e = {0};
	bool ended = false;
	int64_t id;

	if (!int_parse(text, strlen(text), INT64_MAX, &id))
		return cli_usage("%s: an id is a number, see token list", text);
	if (session_revoke_by(c->db, &ACTING_COMMAND, 0, id, NULL, &ended, &e) < 0 && e.code != ERR_NOT_FOUND)
		return cli_fail(&e);
	if (ended)
		return CLI_OK;
	fprintf(stderr, "pulsechat: there is no live token %s\n", text);
	return CLI_FAILED;
}
