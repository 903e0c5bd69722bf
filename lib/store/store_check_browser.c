/* store_check_browser: what must be allowed so that a browser goes to the store: by the store, and by the site's own
 * page. */
#include "lib/base/config.h"
#include "lib/store/store_check_private.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SENT_HEADERS "content-type,if-none-match,x-amz-checksum-sha256"

static bool list_has(const char *list, const char *word)
{
	size_t n = strlen(word);

	if (!strcmp(list, "*"))
		return true;
	for (const char *p = list; *p; p += *p == ',') {
		size_t len;

		p += strspn(p, " ");
		len = strcspn(p, ", ");
		if (len == n && !strncasecmp(p, word, n))
			return true;
		p += strcspn(p, ",");
	}
	return false;
}

bool check_origin_allowed(const struct check_seen *seen, const char *origin)
{
	return !strcmp(seen->allow_origin, "*") || !strcmp(seen->allow_origin, origin);
}

/* What a browser asks before it uploads from a page of that origin; the status, 0: no answer. */
static int preflight(const char *url, const char *origin, struct check_seen *seen)
{
	struct http_header headers[] = {{"Origin", origin},
					{"Access-Control-Request-Method", "PUT"},
					{"Access-Control-Request-Headers", SENT_HEADERS}};
	struct http_request q = {.method = "OPTIONS", .url = url, .headers = headers, .n_headers = COUNT_OF(headers)};
	struct http_answer a;
	int status = check_ask(&q, seen, &a) ? a.status : 0;

	http_answer_release(&a);
	return status;
}

bool check_cors(struct check *k, const char *url)
{
	static const char *const names[] = {"content-type", "if-none-match", "x-amz-checksum-sha256"};
	static const char elsewhere[] = "https://elsewhere.invalid";
	const char *site = k->c->site.url;
	struct check_seen seen, other;
	int status = preflight(url, site, &seen);
	bool any;

	if (status / 100 != 2 || !check_origin_allowed(&seen, site))
		return check_say(
			k, false,
			"CORS: the store answers a browser of %s with %d and \"%s\": its rules must name this origin "
			"(conf/s3/cors.json)",
			site, status, seen.allow_origin);
	if (!list_has(seen.allow_methods, "PUT"))
		return check_say(k, false, "CORS: PUT is not among the methods: %s (conf/s3/cors.json)",
				 seen.allow_methods);
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (!list_has(seen.allow_headers, names[i]))
			return check_say(k, false, "CORS: %s is not among the headers: %s (conf/s3/cors.json)",
					 names[i], seen.allow_headers);
	any = preflight(url, elsewhere, &other) / 100 == 2 && check_origin_allowed(&other, elsewhere);
	return check_say(k, true, "CORS: browsers of %s may upload%s", site,
			 any ? ", and those of any other site: name ours alone" : ", of another site not");
}

/* Whether the directive of a Content-Security-Policy lets a page go to origin: by name, or by its scheme. */
static bool policy_allows(const char *policy, const char *directive, const char *origin)
{
	size_t name = strlen(directive), n = strlen(origin);

	for (const char *p = policy; *p; p += strcspn(p, ";"), p += *p == ';') {
		const char *end;

		p += strspn(p, " ");
		end = p + strcspn(p, ";");
		if (strncmp(p, directive, name) != 0 || p[name] != ' ')
			continue;
		for (p += name; p < end; p += strcspn(p, " ;")) {
			size_t len;

			p += strspn(p, " ");
			len = strcspn(p, " ;");
			if ((len == n && !strncmp(p, origin, n)) || (len == 1 && *p == '*') ||
			    (len == 6 && !strncmp(p, "https:", 6) && !strncmp(origin, "https:", 6)))
				return true;
		}
		return false;
	}
	return false;
}

void check_page(struct check *k)
{
	const struct {
		const char *directive, *origin;
	} needs[] = {{"connect-src", store_upload_origin(k->s)},
		     {"img-src", store_download_origin(k->s)},
		     {"media-src", store_download_origin(k->s)}};
	char url[2048];
	struct http_request q = {.url = url};
	const char *site = k->c->site.url;
	struct check_seen seen;
	struct http_answer a;
	bool there;

	snprintf(url, sizeof(url), "%s/", site);
	there = check_ask(&q, &seen, &a) && a.status == 200 && seen.policy[0];
	http_answer_release(&a);
	if (!there) {
		check_say(k, true, "page: %s does not show its page from here: its policy was not looked at", site);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(needs); i++)
		if (strcmp(needs[i].origin, site) != 0 &&
		    !policy_allows(seen.policy, needs[i].directive, needs[i].origin)) {
			check_say(k, false,
				  "page: the Content-Security-Policy of %s has not %s in its %s: name it in the web "
				  "server's "
				  "configuration (pc_files)",
				  site, needs[i].origin, needs[i].directive);
			return;
		}
	check_say(k, true, "page: its policy lets browsers go to the store");
}
