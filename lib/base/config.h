/* config: the one configuration file (conf/pulsechat.conf.example) with environment overrides. Read once at start,
 * constant after. Durations are milliseconds, sizes are bytes. Strings are never NULL; empty means unset. */
#pragma once
#include "lib/base/err.h"

struct config {
	struct {
		char *url; /* without a slash at its end */
		char *name;
	} site;
	struct {
		char *dsn;
		int64_t statement_timeout, wait;
	} database;
	struct {
		char *listen, *socket_group, *trusted_proxies, *poll;
		int64_t socket_mode, threads, parked;
	} api;
	struct {
		char *listen, *socket_group;
		int64_t socket_mode, ring_events, ring_bytes, connections, queue_bytes, frame_bytes;
		int64_t ping_interval, pong_timeout, poll_hold, poll_hold_max, drain_spread;
	} realtime;
	struct {
		int64_t batch_items, batch_bytes, queue_items, queue_bytes;
	} writer;
	struct {
		char *issuer, *client_id, *client_secret, *client_secret_file, *client_auth, *scopes, *buttons, *prompt;
		char *claim_name, *claim_handle, *claim_picture, *claim_groups, *roles, *owners;
		char *access_audience, *access_scopes;
		int64_t leeway, http_timeout;
	} oidc;
	struct {
		char *mode, *domains, *first_owner;
	} registration;
	struct {
		char *managers;
	} groups;
	struct {
		char *accounts;
	} local;
	struct {
		int64_t idle, absolute;
	} session;
	struct {
		int64_t message_chars, request_bytes, page, channel_members;
	} limits;
	struct {
		int64_t edit_window;
	} messages;
	struct {
		char *who;   /* may add some: members (all but guests), admins */
		int64_t max; /* of the site */
	} emoji;
	struct {
		char *store, *endpoint, *region, *bucket, *prefix, *path_style, *access_key, *secret_key,
			*secret_key_file;
		char *session_token, *verifies, *payload_query;
		char *cloudfront_url, *cloudfront_key_id, *cloudfront_key_file;
		char *url, *listen, *dir, *sendfile; /* of the local store */
		int64_t max_size, message_files, quota_user, quota_day, multipart_above, part_size;
		int64_t upload_expires, download_expires, unattached;
	} files;
	struct {
		char *table;                                   /* path; "": each process counts for itself */
		int64_t session, address, login, calls, guess; /* in a minute; 0: not limited */
	} rate;
	struct {
		char *enabled, *ports, *allow;
		int64_t timeout, max_bytes, expires, per_user, per_host; /* the last two: in a minute */
	} previews;
	struct {
		int64_t retention, resume_events;
	} events;
	struct {
		int64_t coalesce, receipts_max;
	} reads;
	struct {
		int64_t lease, renew, grace, away, poll_slack;
	} presence;
	struct {
		int64_t last, repeat, present_max;
	} typing;
	struct {
		char *level;
	} log;
};

/* Reads path, then the environment, and checks it all. An error names file and line, or the variable, in detail.
 * Returns 0 and a config for config_free, or -1. */
MUST_CHECK int config_load(const char *path, struct config **out, struct err *e);
void config_free(struct config **c); /* wipes the secrets; NULL is fine */

/* The site's origin is its URL; true for https; true for a loopback host (127.0.0.0/8, [::1], localhost). */
bool config_site_secure(const struct config *c);
bool config_site_loopback(const struct config *c);
/* [local] accounts = yes: people may sign in by a password that this site keeps. */
bool config_local_accounts(const struct config *c);
/* [registration] first_owner = yes: who comes while nobody is owner or admin becomes owner. */
bool config_first_owner(const struct config *c);
/* [api] poll = parked: a poll may wait without a thread. */
bool config_polls_park(const struct config *c);
/* [files] store is not none: messages may bear files. */
bool config_files(const struct config *c);
/* [files] store = local: this site is its own object store (doc/files.md). */
bool config_files_local(const struct config *c);
/* [emoji] who = members: whoever is no guest adds emoji; else owners and admins alone. */
bool config_emoji_by_all(const struct config *c);
/* [previews] enabled = yes: pages that messages link to are looked at. */
bool config_previews(const struct config *c);
/* The port in the site's URL, or the scheme's. */
int config_site_port(const struct config *c);
