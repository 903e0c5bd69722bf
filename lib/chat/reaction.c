/* reaction: the rules are in sql/functions/86_reactions.sql. */
#include "lib/chat/reaction.h"
#include "lib/chat/access.h"
#include "lib/chat/custom_emoji.h"
#include "lib/chat/emoji.h"
#include "lib/db/db.h"
#include <stdio.h>
#include <string.h>

enum { KIND, ROLE = 2, SEQ, STATE, COUNT = STATE, USERS, NEXT }; /* of reaction_list and reaction_users */

/* In its one form: Unicode's full one, or :name: in lower case, be there such a custom one or not. */
static int read_emoji(const char *text, char out[EMOJI_BYTES_MAX + 1], struct err *e)
{
	size_t n = strlen(text);
	const char *known = emoji_find(text, n);
	char name[CUSTOM_EMOJI_NAME_CHARS + 1];

	if (known)
		snprintf(out, EMOJI_BYTES_MAX + 1, "%s", known);
	else if (n > 2 && text[0] == ':' && text[n - 1] == ':' &&
		 custom_emoji_name((struct span){text + 1, n - 2}, name))
		snprintf(out, EMOJI_BYTES_MAX + 1, ":%s:", name);
	else
		return err_set(e, ERR_BAD_FIELD, "emoji", "is not one emoji of Unicode %s, nor the :name: of one",
			       emoji_version());
	return 0;
}

int reaction_set(struct db *d, int64_t channel, int64_t user, int64_t seq, const char *text, bool on, struct strbuf *b,
		 struct err *e)
{
	char emoji[EMOJI_BYTES_MAX + 1];
	PGresult *r = NULL;
	int rc;

	if (read_emoji(text, emoji, e) < 0 ||
	    db_one(d, STMT_reaction_set, &r, e, "iiitbii", channel, user, seq, emoji, (int)on,
		   (int64_t)REACTION_EMOJI_MAX, (int64_t)REACTION_USERS_MAX) < 0)
		return -1;
	rc = access_write_code(r, 0, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 2), result_length(r, 0, 2));
	PQclear(r);
	return rc;
}

int reaction_list(struct db *d, int64_t channel, int64_t reader, int64_t seq, struct strbuf *b, struct err *e)
{
	PGresult *r = NULL;
	int rc;

	if (db_one(d, STMT_reaction_list, &r, e, "iii", channel, reader, seq) < 0)
		return -1;
	rc = access_read_message(r, KIND, SEQ, e);
	if (rc == 0)
		strbuf_add(b, result_text(r, 0, STATE), result_length(r, 0, STATE));
	PQclear(r);
	return rc;
}

int reaction_users(struct db *d, int64_t channel, int64_t reader, int64_t seq, const char *text, int64_t after,
		   int64_t limit, struct strbuf *b, struct err *e)
{
	char emoji[EMOJI_BYTES_MAX + 1];
	PGresult *r = NULL;
	int rc;

	if (read_emoji(text, emoji, e) < 0 ||
	    db_one(d, STMT_reaction_users, &r, e, "iiitii", channel, reader, seq, emoji, after, limit) < 0)
		return -1;
	rc = access_read_message(r, KIND, SEQ, e);
	if (rc == 0)
		strbuf_addf(b, "{\"count\":%s,\"users\":%s,\"next\":%s}", result_text(r, 0, COUNT),
			    result_text(r, 0, USERS), result_null(r, 0, NEXT) ? "null" : result_text(r, 0, NEXT));
	PQclear(r);
	return rc;
}
