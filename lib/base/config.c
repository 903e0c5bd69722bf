/* config: a table of keys, filled from the file, then from the environment. */
#include "lib/base/config.h"
#include "lib/base/config_private.h"
#include "lib/base/secret.h"
#include "lib/base/utf8.h"
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum key_type { TEXT, SECRET, COUNT, SIZE, DURATION, OCTAL };

// clang-format off
static const struct key {
	const char *section, *name;
	enum key_type type;
	size_t offset;
	const char *initial; /* NULL: must be given */
	int64_t min, max;
} keys[] = {
#define AT(section, name) #section, #name
#define IN(section, name) offsetof(struct config, section.name)
	{AT(site, url), TEXT, IN(site, url), NULL, 0, 0},
	{AT(site, name), TEXT, IN(site, name), "PulseChat", 0, 0},
	{AT(database, dsn), TEXT, IN(database, dsn), NULL, 0, 0},
	{AT(database, statement_timeout), DURATION, IN(database, statement_timeout), "10s", 100, 600000},
	{AT(database, wait), DURATION, IN(database, wait), "10s", 0, 60000},
	{AT(api, listen), TEXT, IN(api, listen), "", 0, 0},
	{AT(api, socket_mode), OCTAL, IN(api, socket_mode), "0660", 0, 0777},
	{AT(api, socket_group), TEXT, IN(api, socket_group), "", 0, 0},
	{AT(api, threads), COUNT, IN(api, threads), "8", 1, 256},
	{AT(api, poll), TEXT, IN(api, poll), "parked", 0, 0},
	{AT(api, parked), COUNT, IN(api, parked), "500", 1, 100000},
	{AT(api, trusted_proxies), TEXT, IN(api, trusted_proxies), "127.0.0.1 ::1", 0, 0},
	{AT(realtime, listen), TEXT, IN(realtime, listen), "", 0, 0},
	{AT(realtime, socket_mode), OCTAL, IN(realtime, socket_mode), "0660", 0, 0777},
	{AT(realtime, socket_group), TEXT, IN(realtime, socket_group), "", 0, 0},
	{AT(realtime, ring_events), COUNT, IN(realtime, ring_events), "100000", 16, 10000000},
	{AT(realtime, ring_bytes), SIZE, IN(realtime, ring_bytes), "64M", 65536, (int64_t)16 << 30},
	{AT(realtime, connections), COUNT, IN(realtime, connections), "15000", 1, 1000000},
	{AT(realtime, queue_bytes), SIZE, IN(realtime, queue_bytes), "1M", 16384, (int64_t)64 << 20},
	{AT(realtime, frame_bytes), SIZE, IN(realtime, frame_bytes), "128k", 4096, (int64_t)16 << 20},
	{AT(realtime, ping_interval), DURATION, IN(realtime, ping_interval), "20s", 100, 300000},
	{AT(realtime, pong_timeout), DURATION, IN(realtime, pong_timeout), "10s", 100, 300000},
	{AT(realtime, poll_hold), DURATION, IN(realtime, poll_hold), "25s", 0, 55000},
	{AT(realtime, poll_hold_max), DURATION, IN(realtime, poll_hold_max), "55s", 0, 300000},
	{AT(realtime, drain_spread), DURATION, IN(realtime, drain_spread), "3s", 0, 60000},
	{AT(writer, batch_items), COUNT, IN(writer, batch_items), "1024", 1, 1024},
	{AT(writer, batch_bytes), SIZE, IN(writer, batch_bytes), "2M", 65536, (int64_t)2 << 20},
	{AT(writer, queue_items), COUNT, IN(writer, queue_items), "8192", 1, 1000000},
	{AT(writer, queue_bytes), SIZE, IN(writer, queue_bytes), "16M", 65536, (int64_t)1 << 30},
	{AT(oidc, issuer), TEXT, IN(oidc, issuer), "", 0, 0},
	{AT(oidc, client_id), TEXT, IN(oidc, client_id), "", 0, 0},
	{AT(oidc, client_secret), SECRET, IN(oidc, client_secret), "", 0, 0},
	{AT(oidc, client_secret_file), TEXT, IN(oidc, client_secret_file), "", 0, 0},
	{AT(oidc, client_auth), TEXT, IN(oidc, client_auth), "basic", 0, 0},
	{AT(oidc, scopes), TEXT, IN(oidc, scopes), "openid profile email", 0, 0},
	{AT(oidc, buttons), TEXT, IN(oidc, buttons), "", 0, 0},
	{AT(oidc, prompt), TEXT, IN(oidc, prompt), "", 0, 0},
	{AT(oidc, claim_name), TEXT, IN(oidc, claim_name), "", 0, 0},
	{AT(oidc, claim_handle), TEXT, IN(oidc, claim_handle), "", 0, 0},
	{AT(oidc, claim_picture), TEXT, IN(oidc, claim_picture), "", 0, 0},
	{AT(oidc, claim_groups), TEXT, IN(oidc, claim_groups), "groups", 0, 0},
	{AT(oidc, roles), TEXT, IN(oidc, roles), "", 0, 0},
	{AT(oidc, owners), TEXT, IN(oidc, owners), "", 0, 0},
	{AT(oidc, access_audience), TEXT, IN(oidc, access_audience), "", 0, 0},
	{AT(oidc, access_scopes), TEXT, IN(oidc, access_scopes), "", 0, 0},
	{AT(oidc, leeway), DURATION, IN(oidc, leeway), "60s", 0, 600000},
	{AT(oidc, http_timeout), DURATION, IN(oidc, http_timeout), "10s", 100, 60000},
	{AT(registration, mode), TEXT, IN(registration, mode), "open", 0, 0},
	{AT(registration, domains), TEXT, IN(registration, domains), "", 0, 0},
	{AT(registration, first_owner), TEXT, IN(registration, first_owner), "yes", 0, 0},
	{AT(groups, managers), TEXT, IN(groups, managers), "admins", 0, 0},
	{AT(local, accounts), TEXT, IN(local, accounts), "no", 0, 0},
	{AT(session, idle), DURATION, IN(session, idle), "14d", 1000, (int64_t)400 * 86400000},
	{AT(session, absolute), DURATION, IN(session, absolute), "90d", 1000, (int64_t)400 * 86400000},
	{AT(limits, message_chars), COUNT, IN(limits, message_chars), "20000", 1, 100000},
	{AT(limits, request_bytes), SIZE, IN(limits, request_bytes), "256k", 4096, (int64_t)16 << 20},
	{AT(limits, page), COUNT, IN(limits, page), "200", 1, 1000},
	{AT(limits, channel_members), COUNT, IN(limits, channel_members), "10000", 1, 1000000},
	{AT(messages, edit_window), DURATION, IN(messages, edit_window), "24h", 0, (int64_t)36500 * 86400000},
	{AT(emoji, who), TEXT, IN(emoji, who), "members", 0, 0},
	{AT(emoji, max), COUNT, IN(emoji, max), "1000", 0, 10000},
	{AT(files, store), TEXT, IN(files, store), "none", 0, 0},
	{AT(files, endpoint), TEXT, IN(files, endpoint), "", 0, 0},
	{AT(files, region), TEXT, IN(files, region), "us-east-1", 0, 0},
	{AT(files, bucket), TEXT, IN(files, bucket), "pulsechat", 0, 0},
	{AT(files, prefix), TEXT, IN(files, prefix), "files", 0, 0},
	{AT(files, path_style), TEXT, IN(files, path_style), "yes", 0, 0},
	{AT(files, access_key), TEXT, IN(files, access_key), "", 0, 0},
	{AT(files, secret_key), SECRET, IN(files, secret_key), "", 0, 0},
	{AT(files, secret_key_file), TEXT, IN(files, secret_key_file), "", 0, 0},
	{AT(files, session_token), SECRET, IN(files, session_token), "", 0, 0},
	{AT(files, verifies), TEXT, IN(files, verifies), "no", 0, 0},
	{AT(files, payload_query), TEXT, IN(files, payload_query), "no", 0, 0},
	{AT(files, cloudfront_url), TEXT, IN(files, cloudfront_url), "", 0, 0},
	{AT(files, cloudfront_key_id), TEXT, IN(files, cloudfront_key_id), "", 0, 0},
	{AT(files, cloudfront_key_file), TEXT, IN(files, cloudfront_key_file), "", 0, 0},
	{AT(files, url), TEXT, IN(files, url), "", 0, 0},
	{AT(files, listen), TEXT, IN(files, listen), "", 0, 0},
	{AT(files, dir), TEXT, IN(files, dir), "", 0, 0},
	{AT(files, sendfile), TEXT, IN(files, sendfile), "X-Sendfile", 0, 0},
	{AT(files, max_size), SIZE, IN(files, max_size), "2G", 1, (int64_t)5 << 40},
	{AT(files, message_files), COUNT, IN(files, message_files), "20", 1, 100},
	{AT(files, quota_user), SIZE, IN(files, quota_user), "50G", 0, (int64_t)1 << 50},
	{AT(files, quota_day), SIZE, IN(files, quota_day), "10G", 0, (int64_t)1 << 50},
	{AT(files, multipart_above), SIZE, IN(files, multipart_above), "64M", 0, (int64_t)5 << 30},
	{AT(files, part_size), SIZE, IN(files, part_size), "16M", (int64_t)5 << 20, (int64_t)1 << 30},
	{AT(files, upload_expires), DURATION, IN(files, upload_expires), "1h", 1000, 604800000},
	{AT(files, download_expires), DURATION, IN(files, download_expires), "300s", 1000, 604800000},
	{AT(files, unattached), DURATION, IN(files, unattached), "24h", 1000, 2592000000},
	{AT(rate, table), TEXT, IN(rate, table), "/run/pulsechat/rate", 0, 0},
	{AT(rate, session), COUNT, IN(rate, session), "1200", 0, 10000000},
	{AT(rate, address), COUNT, IN(rate, address), "6000", 0, 10000000},
	{AT(rate, login), COUNT, IN(rate, login), "120", 0, 10000000},
	{AT(rate, calls), COUNT, IN(rate, calls), "10", 0, 10000000},
	{AT(rate, guess), COUNT, IN(rate, guess), "30", 0, 10000000},
	{AT(previews, enabled), TEXT, IN(previews, enabled), "yes", 0, 0},
	{AT(previews, ports), TEXT, IN(previews, ports), "80 443", 0, 0},
	{AT(previews, allow), TEXT, IN(previews, allow), "", 0, 0},
	{AT(previews, timeout), DURATION, IN(previews, timeout), "5s", 100, 30000},
	{AT(previews, max_bytes), SIZE, IN(previews, max_bytes), "256k", 4096, (int64_t)4 << 20},
	{AT(previews, expires), DURATION, IN(previews, expires), "24h", 1000, (int64_t)365 * 86400000},
	{AT(previews, per_user), COUNT, IN(previews, per_user), "20", 1, 10000},
	{AT(previews, per_host), COUNT, IN(previews, per_host), "20", 1, 10000},
	{AT(events, retention), DURATION, IN(events, retention), "30d", 60000, (int64_t)3650 * 86400000},
	{AT(events, resume_events), COUNT, IN(events, resume_events), "10000", 1, 1000000},
	{AT(reads, coalesce), DURATION, IN(reads, coalesce), "1s", 0, 60000},
	{AT(reads, receipts_max), COUNT, IN(reads, receipts_max), "100", 0, 10000},
	{AT(presence, lease), DURATION, IN(presence, lease), "45s", 500, 600000},
	{AT(presence, renew), DURATION, IN(presence, renew), "15s", 100, 200000},
	{AT(presence, grace), DURATION, IN(presence, grace), "30s", 0, 600000},
	{AT(presence, away), DURATION, IN(presence, away), "5m", 500, 86400000},
	{AT(presence, poll_slack), DURATION, IN(presence, poll_slack), "10s", 100, 300000},
	{AT(typing, last), DURATION, IN(typing, last), "6s", 100, 60000},
	{AT(typing, repeat), DURATION, IN(typing, repeat), "2s", 0, 60000},
	{AT(typing, present_max), COUNT, IN(typing, present_max), "200", 0, 10000},
	{AT(log, level), TEXT, IN(log, level), "info", 0, 0},
};
// clang-format on

