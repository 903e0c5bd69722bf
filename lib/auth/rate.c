/* rate: keys and quotas of buckets. */
#include "lib/auth/rate.h"
#include "lib/base/buckets.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM ((size_t)65536)
#define WINDOW_S 60
#define WINDOW_US ((int64_t)WINDOW_S * 1000000)
#define KNOWN_US ((int64_t)600 * 1000000)

/* Of bucket_key, beside enum rate_kind; an address' family is a further bit. */
enum { KIND_KNOWN = RATE_KINDS, FAMILY_SIX = 0x100 };

struct rate {
	const struct config *config;
	struct buckets *buckets;
};

static const char *const kind_names[RATE_KINDS] = {"session", "address", "login", "calls", "guess"};

static int64_t quota_of(const struct config *c, enum rate_kind kind)
{
	const int64_t quotas[RATE_KINDS] = {c->rate.session, c->rate.address, c->rate.login, c->rate.calls,
					    c->rate.guess};

	return quotas[kind];
}

static bool limits_anything(const struct config *c)
{
	bool any = false;

	for (int k = 0; k < RATE_KINDS; k++)
		any = any || quota_of(c, (enum rate_kind)k);
	return any;
}

/* Two sites of one user may have one table. */
static uint64_t salt_of(const struct config *c)
{
	unsigned char digest[32];
	uint64_t salt;

	sha256(c->site.url, strlen(c->site.url), digest);
	memcpy(&salt, digest, sizeof(salt));
	return salt;
}

struct rate *rate_new(const struct config *c)
{
	struct rate *r = xcalloc(1, sizeof(*r));
	struct err e = {0};

	r->config = c;
	if (!limits_anything(c))
		return r;
	if (c->rate.table[0])
		r->buckets = buckets_open(c->rate.table, ROOM, salt_of(c), &e);
	if (c->rate.table[0] && !r->buckets)
		log_warning("rate.table", "cause=%s means=%s", log_quote(e.detail),
			    log_quote("this process counts for itself: see [rate] table"));
	if (!r->buckets)
		r->buckets = buckets_new(ROOM);
	return r;
}

int rate_check(const struct config *c, struct err *e)
{
	return limits_anything(c) && c->rate.table[0] ? buckets_check(c->rate.table, ROOM, e) : 0;
}

void rate_free(struct rate **r)
{
	if (!*r)
		return;
	buckets_free(&(*r)->buckets);
	free(*r);
	*r = NULL;
}

/* False for what is no address. */
static bool key_of(enum rate_kind kind, const char *address, struct bucket_key *key)
{
	struct in_addr four;
	struct in6_addr six;

	*key = (struct bucket_key){.kind = kind};
	if (inet_pton(AF_INET, address, &four) == 1) {
		key->id = ntohl(four.s_addr);
		return true;
	}
	if (inet_pton(AF_INET6, address, &six) != 1)
		return false;
	key->kind |= FAMILY_SIX;
	memcpy(&key->id, six.s6_addr, sizeof(key->id));
	return true;
}

static int judge(struct rate *r, enum rate_kind kind, struct bucket_key key, int64_t n, struct rate_left *left,
		 struct err *e)
{
	int64_t quota = quota_of(r->config, kind);
	struct bucket_left b;
	bool ok = buckets_take(r->buckets, key, quota, WINDOW_US, n, clock_mono_us(), &b);

	if (left)
		*left = (struct rate_left){kind, quota, b.left, (b.full_us + 999999) / 1000000};
	return ok ? 0
		  : err_retry(e, ERR_RATE_LIMITED, (int)((b.wait_us + 999) / 1000), "more than %lld in %d s (%s)",
			      (long long)quota, WINDOW_S, kind_names[kind]);
}

static bool is_off(const struct rate *r, enum rate_kind kind, struct rate_left *left)
{
	bool off = !quota_of(r->config, kind);

	if (off && left)
		*left = (struct rate_left){.kind = kind};
	return off;
}

