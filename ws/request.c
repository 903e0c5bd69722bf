/* request: reading headers and query. */
#include "ws/request.h"
#include "lib/auth/cookie.h"
#include "lib/auth/jwt.h"
#include "lib/auth/credential.h"
#include "lib/auth/origin.h"
#include "lib/auth/rate.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/arena.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include "lib/base/strbuf.h"
#include "lib/bus/payload.h"
#include "lib/http/headers.h"
#include "lib/http/peer.h"
#include "lib/http/problem.h"
#include "lib/http/uri.h"
#include "lib/live/live.h"
#include "lib/live/poll.h"
#include "ws/pg_loop.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ARGUMENTS_MAX 8
#define AUTHORIZATION_MAX ((size_t)JWT_MAX + 16)
#define PROTOCOL_HEADER_MAX 127 /* 4.1.6 reads the subprotocols into 128 bytes */
#define WEBSOCKET_KEY_LEN 24

/* An exact media range; one with q=0 is what nobody sends. */
bool request_wants_sse(const struct http_head *head)
{
	static const char type[] = "text/event-stream";
	char accept[512];
	const char *p = http_header(head, "accept", accept, sizeof(accept));

	while (p && *p) {
		p += strspn(p, " \t,");
		if (!strncasecmp(p, type, sizeof(type) - 1) && strchr(" \t,;", p[sizeof(type) - 1]))
			return true; /* strchr() finds the NUL too */
		p += strcspn(p, ",");
	}
	return false;
}

/* ---- the query */

static const char *argument(const struct uri_pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(pairs[i].name, name))
			return pairs[i].value;
	return NULL;
}

static int check_names(const struct uri_pair *pairs, size_t n, enum request_kind kind, struct err *e)
{
	static const struct {
		const char *name;
		bool socket, sse; /* who takes it beside polls */
	} known[] = {
		{"cursor", true, true}, {"instance", true, true}, {"reads", true, true},    {"drafts", true, true},
		{"focus", false, true}, {"watch", false, true},   {"active", false, false}, {"wait", false, false},
	};

	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < COUNT_OF(known) && strcmp(pairs[i].name, known[k].name) != 0)
			k++;
		if (k == COUNT_OF(known) || (kind == REQUEST_SOCKET && !known[k].socket) ||
		    (kind == REQUEST_SSE && !known[k].sse))
			return err_set(e, ERR_BAD_FIELD, pairs[i].name, "no such parameter here");
	}
	return 0;
}

/* What a browser that comes back by itself says: newer than the cursor in the address. */
static int read_last_id(const struct http_head *head, struct request *q, struct err *e)
{
	char text[CURSOR_TEXT_MAX];
	const char *id = http_header(head, "last-event-id", text, sizeof(text));

	if (!id)
		return 0;
	if (cursor_parse(id, strlen(id), &q->cursor, e) < 0)
		return err_set(e, ERR_BAD_CURSOR, "Last-Event-ID", "is not one that was given out");
	q->has_cursor = true;
	return 0;
}

static int read_sum(const struct uri_pair *pairs, size_t n, const char *name, int64_t *out, struct err *e)
{
	const char *value = argument(pairs, n, name);

	*out = LIVE_NOT_ASKED;
	if (!value || int_parse(value, strlen(value), EVENT_ID_MAX, out))
		return 0;
	return err_set(e, ERR_BAD_FIELD, name, "must be a whole number");
}

static int read_interests(const struct uri_pair *pairs, size_t n, struct request *q, struct err *e)
{
	const char *focus = argument(pairs, n, "focus"), *watch = argument(pairs, n, "watch");

	if (!focus && !watch)
		return 0;
	q->interests = xmalloc(sizeof(*q->interests));
	return interests_parse(focus, watch, q->interests, e);
}