struct reading {
	struct config *c;
	FILE *file;
	int line;
	const char *path;
	struct err *e;
	bool seen[COUNT_OF(keys)];
	bool failed;
};

static bool parse_number(const struct key *k, const char *s, int64_t *out)
{
	static const struct {
		enum key_type type;
		const char *suffix;
		int64_t factor;
	} units[] = {
		{COUNT, "", 1},           {SIZE, "", 1},
		{SIZE, "k", 1024},        {SIZE, "M", 1 << 20},
		{SIZE, "G", 1 << 30},     {DURATION, "ms", 1},
		{DURATION, "s", 1000},    {DURATION, "m", 60000},
		{DURATION, "h", 3600000}, {DURATION, "d", 86400000},
		{OCTAL, "", 1},
	};
	char *end;
	long long v;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	v = strtoll(s, &end, k->type == OCTAL ? 8 : 10);
	if (errno)
		return false;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		if (units[i].type == k->type && !strcmp(units[i].suffix, end)) {
			if (v > INT64_MAX / units[i].factor)
				return false;
			*out = v * units[i].factor;
			return *out >= k->min && *out <= k->max;
		}
	return false;
}

static const char *expected(enum key_type t)
{
	switch (t) {
	case COUNT:
		return "a whole number";
	case SIZE:
		return "a size such as 512k or 16M";
	case DURATION:
		return "a time such as 500ms, 20s, 5m, 2h or 30d";
	case OCTAL:
		return "an octal mode such as 0660";
	default:
		return "text";
	}
}

