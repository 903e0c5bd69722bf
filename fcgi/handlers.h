/* handlers: one function per route, named in fcgi/routes.c. Each: 0 with the answer in r, or -1 with e. */
#pragma once
#include "fcgi/route.h"

/* api_meta.c */
int handle_healthz(struct request *q, struct response *r, struct err *e);
int handle_limits(struct request *q, struct response *r, struct err *e);
int handle_site(struct request *q, struct response *r, struct err *e);
int handle_openapi(struct request *q, struct response *r, struct err *e);
int handle_me(struct request *q, struct response *r, struct err *e);
/* api_users.c */
int handle_user_list(struct request *q, struct response *r, struct err *e);
int handle_user_get(struct request *q, struct response *r, struct err *e);
/* api_channels.c */
int handle_channel_list(struct request *q, struct response *r, struct err *e);
int handle_channel_create(struct request *q, struct response *r, struct err *e);
int handle_channel_get(struct request *q, struct response *r, struct err *e);
int handle_channel_join(struct request *q, struct response *r, struct err *e);
int handle_channel_leave(struct request *q, struct response *r, struct err *e);
/* api_members.c */
int handle_member_list(struct request *q, struct response *r, struct err *e);
int handle_member_add(struct request *q, struct response *r, struct err *e);
int handle_member_remove(struct request *q, struct response *r, struct err *e);
/* api_prefs.c */
int handle_prefs_change(struct request *q, struct response *r, struct err *e);
int handle_sidebar_get(struct request *q, struct response *r, struct err *e);
int handle_sidebar_set(struct request *q, struct response *r, struct err *e);
/* api_groups.c */
int handle_group_list(struct request *q, struct response *r, struct err *e);
int handle_group_get(struct request *q, struct response *r, struct err *e);
int handle_group_make(struct request *q, struct response *r, struct err *e);
int handle_group_change(struct request *q, struct response *r, struct err *e);
int handle_group_delete(struct request *q, struct response *r, struct err *e);
int handle_reach(struct request *q, struct response *r, struct err *e);
/* api_channel_invites.c */
int handle_channel_invite_list(struct request *q, struct response *r, struct err *e);
int handle_channel_invite_make(struct request *q, struct response *r, struct err *e);
int handle_channel_invite_revoke(struct request *q, struct response *r, struct err *e);
int handle_channel_invite_look(struct request *q, struct response *r, struct err *e);
int handle_channel_invite_use(struct request *q, struct response *r, struct err *e);
/* api_messages.c */
int handle_message_send(struct request *q, struct response *r, struct err *e);
int handle_message_list(struct request *q, struct response *r, struct err *e);
int handle_message_get(struct request *q, struct response *r, struct err *e);
int handle_message_delete(struct request *q, struct response *r, struct err *e);
/* api_edits.c */
int handle_message_edit(struct request *q, struct response *r, struct err *e);
int handle_preview_remove(struct request *q, struct response *r, struct err *e);
int handle_edit_list(struct request *q, struct response *r, struct err *e);
int handle_reaction_list(struct request *q, struct response *r, struct err *e);
int handle_reaction_users(struct request *q, struct response *r, struct err *e);
int handle_reaction_add(struct request *q, struct response *r, struct err *e);
int handle_reaction_remove(struct request *q, struct response *r, struct err *e);
/* api_keep.c */
int handle_draft_list(struct request *q, struct response *r, struct err *e);
int handle_draft_get(struct request *q, struct response *r, struct err *e);
int handle_draft_put(struct request *q, struct response *r, struct err *e);
int handle_draft_delete(struct request *q, struct response *r, struct err *e);
int handle_pin_list(struct request *q, struct response *r, struct err *e);
int handle_pin_add(struct request *q, struct response *r, struct err *e);
int handle_pin_remove(struct request *q, struct response *r, struct err *e);
int handle_save_list(struct request *q, struct response *r, struct err *e);
int handle_save_messages(struct request *q, struct response *r, struct err *e);
int handle_save_add(struct request *q, struct response *r, struct err *e);
int handle_save_remove(struct request *q, struct response *r, struct err *e);
/* api_threads.c */
int handle_thread_get(struct request *q, struct response *r, struct err *e);
int handle_thread_read(struct request *q, struct response *r, struct err *e);
int handle_thread_follow(struct request *q, struct response *r, struct err *e);
int handle_thread_unfollow(struct request *q, struct response *r, struct err *e);
int handle_thread_list(struct request *q, struct response *r, struct err *e);
/* api_presence.c */
int handle_presence_list(struct request *q, struct response *r, struct err *e);
int handle_presence_leave(struct request *q, struct response *r, struct err *e);
int handle_settings_get(struct request *q, struct response *r, struct err *e);
int handle_settings_patch(struct request *q, struct response *r, struct err *e);
int handle_status_put(struct request *q, struct response *r, struct err *e);
int handle_status_delete(struct request *q, struct response *r, struct err *e);
/* api_reads.c */
int handle_mark_read(struct request *q, struct response *r, struct err *e);
int handle_mark_unread(struct request *q, struct response *r, struct err *e);
int handle_mark_delivered(struct request *q, struct response *r, struct err *e);
int handle_membership_change(struct request *q, struct response *r, struct err *e);
int handle_reader_list(struct request *q, struct response *r, struct err *e);
int handle_unread(struct request *q, struct response *r, struct err *e);
/* api_moderation.c */
int handle_channel_change(struct request *q, struct response *r, struct err *e);
int handle_channel_hand_over(struct request *q, struct response *r, struct err *e);
int handle_member_change(struct request *q, struct response *r, struct err *e);
int handle_member_mute(struct request *q, struct response *r, struct err *e);
int handle_member_unmute(struct request *q, struct response *r, struct err *e);
int handle_member_ban(struct request *q, struct response *r, struct err *e);
int handle_member_unban(struct request *q, struct response *r, struct err *e);
int handle_restriction_list(struct request *q, struct response *r, struct err *e);
/* api_reports.c */
int handle_report_make(struct request *q, struct response *r, struct err *e);
int handle_report_list(struct request *q, struct response *r, struct err *e);
int handle_channel_report_list(struct request *q, struct response *r, struct err *e);
int handle_report_count(struct request *q, struct response *r, struct err *e);
int handle_report_get(struct request *q, struct response *r, struct err *e);
int handle_report_resolve(struct request *q, struct response *r, struct err *e);
int handle_own_report_list(struct request *q, struct response *r, struct err *e);
/* api_admin.c */
int handle_admin_user_list(struct request *q, struct response *r, struct err *e);
int handle_admin_user_change(struct request *q, struct response *r, struct err *e);
int handle_admin_user_mute(struct request *q, struct response *r, struct err *e);
int handle_admin_user_unmute(struct request *q, struct response *r, struct err *e);
int handle_admin_user_deactivate(struct request *q, struct response *r, struct err *e);
int handle_admin_user_reactivate(struct request *q, struct response *r, struct err *e);
int handle_admin_channel_list(struct request *q, struct response *r, struct err *e);
int handle_audit_list(struct request *q, struct response *r, struct err *e);
/* api_uploads.c */
int handle_upload_begin(struct request *q, struct response *r, struct err *e);
int handle_upload_get(struct request *q, struct response *r, struct err *e);
int handle_upload_parts(struct request *q, struct response *r, struct err *e);
int handle_upload_complete(struct request *q, struct response *r, struct err *e);
int handle_upload_abort(struct request *q, struct response *r, struct err *e);
/* api_files.c */
int handle_file_get(struct request *q, struct response *r, struct err *e);
int handle_file_erase(struct request *q, struct response *r, struct err *e);
int handle_channel_file_list(struct request *q, struct response *r, struct err *e);
int handle_own_file_list(struct request *q, struct response *r, struct err *e);
int handle_own_files_erase(struct request *q, struct response *r, struct err *e);
int handle_admin_file_list(struct request *q, struct response *r, struct err *e);
int handle_admin_files_erase(struct request *q, struct response *r, struct err *e);
/* api_profile.c */
int handle_me_patch(struct request *q, struct response *r, struct err *e);
int handle_own_picture_set(struct request *q, struct response *r, struct err *e);
int handle_own_picture_remove(struct request *q, struct response *r, struct err *e);
int handle_user_picture_remove(struct request *q, struct response *r, struct err *e);
/* api_emoji.c */
int handle_emoji_list(struct request *q, struct response *r, struct err *e);
int handle_emoji_add(struct request *q, struct response *r, struct err *e);
int handle_emoji_remove(struct request *q, struct response *r, struct err *e);
/* api_search.c */
int handle_search(struct request *q, struct response *r, struct err *e);
/* api_ops.c */
int handle_ops(struct request *q, struct response *r, struct err *e);
/* api_events.c */
int handle_events(struct request *q, struct response *r, struct err *e);
int handle_ws(struct request *q, struct response *r, struct err *e);
/* api_invites.c */
int handle_invite_create(struct request *q, struct response *r, struct err *e);
int handle_invite_list(struct request *q, struct response *r, struct err *e);
int handle_invite_revoke(struct request *q, struct response *r, struct err *e);
int handle_invite_look(struct request *q, struct response *r, struct err *e);
/* api_local.c */
int handle_auth_local(struct request *q, struct response *r, struct err *e);
int handle_auth_join(struct request *q, struct response *r, struct err *e);
int handle_own_password(struct request *q, struct response *r, struct err *e);
/* api_sessions.c */
int handle_session_list(struct request *q, struct response *r, struct err *e);
int handle_session_end(struct request *q, struct response *r, struct err *e);
int handle_session_end_others(struct request *q, struct response *r, struct err *e);
int handle_token_list(struct request *q, struct response *r, struct err *e);
int handle_token_make(struct request *q, struct response *r, struct err *e);
int handle_token_end(struct request *q, struct response *r, struct err *e);
/* api_bots.c */
int handle_bot_list(struct request *q, struct response *r, struct err *e);
int handle_bot_make(struct request *q, struct response *r, struct err *e);
int handle_bot_token_list(struct request *q, struct response *r, struct err *e);
int handle_bot_token_make(struct request *q, struct response *r, struct err *e);
int handle_bot_token_end(struct request *q, struct response *r, struct err *e);
/* api_auth.c */
int handle_auth_login(struct request *q, struct response *r, struct err *e);
int handle_auth_login_invited(struct request *q, struct response *r, struct err *e);
int handle_auth_callback(struct request *q, struct response *r, struct err *e);
int handle_auth_logout(struct request *q, struct response *r, struct err *e);
/* api_logout.c */
int handle_auth_backchannel(struct request *q, struct response *r, struct err *e);