static int read_pairs(struct realtime *rt, const struct http_head *head, struct request *q,
		      const struct uri_pair *pairs, size_t n, struct err *e)
{
	const char *value;
	int64_t seconds;

	if (check_names(pairs, n, q->kind, e) < 0)
		return -1;
	value = argument(pairs, n, "cursor");
	if (value && cursor_parse(value, strlen(value), &q->cursor, e) < 0)
		return -1;
	q->has_cursor = value != NULL;
	if (q->kind == REQUEST_SSE && read_last_id(head, q, e) < 0)
		return -1;
	value = argument(pairs, n, "instance");
	if (value && !uuid_parse(value, strlen(value), NULL))
		return err_set(e, ERR_BAD_FIELD, "instance", "must be a UUID in lower case");
	q->has_instance = value != NULL;
	if (value)
		memcpy(q->instance, value, sizeof(q->instance));
	else
		rand_uuid(q->instance);
	if (read_sum(pairs, n, "reads", &q->reads, e) < 0 || read_sum(pairs, n, "drafts", &q->drafts, e) < 0)
		return -1;
	if (read_interests(pairs, n, q, e) < 0)
		return -1;
	value = argument(pairs, n, "active");
	if (value && strcmp(value, "1") != 0)
		return err_set(e, ERR_BAD_FIELD, "active", "must be 1");
	q->active = value != NULL;
	q->wait_ms = live_poll_hold(rt->config, -1);
	value = argument(pairs, n, "wait");
	if (!value)
		return 0;
	if (!int_parse(value, strlen(value), live_poll_wait_max(rt->config), &seconds))
		return err_set(e, ERR_BAD_FIELD, "wait", "must be whole seconds from 0 to %lld",
			       (long long)live_poll_wait_max(rt->config));
	q->wait_ms = live_poll_hold(rt->config, seconds);
	return 0;
}

static int read_query(struct realtime *rt, const struct http_head *head, struct request *q, struct err *e)
{
	struct uri_pair pairs[ARGUMENTS_MAX];
	size_t n, count;
	const char *query = http_query(head, &n);
	int rc;

	if (!n)
		return read_pairs(rt, head, q, pairs, 0, e);
	rc = uri_query(rt->arena, query, n, pairs, COUNT_OF(pairs), &count, e);
	if (rc == 0)
		rc = read_pairs(rt, head, q, pairs, count, e);
	arena_reset(rt->arena);
	return rc;
}

/* ---- who */

static void wipe_text(char *s)
{
	if (s)
		secret_wipe(s, strlen(s));
	free(s);
}

static int read_credential(struct realtime *rt, const struct http_head *head, struct request *q, struct err *e)
{
	char origin[ORIGIN_MAX], site[32], client[64];
	char *cookies = http_header_whole(head, "cookie", COOKIE_HEADER_MAX);
	char *authorization = http_header_whole(head, "authorization", AUTHORIZATION_MAX);
	struct credential cr;
	struct origin_request o = {
		.kind = q->kind == REQUEST_SOCKET ? ORIGIN_SOCKET : ORIGIN_API,
		.method = "GET",
		.origin = http_header(head, "origin", origin, sizeof(origin)),
		.sec_fetch_site = http_header(head, "sec-fetch-site", site, sizeof(site)),
		.client = http_header(head, "pulsechat-client", client, sizeof(client)),
	};
	int rc = 0;

	q->has_credential = credential_find(rt->config, authorization, cookies, &cr);
	if (q->has_credential)
		session_secret_hash(credential_text(&cr), q->secret_hash);
	if (cr.jwt)
		q->jwt = xstrdup(cr.jwt);
	/* where any cookie came along, a page may have caused this: also where its session is none of ours any more */
	o.by_cookie = cr.by_cookie || (!q->has_credential && !cr.malformed && cookies);
	if (origin_check(rt->config, &o, e) < 0)
		rc = -1;
	else if (!q->has_credential && q->kind == REQUEST_POLL)
		rc = err_set(e, ERR_UNAUTHENTICATED, NULL, "sign in first");
	credential_wipe(&cr);
	wipe_text(authorization);
	wipe_text(cookies);
	return rc;
}

/* The client's own address, "" where it is not told. */
static void read_address(const struct realtime *rt, const struct http_head *head, const char *peer, struct request *q)
{
	char forwarded[2048];

	if (!peer_find(rt->config->api.trusted_proxies, peer,
		       http_header_last(head, "x-forwarded-for", forwarded, sizeof(forwarded)), q->address))
		q->address[0] = 0;
}

/* ---- the handshake */

static bool offers(const char *list, const char *wanted)
{
	size_t n = strlen(wanted);

	for (;;) {
		size_t token;

		list += strspn(list, " \t,");
		token = strcspn(list, " \t,");
		if (!token)
			return false;
		if (token == n && !memcmp(list, wanted, n))
			return true;
		list += token;
	}
}