/* where: "FILE:LINE" or the variable's name. */
static int assign(struct config *c, const struct key *k, const char *value, const char *where, struct err *e)
{
	void *at = (char *)c + k->offset;

	if (k->type == TEXT || k->type == SECRET) {
		char **text = at;

		if (!utf8_valid(value, strlen(value)) || utf8_has_control(value, strlen(value), ""))
			return err_set(e, ERR_BAD_FIELD, k->name, "%s: [%s] %s: not plain UTF-8 text", where,
				       k->section, k->name);
		free(*text);
		*text = xstrdup(value);
		return 0;
	}
	if (!parse_number(k, value, at)) {
		if (k->type == OCTAL)
			return err_set(e, ERR_BAD_FIELD, k->name, "%s: [%s] %s = %s: expected %s", where, k->section,
				       k->name, value, expected(k->type));
		return err_set(e, ERR_BAD_FIELD, k->name,
			       "%s: [%s] %s = %s: expected %s within its limits (%lld to %lld%s)", where, k->section,
			       k->name, value, expected(k->type), (long long)k->min, (long long)k->max,
			       k->type == DURATION ? " ms" : "");
	}
	return 0;
}

static const struct key *find_key(const char *section, const char *name)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (!strcmp(keys[i].section, section) && !strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static bool known_section(const char *section)
{
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (!strcmp(keys[i].section, section))
			return true;
	return false;
}

/* inih as packaged tells its handler no line numbers and cuts long lines without a word, so both are seen to here. */
static char *next_line(char *buf, int size, void *arg)
{
	struct reading *r = arg;
	size_t n;

	if (r->failed || !fgets(buf, size, r->file))
		return NULL;
	r->line++;
	n = strlen(buf);
	if (n + 1 == (size_t)size && buf[n - 1] != '\n' && !feof(r->file)) {
		err_set(r->e, ERR_BAD_REQUEST, NULL, "%s:%d: line of over %d bytes", r->path, r->line, size - 2);
		r->failed = true;
		return NULL;
	}
	return buf;
}

static int on_line(void *arg, const char *section, const char *name, const char *value)
{
	struct reading *r = arg;
	const struct key *k = find_key(section, name);
	char where[160];

	if (r->failed)
		return 0;
	snprintf(where, sizeof(where), "%s:%d", r->path, r->line);
	r->failed = true;
	if (!k) {
		if (known_section(section))
			err_set(r->e, ERR_BAD_FIELD, name, "%s: unknown key %s in [%s]", where, name, section);
		else
			err_set(r->e, ERR_BAD_FIELD, name, "%s: unknown section [%s]", where, section);
		return 0;
	}
	if (r->seen[k - keys]) {
		err_set(r->e, ERR_BAD_FIELD, name, "%s: [%s] %s is given twice", where, section, name);
		return 0;
	}
	if (assign(r->c, k, value ? value : "", where, r->e) < 0)
		return 0;
	r->seen[k - keys] = true;
	r->failed = false;
	return 1;
}

static void variable_name(const struct key *k, char *out, size_t size)
{
	snprintf(out, size, "PULSECHAT_%s_%s", k->section, k->name);
	for (char *p = out; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

/* A misspelt override would otherwise be a setting that silently does nothing. */
static int from_environment(struct reading *r)
{
	extern char **environ;
	char name[96];

	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const char *value;

		variable_name(&keys[i], name, sizeof(name));
		value = getenv(name);
		if (!value)
			continue;
		if (assign(r->c, &keys[i], value, name, r->e) < 0)
			return -1;
		r->seen[i] = true;
	}
	for (char **v = environ; *v; v++) {
		size_t n = strcspn(*v, "=");
		bool known = false;

		if (strncmp(*v, "PULSECHAT_", 10) != 0)
			continue;
		for (size_t i = 0; i < COUNT_OF(keys) && !known; i++) {
			variable_name(&keys[i], name, sizeof(name));
			known = strlen(name) == n && !strncmp(name, *v, n);
		}
		if (!known)
			return err_set(r->e, ERR_BAD_FIELD, NULL, "%.*s: no such setting", (int)MIN_OF(n, (size_t)80),
				       *v);
	}
	return 0;
}

int config_load(const char *path, struct config **out, struct err *e)
{
	struct reading r = {.c = xcalloc(1, sizeof(struct config)), .path = path, .e = e};
	int line;

	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (assign(r.c, &keys[i], keys[i].initial ? keys[i].initial : "", "default", e) < 0)
			goto fail;
	r.file = fopen(path, "re");
	if (!r.file) {
		err_set(e, ERR_BAD_REQUEST, NULL, "%s: %s", path, strerror(errno));
		goto fail;
	}
	line = ini_parse_stream(next_line, &r, on_line, &r);
	fclose(r.file);
	if (r.failed)
		goto fail;
	if (line != 0) {
		err_set(e, ERR_BAD_REQUEST, NULL, "%s:%d: expected [section] or key = value", path, line);
		goto fail;
	}
	if (from_environment(&r) < 0)
		goto fail;
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		if (!keys[i].initial && !r.seen[i]) {
			err_set(e, ERR_BAD_FIELD, keys[i].name, "%s: [%s] %s is missing", path, keys[i].section,
				keys[i].name);
			goto fail;
		}
	if (config_check(r.c, path, e) < 0)
		goto fail;
	*out = r.c;
	return 0;
fail:
	config_free(&r.c);
	return -1;
}

void config_free(struct config **c)
{
	if (!*c)
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		char **text = (char **)((char *)*c + keys[i].offset);

		if (keys[i].type == SECRET && *text)
			secret_wipe(*text, strlen(*text));
		if (keys[i].type == TEXT || keys[i].type == SECRET)
			free(*text);
	}
	free(*c);
	*c = NULL;
}
