/* routes: the one table (doc/protocol.md, section 4). */
#include "fcgi/handlers.h"

#define API "/api/v1"
#define CHANNEL API "/channels/{channel}"

const struct route routes[] = {
	/* method, pattern, need, scope, input, query, handler */
	{METHOD_GET, "/healthz", NEED_NONE, 0, INPUT_NONE, NULL, handle_healthz},
	{METHOD_GET, API "/limits", NEED_NONE, 0, INPUT_NONE, NULL, handle_limits},
	{METHOD_GET, API "/site", NEED_NONE, 0, INPUT_NONE, NULL, handle_site},
	{METHOD_GET, API "/me", NEED_USER, SCOPE_READ, INPUT_NONE, NULL, handle_me},
	{METHOD_GET, API "/me/unread", NEED_USER, SCOPE_READ, INPUT_NONE, "verify", handle_unread},
	{METHOD_PATCH, API "/me", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_me_patch},
	{METHOD_GET, API "/me/settings", NEED_USER, SCOPE_READ, INPUT_NONE, NULL, handle_settings_get},
	{METHOD_PATCH, API "/me/settings", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_settings_patch},
	{METHOD_PUT, API "/me/status", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_status_put},
	{METHOD_DELETE, API "/me/status", NEED_USER, SCOPE_WRITE, INPUT_NONE, NULL, handle_status_delete},
	{METHOD_GET, API "/me/sessions", NEED_USER, SCOPE_ACCOUNT, INPUT_NONE, NULL, handle_session_list},
	{METHOD_DELETE, API "/me/sessions", NEED_USER, SCOPE_ACCOUNT, INPUT_NONE, NULL, handle_session_end_others},
	{METHOD_DELETE, API "/me/sessions/{session}", NEED_USER, SCOPE_ACCOUNT, INPUT_NONE, NULL, handle_session_end},
	{METHOD_GET, API "/me/tokens", NEED_USER, SCOPE_ACCOUNT, INPUT_NONE, NULL, handle_token_list},
	{METHOD_POST, API "/me/tokens", NEED_USER, SCOPE_ACCOUNT, INPUT_JSON, NULL, handle_token_make},
	{METHOD_DELETE, API "/me/tokens/{token}", NEED_USER, SCOPE_ACCOUNT, INPUT_NONE, NULL, handle_token_end},
	{METHOD_GET, API "/presence", NEED_USER, SCOPE_READ, INPUT_NONE, "ids", handle_presence_list},
	{METHOD_POST, API "/presence/leave", NEED_USER, SCOPE_READ, INPUT_RAW, NULL, handle_presence_leave},
	{METHOD_GET, API "/users", NEED_USER, SCOPE_READ, INPUT_NONE, "ids,q,limit,after", handle_user_list},
	{METHOD_GET, API "/users/{user}", NEED_USER, SCOPE_READ, INPUT_NONE, NULL, handle_user_get},
	{METHOD_GET, API "/channels", NEED_USER, SCOPE_READ, INPUT_NONE, "scope,after,limit", handle_channel_list},
	{METHOD_POST, API "/channels", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_channel_create},
	{METHOD_GET, CHANNEL, NEED_USER, SCOPE_READ, INPUT_NONE, NULL, handle_channel_get},
	{METHOD_POST, CHANNEL "/join", NEED_USER, SCOPE_WRITE, INPUT_NONE, NULL, handle_channel_join},
	{METHOD_POST, CHANNEL "/leave", NEED_USER, SCOPE_WRITE, INPUT_NONE, NULL, handle_channel_leave},
	{METHOD_GET, CHANNEL "/members", NEED_USER, SCOPE_READ, INPUT_NONE, "after,limit", handle_member_list},
	{METHOD_POST, CHANNEL "/members", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_member_add},
	{METHOD_DELETE, CHANNEL "/members/{user}", NEED_USER, SCOPE_WRITE, INPUT_NONE, NULL, handle_member_remove},
	{METHOD_POST, CHANNEL "/messages", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_message_send},
	{METHOD_GET, CHANNEL "/messages", NEED_USER, SCOPE_READ, INPUT_NONE, "before,after,around,limit",
	 handle_message_list},
	{METHOD_GET, CHANNEL "/messages/{seq}", NEED_USER, SCOPE_READ, INPUT_NONE, NULL, handle_message_get},
	{METHOD_DELETE, CHANNEL "/messages/{seq}", NEED_USER, SCOPE_WRITE, INPUT_NONE, NULL, handle_message_delete},
	{METHOD_GET, CHANNEL "/messages/{seq}/readers", NEED_USER, SCOPE_READ, INPUT_NONE, "after,limit",
	 handle_reader_list},
	{METHOD_PUT, CHANNEL "/read", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_mark_read},
	{METHOD_PUT, CHANNEL "/unread", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_mark_unread},
	{METHOD_PUT, CHANNEL "/delivered", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_mark_delivered},
	{METHOD_PATCH, CHANNEL "/membership", NEED_USER, SCOPE_WRITE, INPUT_JSON, NULL, handle_membership_change},
	/* the scope is each op's own matter */
	{METHOD_POST, API "/ops", NEED_USER, 0, INPUT_LINES, "instance", handle_ops},
	/* where no pulsechat-realtime stands at these paths */
	{METHOD_GET, API "/events", NEED_USER, SCOPE_READ, INPUT_NONE, "cursor,wait,instance,reads,focus,watch,active",
	 handle_events},
	{METHOD_GET, API "/ws", NEED_NONE, 0, INPUT_NONE, "*", handle_ws},
	{METHOD_GET, "/auth/login", NEED_NONE, 0, INPUT_NONE, "*", handle_auth_login},
	{METHOD_GET, "/auth/callback", NEED_NONE, 0, INPUT_NONE, "*", handle_auth_callback},
	{METHOD_POST, "/auth/logout", NEED_NONE, 0, INPUT_RAW, "*", handle_auth_logout},
	{METHOD_POST, "/auth/backchannel-logout", NEED_NONE, 0, INPUT_RAW, "*", handle_auth_backchannel},
	{0},
};