static int check_handshake(const struct http_head *head, struct err *e)
{
	char value[PROTOCOL_HEADER_MAX + 1], key[64];
	const char *p;

	p = http_header(head, "sec-websocket-version", value, sizeof(value));
	if (!p || strcmp(p, "13") != 0)
		return err_set(e, ERR_UPGRADE_REQUIRED, NULL, "Sec-WebSocket-Version must be 13");
	p = http_header(head, "sec-websocket-protocol", value, sizeof(value));
	if (!p || !offers(p, "pulsechat.v1"))
		return err_set(e, ERR_BAD_REQUEST, NULL, "Sec-WebSocket-Protocol must offer pulsechat.v1");
	p = http_header(head, "sec-websocket-key", key, sizeof(key));
	if (!p || strlen(p) != WEBSOCKET_KEY_LEN || !http_header(head, "host", value, sizeof(value)))
		return err_set(e, ERR_BAD_REQUEST, NULL, "Host and Sec-WebSocket-Key are needed");
	return 0;
}

/* ---- letting in */

static int admit(struct realtime *rt, struct request *q, struct err *e)
{
	if (rt->draining || !live_is_ready(rt->live))
		return err_retry(e, ERR_UNAVAILABLE, 1000,
				 rt->draining ? "the server is stopping" : "the server is starting");
	if (!pg_pool_is_up(rt->pool))
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	if (rt->conns_n >= (size_t)rt->config->realtime.connections)
		return err_retry(e, ERR_UNAVAILABLE, 5000, "too many connections");
	if (rate_address(rt->rate, RATE_ADDRESS, q->address, &q->rate, e) < 0 ||
	    (q->has_credential && rate_guess(rt->rate, q->address, q->secret_hash, &q->rate, e) < 0))
		return -1;
	if (*q->address && callers_full(rt->callers, q->address))
		return err_retry(e, ERR_RATE_LIMITED, 5000, "too many connections from this address");
	return 0;
}

void request_new_id(char out[REQUEST_ID_MAX])
{
	/* a name, no secret: the process's own random half, and one that it never gives twice */
	static struct {
		uint64_t process, count;
	} id;

	if (!id.process)
		rand_bytes(&id, sizeof(id));
	id.count++;
	hex_encode(out, &id, sizeof(id));
}

struct request *request_take(struct realtime *rt, struct http_conn *h, const struct http_head *head,
			     enum request_kind kind)
{
	struct request *q = xcalloc(1, sizeof(*q));
	struct err e = {0};

	q->kind = kind;
	request_new_id(q->id);
	q->close = http_is_last(head) || kind == REQUEST_SOCKET;
	read_address(rt, head, http_peer(h), q);
	if ((kind == REQUEST_SOCKET && check_handshake(head, &e) < 0) || read_credential(rt, head, q, &e) < 0 ||
	    read_query(rt, head, q, &e) < 0 || admit(rt, q, &e) < 0) {
		AUTO_STRBUF b = {0};

		problem_text(&b, &e, q->id, &q->rate, q->close);
		http_answer(h, b.p, b.n, q->close);
		request_free(&q);
	}
	return q;
}

void request_drop_jwt(struct request *q)
{
	wipe_text(q->jwt);
	q->jwt = NULL;
}

void request_free(struct request **r)
{
	if (!*r)
		return;
	request_drop_jwt(*r);
	free((*r)->interests);
	secret_wipe(*r, sizeof(**r));
	free(*r);
	*r = NULL;
}

/* ---- problem+json */

void problem_text(struct strbuf *b, const struct err *e, const char *request_id, const struct rate_left *rate,
		  bool close)
{
	AUTO_STRBUF body = {0};

	problem_render(&body, e, request_id);
	strbuf_addf(b, "HTTP/1.1 %d %s\r\nContent-Type: " PROBLEM_TYPE "\r\nContent-Length: %zu\r\n",
		    err_status(e->code), err_title(e->code), body.n);
	headers_add(b, &headers_api, request_id);
	problem_headers(b, e);
	if (e->code == ERR_METHOD_NOT_ALLOWED)
		strbuf_adds(b, "Allow: GET\r\n");
	if (e->code == ERR_UPGRADE_REQUIRED)
		strbuf_adds(b, "Sec-WebSocket-Version: 13\r\n");
	rate_headers(rate, b);
	strbuf_adds(b, close ? "Connection: close\r\n\r\n" : "\r\n");
	strbuf_add(b, body.p, body.n);
}

void request_problem(struct http_conn *h, const struct http_head *head, const struct err *e, bool close)
{
	static const struct rate_left none;
	AUTO_STRBUF b = {0};
	char id[REQUEST_ID_MAX];

	request_new_id(id);
	close |= !head || http_is_last(head);
	problem_text(&b, e, id, &none, close);
	if (head && http_is_head(head)) /* an answer to HEAD has no body */
		b.n = (size_t)(strstr(strbuf_cstr(&b), "\r\n\r\n") + 4 - b.p);
	http_answer(h, b.p, b.n, close);
}
