/* limits: from the configuration and from what is fixed. */
#include "lib/chat/limits.h"
#include "lib/auth/rate.h"
#include "lib/base/config.h"
#include "lib/chat/channel.h"
#include "lib/chat/custom_emoji.h"
#include "lib/chat/emoji.h"
#include "lib/chat/group.h"
#include "lib/chat/keep.h"
#include "lib/chat/mention.h"
#include "lib/chat/message.h"
#include "lib/chat/op.h"
#include "lib/chat/picture_file.h"
#include "lib/chat/reaction.h"
#include "lib/chat/user.h"

struct limit {
	const char *name;
	int64_t value;
};

void limits_render(struct strbuf *b, const struct config *c)
{
	const struct limit limits[] = {
		{"group_members", GROUP_MEMBERS_MAX},
		{"message_chars", c->limits.message_chars},
		{"edit_window", c->messages.edit_window / 1000},
		{"reactions", REACTION_EMOJI_MAX},
		{"request_bytes", c->limits.request_bytes},
		{"mentions", MENTIONS_MAX},
		{"frame_bytes", c->realtime.frame_bytes},
		{"ops", OPS_MAX},
		{"page", c->limits.page},
		{"user_ids", USER_IDS_MAX},
		{"channel_members", c->limits.channel_members},
		{"channel_invited", CHANNEL_INVITED_MAX},
		{"channel_name_chars", CHANNEL_NAME_CHARS},
		{"channel_topic_chars", CHANNEL_TOPIC_CHARS},
		{"channel_pins", KEEP_PINS_MAX},
		{"saved", KEEP_SAVES_MAX},
	};
	const struct limit files[] = {
		{"file_bytes", c->files.max_size},
		{"message_files", MIN_OF(c->files.message_files, (int64_t)MESSAGE_FILES_MAX)},
		{"multipart_above", c->files.multipart_above},
		{"part_size", c->files.part_size},
		{"picture_bytes", PICTURE_BYTES},
		{"picture_side", PICTURE_SIDE},
	};

	for (size_t i = 0; i < COUNT_OF(limits); i++)
		strbuf_addf(b, "%c\"%s\":%lld", i ? ',' : '{', limits[i].name, (long long)limits[i].value);
	strbuf_addf(b, ",\"emoji\":\"%s\"", emoji_version());
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (config_files(c))
			strbuf_addf(b, ",\"%s\":%lld", files[i].name, (long long)files[i].value);
		else
			strbuf_addf(b, ",\"%s\":null", files[i].name);
	strbuf_addf(b,
		    ",\"custom_emoji\":%lld,\"custom_emoji_bytes\":%lld,\"custom_emoji_side\":%d,\"custom_emoji_by\":"
		    "\"%s\"",
		    (long long)custom_emoji_max(c), (long long)PICTURE_BYTES, PICTURE_SIDE,
		    config_emoji_by_all(c) ? "members" : "admins");
	strbuf_adds(b, ",\"rates\":");
	rate_render(b, c);
	strbuf_addc(b, '}');
}
