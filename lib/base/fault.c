/* fault: what is armed, and the dice. Empty in all builds but the one for tests. */
#include "lib/base/fault.h"

#ifdef PULSECHAT_FAULTS
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { POINTS_MAX = 32, SPEC_MAX = 4096, LOOK_MS = 100 };

static struct point {
	char name[32];
	double share;
	long left; /* -1: without end */
} points[POINTS_MAX];
static size_t points_n;
static int64_t looked_at = -LOOK_MS;
static struct timespec changed_at;
static uint64_t dice;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void parse(char *spec)
{
	char *save, *line;

	points_n = 0;
	for (line = strtok_r(spec, ",\n", &save); line; line = strtok_r(NULL, ",\n", &save)) {
		char *inner, *name = strtok_r(line, " \t", &inner), *share = strtok_r(NULL, " \t", &inner);
		char *count = strtok_r(NULL, " \t", &inner);
		struct point *p = &points[points_n];

		if (!name || name[0] == '#' || points_n == POINTS_MAX)
			continue;
		snprintf(p->name, sizeof(p->name), "%s", name);
		p->share = share ? strtod(share, NULL) : 1;
		p->left = count ? strtol(count, NULL, 10) : -1;
		points_n++;
	}
}

static void read_file(const char *path)
{
	char spec[SPEC_MAX];
	struct stat st;
	FILE *f;
	size_t n;

	if (stat(path, &st) < 0) {
		points_n = 0;
		return;
	}
	if (st.st_mtim.tv_sec == changed_at.tv_sec && st.st_mtim.tv_nsec == changed_at.tv_nsec)
		return;
	if (!(f = fopen(path, "re")))
		return;
	n = fread(spec, 1, sizeof(spec) - 1, f);
	fclose(f);
	spec[n] = 0;
	changed_at = st.st_mtim;
	parse(spec);
}

static struct point *find(const char *name)
{
	const char *path = getenv("PC_FAULTS_FILE"), *spec = getenv("PC_FAULTS"), *seed = getenv("PC_FAULTS_SEED");
	int64_t now = clock_mono_ms();

	if (!dice) {
		dice = (seed ? strtoull(seed, NULL, 10) : (uint64_t)now) * 0x9e3779b97f4a7c15u | 1;
		if (spec && !path) {
			char copy[SPEC_MAX];

			snprintf(copy, sizeof(copy), "%s", spec);
			parse(copy);
		}
	}
	if (path && looked_at + LOOK_MS <= now) {
		looked_at = now;
		read_file(path);
	}
	for (size_t k = 0; k < points_n; k++)
		if (strcmp(points[k].name, name) == 0)
			return &points[k];
	return NULL;
}

bool fault_hit(const char *name)
{
	struct point *p;
	bool hit = false;

	pthread_mutex_lock(&lock);
	p = find(name);
	if (p && p->left != 0) {
		dice ^= dice << 13;
		dice ^= dice >> 7;
		dice ^= dice << 17;
		hit = (double)(dice >> 11) / (double)(1ull << 53) < p->share;
		if (hit && p->left > 0)
			p->left--;
	}
	pthread_mutex_unlock(&lock);
	if (hit)
		log_warning("fault.hit", "name=%s", name);
	return hit;
}

int64_t fault_number(const char *name)
{
	struct point *p;
	int64_t v;

	pthread_mutex_lock(&lock);
	p = find(name);
	v = p ? (int64_t)p->share : 0;
	pthread_mutex_unlock(&lock);
	return v;
}
#else
typedef int fault_none; /* ISO C wants something here */
#endif
