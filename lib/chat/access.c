/* access: decisions, no queries. */
#include "lib/chat/access.h"
#include "lib/base/strbuf.h"
#include <stdio.h>
#include <string.h>

struct access access_from_row(const PGresult *r, int row, int first_col)
{
	struct access a = {0};
	const char *kind;

	if (!r || row >= result_rows(r))
		return a;
	kind = result_text(r, row, first_col);
	a.exists = true;
	a.is_public = !strcmp(kind, "public");
	a.is_direct = !strcmp(kind, "direct");
	a.archived = result_bool(r, row, first_col + 1);
	a.member = !result_null(r, row, first_col + 2);
	snprintf(a.role, sizeof(a.role), "%s", result_text(r, row, first_col + 2));
	return a;
}

static int not_found(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, NULL, "no such channel");
}

static int not_a_member(struct err *e)
{
	return err_set(e, ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel");
}

int access_see(const struct access *a, struct err *e)
{
	return a->exists && (a->member || a->is_public) ? 0 : not_found(e);
}

int access_read(const struct access *a, struct err *e)
{
	if (access_see(a, e) < 0)
		return -1;
	return a->member ? 0 : not_a_member(e);
}

int access_read_message(const PGresult *r, int first_col, int seq_col, struct err *e)
{
	struct access a = access_from_row(r, 0, first_col);

	if (access_read(&a, e) < 0)
		return -1;
	return result_null(r, 0, seq_col) ? err_set(e, ERR_NOT_FOUND, NULL, "no such message") : 0;
}

int access_make_channel(const char *role, struct err *e)
{
	if (strcmp(role, "guest") != 0)
		return 0;
	return err_set(e, ERR_FORBIDDEN, NULL, "guests make no channels");
}

int access_join(const char *role, struct err *e)
{
	if (strcmp(role, "guest") != 0)
		return 0;
	return err_set(e, ERR_FORBIDDEN, NULL, "guests are invited to channels, they do not join them");
}

int access_code(const char *code, const char *field, struct err *e)
{
	static const struct {
		const char *code;
		enum err_code err;
		const char *field, *detail;
	} table[] = {
		{"conflict", ERR_CONFLICT, "name", "a channel of this name exists already"},
		{"forbidden", ERR_FORBIDDEN, NULL, "only an owner or moderator of the channel may do this"},
		{"owners_only", ERR_FORBIDDEN, NULL, "only an owner of the channel may do this"},
		{"admins_only", ERR_FORBIDDEN, NULL, "only owners and admins may do this"},
		{"above", ERR_FORBIDDEN, NULL, "this person does not stand below you"},
		{"above_self", ERR_FORBIDDEN, "role", "nobody gives a higher role than his own"},
		{"guest", ERR_FORBIDDEN, NULL, "guests add nobody"},
		{"guest_role", ERR_UNPROCESSABLE, "role", "a guest has no say in a channel"},
		{"yourself", ERR_UNPROCESSABLE, NULL, "not possible with yourself"},
		{"last_owner", ERR_UNPROCESSABLE, NULL, "this is the last owner of the site"},
		{"last_channel_owner", ERR_UNPROCESSABLE, "role",
		 "the channel would have no owner: hand it over first"},
		{"public_history", ERR_UNPROCESSABLE, "history", "of a public channel everybody sees all"},
		{"unprocessable", ERR_UNPROCESSABLE, NULL, "not possible in a direct or archived channel"},
		{"full", ERR_UNPROCESSABLE, NULL, "the channel has as many members as it may have"},
		{"banned", ERR_BANNED, NULL, "you are banned from this channel"},
		{"banned_member", ERR_BANNED, "user", "is banned from this channel"},
		{"past", ERR_BAD_FIELD, "until", "must be in the future"},
		{"no_message", ERR_NOT_FOUND, NULL, "no such message"},
		{"a_reply", ERR_UNPROCESSABLE, "seq", "is a reply itself: its thread is that of its root"},
		{"no_user", ERR_NOT_FOUND, NULL, "no such user"},
		{"no_member", ERR_NOT_FOUND, NULL, "no such member"},
		{"no_file", ERR_NOT_FOUND, NULL, "no such file"},
		{"no_report", ERR_NOT_FOUND, NULL, "no such report"},
		{"deleted", ERR_UNPROCESSABLE, NULL, "the message is deleted already"},
		{"own_message", ERR_UNPROCESSABLE, NULL, "it is your own message"},
		{"archived", ERR_UNPROCESSABLE, "channel", "the channel is archived"},
		{"encrypted", ERR_UNPROCESSABLE, "channel", "not possible in an encrypted channel"},
		{"muted", ERR_MUTED, NULL, "you are muted: you may read, but not write"},
		{"gone", ERR_CONFLICT, NULL, "the message has been deleted"},
		{"not_yours", ERR_FORBIDDEN, NULL, "only who wrote a message edits it"},
		{"no_edits", ERR_FORBIDDEN, NULL, "messages cannot be edited here"},
		{"too_late", ERR_TOO_LATE, NULL, "the time within which a message can be edited is over"},
		{"changed", ERR_CONFLICT, "version", "the message has been changed meanwhile"},
		{"empty", ERR_BAD_FIELD, "body.text", "must not be empty"},
		{"too_many", ERR_UNPROCESSABLE, "emoji", "the message bears as many different reactions as it may"},
		{"no_root", ERR_UNPROCESSABLE, "thread", "there is no such message in this channel"},
		{"root_is_reply", ERR_UNPROCESSABLE, "thread", "is a reply itself: its thread is that of its root"},
		{"no_emoji", ERR_BAD_FIELD, "emoji", "there is no emoji of this name"},
		{"guest_emoji", ERR_FORBIDDEN, NULL, "guests add no emoji"},
		{"emoji_taken", ERR_CONFLICT, "name", "an emoji of this name exists already"},
		{"not_a_loose_file", ERR_NOT_ATTACHABLE, "file", "only an own file that is ready and in no message"},
		{"picture_type", ERR_UNPROCESSABLE, "file", "must be a picture: PNG, GIF, WebP or JPEG"},
		{"picture_size", ERR_TOO_LARGE, "size", "the picture has more bytes than it may"},
		{"too_many_emoji", ERR_UNPROCESSABLE, NULL, "there are as many emoji as there may be"},
		{"not_your_emoji", ERR_FORBIDDEN, NULL, "only who added it, and owners and admins, remove an emoji"},
		{"an_emoji", ERR_UNPROCESSABLE, NULL, "the file is the picture of an emoji: remove that"},
		{"a_picture", ERR_UNPROCESSABLE, NULL, "the file is your picture: remove that"},
		{"no_zone", ERR_BAD_FIELD, "time_zone", "must be a name such as Europe/Zurich"},
		{"no_provider_name", ERR_BAD_FIELD, "name", "no provider says what this account is called"},
		{"bot_name", ERR_FORBIDDEN, NULL, "owners and admins say what a bot is called"},
		{"draft_changed", ERR_CONFLICT, "version", "the draft has been changed meanwhile"},
		{"not_attachable", ERR_NOT_ATTACHABLE, "files",
		 "only own files of this channel that are in no message"},
		{"too_many_pins", ERR_UNPROCESSABLE, NULL, "as many messages are pinned as may be"},
		{"too_many_saves", ERR_UNPROCESSABLE, NULL, "as many messages are saved as may be"},
		{"no_invite", ERR_FORBIDDEN, "code", "this link is not good, or not any more"},
		{"no_link", ERR_NOT_FOUND, NULL, "no such link"},
		{"no_section", ERR_UNPROCESSABLE, "section", "your side bar has no such section"},
		{"groups_forbidden", ERR_FORBIDDEN, NULL, "you may not change groups"},
		{"no_group_found", ERR_NOT_FOUND, NULL, "no such group"},
		{"group_full", ERR_UNPROCESSABLE, "add", "the group has as many members as it may have"},
		{"handle_taken", ERR_CONFLICT, "handle", "this handle is taken"},
		{"handle_reserved", ERR_CONFLICT, "handle", "this handle is reserved"},
		{"call_forbidden", ERR_FORBIDDEN, "body.mentions", "you may not name so many here"},
		{"call_direct", ERR_UNPROCESSABLE, "body.mentions", "a direct channel is not named"},
		{"call_added", ERR_UNPROCESSABLE, "body.mentions",
		 "an edit does not name the channel, or who is here, anew"},
		{"no_group", ERR_BAD_FIELD, "body.mentions", "names a group that is not there"},
		{"too_many_reached", ERR_UNPROCESSABLE, "body.mentions", "names more people than one message may"},
		{"resolved", ERR_CONFLICT, NULL, "the report has been dealt with already"},
	};

	if (!strcmp(code, "ok") || !strcmp(code, "again"))
		return 0;
	if (!strcmp(code, "not_found"))
		return not_found(e);
	if (!strcmp(code, "not_a_member"))
		return not_a_member(e);
	if (!strcmp(code, "unknown_member"))
		return err_set(e, ERR_BAD_FIELD, field, "no such active user");
	for (size_t i = 0; i < COUNT_OF(table); i++)
		if (!strcmp(table[i].code, code))
			return err_set(e, table[i].err, table[i].field, "%s", table[i].detail);
	return err_set(e, ERR_INTERNAL, NULL, "unexpected outcome of the database");
}

int access_outcome(PGresult *r, const char *field, struct err *e)
{
	int rc = access_code(r ? result_text(r, 0, 0) : "", field, e);

	PQclear(r);
	return rc;
}

int access_outcome_json(PGresult *r, const char *field, struct strbuf *b, struct err *e)
{
	int rc = access_code(r ? result_text(r, 0, 0) : "", field, e);

	if (rc == 0)
		strbuf_add(b, result_text(r, 0, 1), result_length(r, 0, 1));
	PQclear(r);
	return rc;
}

int access_write_code(const PGresult *r, int first_col, struct err *e)
{
	const char *code = r ? result_text(r, 0, first_col) : "not_found";
	int rc = access_code(code, NULL, e);

	if (rc < 0 && !strcmp(code, "muted"))
		err_until(e, result_int(r, 0, first_col + 1));
	return rc;
}
