/* device: two tables of words. Their order counts: most browsers claim to be others too. */
#include "lib/auth/device.h"
#include <stdio.h>
#include <string.h>

struct word {
	const char *word, *name;
};

static const struct word browsers[] = {
	{"Edg/", "Edge"},
	{"EdgA/", "Edge"},
	{"EdgiOS/", "Edge"},
	{"OPR/", "Opera"},
	{"Opera", "Opera"},
	{"Vivaldi/", "Vivaldi"},
	{"SamsungBrowser/", "Samsung Internet"},
	{"FxiOS/", "Firefox"},
	{"Firefox/", "Firefox"},
	{"CriOS/", "Chrome"},
	{"HeadlessChrome/", "Chrome"},
	{"Chromium/", "Chromium"},
	{"Chrome/", "Chrome"},
	{"Epiphany/", "GNOME Web"},
	{"Safari/", "Safari"},
	{"curl/", "curl"},
	{"Wget/", "Wget"},
	{"python", "Python"},
};
static const struct word systems[] = {
	{"iPhone", "iPhone"},   {"iPad", "iPad"},       {"Android", "Android"}, {"CrOS", "ChromeOS"},
	{"Windows", "Windows"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"},  {"FreeBSD", "FreeBSD"},
	{"OpenBSD", "OpenBSD"}, {"Linux", "Linux"},     {"X11", "Linux"},
};

static const char *find(const struct word *words, size_t n, const char *agent)
{
	for (size_t i = 0; i < n; i++)
		if (strstr(agent, words[i].word))
			return words[i].name;
	return NULL;
}

void device_name(const char *agent, char out[DEVICE_NAME_MAX])
{
	const char *browser = find(browsers, COUNT_OF(browsers), agent);
	const char *system = find(systems, COUNT_OF(systems), agent);

	if (browser && system)
		snprintf(out, DEVICE_NAME_MAX, "%s on %s", browser, system);
	else
		snprintf(out, DEVICE_NAME_MAX, "%s", browser ? browser : system ? system : "Unknown device");
}
