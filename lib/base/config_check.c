/* config_check: what the table of keys cannot say: words, values that must fit together, what lies in other files. */
#include "lib/base/config_private.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- other files */

/* A name that is not absolute starts at the configuration file's own folder. */
static void resolve(const char *name, const char *conf, char out[PATH_MAX])
{
	const char *slash = strrchr(conf, '/');

	snprintf(out, PATH_MAX, "%.*s%s", name[0] == '/' || !slash ? 0 : (int)(slash - conf + 1), conf, name);
}

static void make_absolute(char **name, const char *conf)
{
	char whole[PATH_MAX], absolute[PATH_MAX];

	if (!(*name)[0])
		return;
	resolve(*name, realpath(conf, whole) ? whole : conf, absolute);
	free(*name);
	*name = xstrdup(absolute);
}

/* Reads [section] key from the first line of the file that name names, where it is not given itself. */
static int read_secret_file(const char *section, const char *key, const char *name, char **secret, const char *conf,
			    struct err *e)
{
	char line[512], path[PATH_MAX];
	FILE *f;
	size_t n;

	if (!name[0] || (*secret)[0])
		return 0;
	resolve(name, conf, path);
	f = fopen(path, "re");
	if (!f)
		return err_set(e, ERR_BAD_FIELD, key, "%s: [%s] %s = %s: %s", conf, section, key, name,
			       strerror(errno));
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	line[n] = 0;
	line[strcspn(line, "\r\n")] = 0;
	free(*secret);
	*secret = xstrdup(line);
	secret_wipe(line, sizeof(line));
	return 0;
}

/* ---- values */

static bool yes_or_no(const char *s)
{
	return !strcmp(s, "yes") || !strcmp(s, "no");
}

/* Who may come, and do what. */
static int check_registration(const struct config *c, const char *path, struct err *e)
{
	const char *mode = c->registration.mode;

	if (strcmp(mode, "open") != 0 && strcmp(mode, "invite") != 0 && strcmp(mode, "domains") != 0)
		return err_set(e, ERR_BAD_FIELD, "mode",
			       "%s: [registration] mode = %s: expected open, invite or domains", path, mode);
	if (!strcmp(mode, "domains") && !c->registration.domains[strspn(c->registration.domains, " ,")])
		return err_set(e, ERR_BAD_FIELD, "domains", "%s: [registration] mode = domains needs domains", path);
	if (strcmp(c->groups.managers, "admins") != 0 && strcmp(c->groups.managers, "members") != 0)
		return err_set(e, ERR_BAD_FIELD, "managers", "%s: [groups] managers = %s: expected admins or members",
			       path, c->groups.managers);
	if (!yes_or_no(c->previews.enabled))
		return err_set(e, ERR_BAD_FIELD, "enabled", "%s: [previews] enabled = %s: expected yes or no", path,
			       c->previews.enabled);
	if (!config_emoji_by_all(c) && strcmp(c->emoji.who, "admins") != 0)
		return err_set(e, ERR_BAD_FIELD, "who", "%s: [emoji] who = %s: expected members or admins", path,
			       c->emoji.who);
	if (!yes_or_no(c->registration.first_owner))
		return err_set(e, ERR_BAD_FIELD, "first_owner",
			       "%s: [registration] first_owner = %s: expected yes or no", path,
			       c->registration.first_owner);
	if (!yes_or_no(c->local.accounts))
		return err_set(e, ERR_BAD_FIELD, "accounts", "%s: [local] accounts = %s: expected yes or no", path,
			       c->local.accounts);
	return 0;
}

/* What can be told without the store; lib/store tells the rest. */
static int check_files(struct config *c, const char *path, struct err *e)
{
	const struct {
		const char *name, *value;
	} switches[] = {{"path_style", c->files.path_style},
			{"verifies", c->files.verifies},
			{"payload_query", c->files.payload_query}};
	const char *store = c->files.store;

	if (strcmp(store, "none") != 0 && strcmp(store, "local") != 0 && strcmp(store, "s3") != 0)
		return err_set(e, ERR_BAD_FIELD, "store", "%s: [files] store = %s: expected none, local or s3", path,
			       store);
	for (size_t i = 0; i < COUNT_OF(switches); i++)
		if (!yes_or_no(switches[i].value))
			return err_set(e, ERR_BAD_FIELD, switches[i].name, "%s: [files] %s = %s: expected yes or no",
				       path, switches[i].name, switches[i].value);
	if (config_files_local(c) && !c->files.access_key[0]) { /* its name is no secret, and nobody else's */
		free(c->files.access_key);
		c->files.access_key = xstrdup("local");
	}
	for (size_t n = strlen(c->files.dir); n > 1 && c->files.dir[n - 1] == '/'; n--)
		c->files.dir[n - 1] = 0;
	return 0;
}

int config_check(struct config *c, const char *path, struct err *e)
{
	enum log_level level;
	size_t n = strlen(c->site.url);

	if (n && c->site.url[n - 1] == '/')
		c->site.url[n - 1] = 0;
	if ((strncmp(c->site.url, "https://", 8) != 0 && strncmp(c->site.url, "http://", 7) != 0) ||
	    !config_site_host(c)[0] || strpbrk(config_site_host(c), "/?#@ \\"))
		return err_set(e, ERR_BAD_FIELD, "url",
			       "%s: [site] url = %s: expected https://HOST[:PORT] without a path", path, c->site.url);
	if (!config_site_port(c))
		return err_set(e, ERR_BAD_FIELD, "url", "%s: [site] url = %s: no such port", path, c->site.url);
	if (!config_site_secure(c) && !config_site_loopback(c))
		return err_set(e, ERR_BAD_FIELD, "url", "%s: [site] url = %s: only a loopback site may be plain http",
			       path, c->site.url);
	if (!log_level_parse(c->log.level, &level))
		return err_set(e, ERR_BAD_FIELD, "level",
			       "%s: [log] level = %s: expected debug, info, warning or error", path, c->log.level);
	if (strcmp(c->oidc.client_auth, "basic") != 0 && strcmp(c->oidc.client_auth, "post") != 0)
		return err_set(e, ERR_BAD_FIELD, "client_auth", "%s: [oidc] client_auth = %s: expected basic or post",
			       path, c->oidc.client_auth);
	if (c->presence.renew * 2 > c->presence.lease)
		return err_set(e, ERR_BAD_FIELD, "renew", "%s: [presence] renew: at most half of the lease", path);
	if (strcmp(c->api.poll, "parked") != 0 && strcmp(c->api.poll, "plain") != 0)
		return err_set(e, ERR_BAD_FIELD, "poll", "%s: [api] poll = %s: expected parked or plain", path,
			       c->api.poll);
	if (c->rate.table[0] && c->rate.table[0] != '/')
		return err_set(e, ERR_BAD_FIELD, "table", "%s: [rate] table = %s: expected an absolute path", path,
			       c->rate.table);
	if (check_registration(c, path, e) < 0 || check_files(c, path, e) < 0)
		return -1;
	if (read_secret_file("files", "secret_key_file", c->files.secret_key_file, &c->files.secret_key, path, e) < 0)
		return -1;
	make_absolute(&c->files.cloudfront_key_file, path);
	make_absolute(&c->files.dir, path);
	return read_secret_file("oidc", "client_secret_file", c->oidc.client_secret_file, &c->oidc.client_secret, path,
				e);
}