int rate_session(struct rate *r, int64_t session, int64_t n, struct rate_left *left, struct err *e)
{
	struct bucket_key key = {RATE_SESSION, (uint64_t)session};

	return is_off(r, RATE_SESSION, left) ? 0 : judge(r, RATE_SESSION, key, n, left, e);
}

int rate_call(struct rate *r, int64_t user, struct err *e)
{
	struct bucket_key key = {RATE_CALL, (uint64_t)user};

	if (is_off(r, RATE_CALL, NULL) || judge(r, RATE_CALL, key, 1, NULL, e) == 0)
		return 0;
	snprintf(e->field, sizeof(e->field), "body.mentions");
	return -1;
}

int rate_address(struct rate *r, enum rate_kind kind, const char *address, struct rate_left *left, struct err *e)
{
	struct bucket_key key;

	if (is_off(r, kind, left) || !key_of(kind, address, &key)) {
		if (left)
			*left = (struct rate_left){.kind = kind};
		return 0;
	}
	return judge(r, kind, key, 1, left, e);
}

/* Half of a hash that is not told to anybody. */
static struct bucket_key known_key(const char *hash)
{
	struct bucket_key key = {.kind = KIND_KNOWN};
	unsigned char digest[32];

	sha256(hash, strlen(hash), digest);
	memcpy(&key.id, digest, sizeof(key.id));
	return key;
}

int rate_guess(struct rate *r, const char *address, const char *hash, struct rate_left *left, struct err *e)
{
	struct bucket_left b;
	struct bucket_key key;

	if (is_off(r, RATE_GUESS, left) || !key_of(RATE_GUESS, address, &key))
		return 0;
	buckets_take(r->buckets, key, quota_of(r->config, RATE_GUESS), WINDOW_US, 0, clock_mono_us(), &b);
	if (b.left > 0)
		return 0;
	/* its bucket is empty for as long as it counts as known */
	buckets_take(r->buckets, known_key(hash), 1, KNOWN_US, 0, clock_mono_us(), &b);
	if (b.left == 0)
		return 0;
	return judge(r, RATE_GUESS, key, 1, left, e);
}

void rate_known(struct rate *r, const char *hash)
{
	if (r->config->rate.guess)
		buckets_drain(r->buckets, known_key(hash), 1, KNOWN_US, 1, clock_mono_us());
}

void rate_unknown(struct rate *r, const char *address)
{
	struct bucket_key key;

	if (r->config->rate.guess && key_of(RATE_GUESS, address, &key))
		buckets_drain(r->buckets, key, r->config->rate.guess, WINDOW_US, 1, clock_mono_us());
}

void rate_headers(const struct rate_left *left, struct strbuf *b)
{
	const char *name = kind_names[left->kind];

	if (!left->limit)
		return;
	strbuf_adds(b, "RateLimit-Policy: \"");
	strbuf_adds(b, name);
	strbuf_adds(b, "\";q=");
	strbuf_addi(b, left->limit);
	strbuf_adds(b, ";w=");
	strbuf_addi(b, WINDOW_S);
	strbuf_adds(b, "\r\nRateLimit: \"");
	strbuf_adds(b, name);
	strbuf_adds(b, "\";r=");
	strbuf_addi(b, left->left);
	strbuf_adds(b, ";t=");
	strbuf_addi(b, left->reset_s);
	strbuf_adds(b, "\r\n");
}

void rate_render(struct strbuf *b, const struct config *c)
{
	const char *between = "";

	strbuf_addc(b, '{');
	for (int k = 0; k < RATE_KINDS; k++) {
		int64_t quota = quota_of(c, (enum rate_kind)k);

		if (!quota)
			continue;
		strbuf_addf(b, "%s\"%s\":{\"quota\":%lld,\"window\":%d}", between, kind_names[k], (long long)quota,
			    WINDOW_S);
		between = ",";
	}
	strbuf_addc(b, '}');
}
