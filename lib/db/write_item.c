/* write_item: memory, and what each refusal means. */
#include "lib/db/write_item.h"
#include "lib/base/log.h"
#include <stdlib.h>
#include <string.h>

struct write_item *write_item_new(void)
{
	struct write_item *i = xcalloc(1, sizeof(*i));

	i->kind = 's';
	i->epoch = -1;
	return i;
}

void write_item_free(struct write_item **i)
{
	if (!*i)
		return;
	free((*i)->body);
	free((*i)->tail);
	free((*i)->named);
	free((*i)->calls);
	free((*i)->files);
	free(*i);
	*i = NULL;
}

static void *copy_bytes(const void *p, size_t n)
{
	return memcpy(xmalloc(n), p, n);
}

static int64_t *copy_ids(const int64_t *ids, size_t n)
{
	return n ? copy_bytes(ids, n * sizeof(*ids)) : NULL;
}

struct write_item *write_item_copy(const struct write_item *i)
{
	struct write_item *copy = write_item_new();

	*copy = *i;
	copy->next = NULL;
	copy->body = copy_bytes(i->body, i->body_n);
	copy->tail = copy_bytes(i->tail, i->tail_n);
	copy->named = copy_ids(i->named, i->named_n);
	copy->calls = copy_ids(i->calls, i->calls_n);
	copy->files = copy_ids(i->files, i->files_n);
	return copy;
}

static const struct {
	enum err_code code;
	const char *field, *detail;
} outcomes[] = {
	[WRITE_REUSED] = {ERR_CLIENT_ID_REUSED, "client_id", "was used before for another message"},
	[WRITE_NOT_A_MEMBER] = {ERR_NOT_A_MEMBER, NULL, "you are not a member of this channel"},
	[WRITE_NO_CHANNEL] = {ERR_NOT_FOUND, "channel", "there is no such channel, or it is not visible to you"},
	[WRITE_ARCHIVED] = {ERR_UNPROCESSABLE, "channel", "the channel is archived"},
	[WRITE_BAD_KIND] = {ERR_INTERNAL, NULL, "something went wrong on our side"},
	[WRITE_STALE_EPOCH] = {ERR_CONFLICT, "epoch", "the channel's encryption has moved on"},
	[WRITE_MUTED] = {ERR_MUTED, NULL, "you are muted: you may read, but not write"},
	[WRITE_NOT_ATTACHABLE] =
		{ERR_NOT_ATTACHABLE, "body.files",
		 "names a file that is not ready, not yours, of another channel or in a message already"},
	[WRITE_NO_ROOT] = {ERR_UNPROCESSABLE, "thread", "there is no such message in this channel"},
	[WRITE_ROOT_IS_REPLY] = {ERR_UNPROCESSABLE, "thread", "is a reply itself: reply to the root of its thread"},
	[WRITE_ROOT_DELETED] = {ERR_UNPROCESSABLE, "thread", "the message has been deleted"},
	[WRITE_CALL_FORBIDDEN] = {ERR_FORBIDDEN, "body.mentions", "you may not name so many here"},
	[WRITE_NO_GROUP] = {ERR_BAD_FIELD, "body.mentions", "names a group that is not there"},
	[WRITE_TOO_MANY] = {ERR_UNPROCESSABLE, "body.mentions", "names more people than one message may"},
	[WRITE_NOT_CALLED_HERE] = {ERR_UNPROCESSABLE, "body.mentions",
				   "a direct channel, or a reply in its thread alone, does not name the channel"},
	[WRITE_NO_QUOTED] = {ERR_UNPROCESSABLE, "body.reply_to",
			     "there is no such message where this one goes, or it has been deleted"},
	[WRITE_NO_ORIGINAL] = {ERR_NOT_FOUND, "body.forward", "there is no such message, or it is not visible to you"},
	[WRITE_ORIGINAL_DELETED] = {ERR_UNPROCESSABLE, "body.forward", "the message has been deleted"},
};

void write_refusal(int status, int64_t until_us, struct err *e)
{
	if (status < 0 || (size_t)status >= COUNT_OF(outcomes) || !outcomes[status].code) {
		log_error("writer.status", "status=%d", status);
		err_set(e, ERR_INTERNAL, NULL, "something went wrong on our side");
		return;
	}
	err_set(e, outcomes[status].code, outcomes[status].field, "%s", outcomes[status].detail);
	if (status == WRITE_MUTED)
		err_until(e, until_us);
}
