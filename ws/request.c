/* request: reading headers and query by libwebsockets. */
#include "ws/request.h"
#include "lib/auth/cookie.h"
#include "lib/auth/credential.h"
#include "lib/auth/origin.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/rand.h"
#include "lib/base/secret.h"
#include "lib/base/strbuf.h"
#include "lib/live/live.h"
#include "ws/pg_loop.h"
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define ARGUMENT_MAX 256
#define PROTOCOL_HEADER_MAX 127 /* 4.1.6 reads the subprotocols into 128 bytes */
#define WEBSOCKET_KEY_LEN 24

/* NULL where the header is absent; else out, or "" where it does not fit. */
static const char *header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t size)
{
	int n = lws_hdr_total_length(wsi, token);

	if (n <= 0)
		return NULL;
	if ((size_t)n >= size || lws_hdr_copy(wsi, out, (int)size, token) < 0)
		out[0] = 0;
	return out;
}

static const char *custom_header(struct lws *wsi, const char *name, char *out, size_t size)
{
	int n = lws_hdr_custom_length(wsi, name, (int)strlen(name));

	if (n <= 0)
		return NULL;
	if ((size_t)n >= size || lws_hdr_custom_copy(wsi, out, (int)size, name, (int)strlen(name)) < 0)
		out[0] = 0;
	return out;
}

bool request_path_is(struct lws *wsi, const char *path)
{
	char *uri;
	int n, method = lws_http_get_uri_and_method(wsi, &uri, &n);

	return method >= 0 && (size_t)n == strlen(path) && !memcmp(uri, path, (size_t)n);
}

/* An exact media range; one with q=0 is what nobody sends. */
bool request_wants_sse(struct lws *wsi)
{
	static const char type[] = "text/event-stream";
	char accept[512];
	const char *p = header(wsi, WSI_TOKEN_HTTP_ACCEPT, accept, sizeof(accept));

	while (p && *p) {
		p += strspn(p, " \t,");
		if (!strncasecmp(p, type, sizeof(type) - 1) && strchr(" \t,;", p[sizeof(type) - 1]))
			return true; /* strchr() finds the NUL too */
		p += strcspn(p, ",");
	}
	return false;
}

/* ---- the query */

/* The value of name; 1: found; 0: absent; -1: there twice, or too long. */
static int argument(struct lws *wsi, const char *name, char *out, size_t size)
{
	char text[ARGUMENT_MAX];
	size_t name_n = strlen(name);
	int found = 0, n;

	for (int i = 0; (n = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
		if ((size_t)n >= sizeof(text) ||
		    lws_hdr_copy_fragment(wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
			continue; /* refused as unknown */
		text[n] = 0;
		if (strncmp(text, name, name_n) != 0 || (text[name_n] != '=' && text[name_n]))
			continue;
		if (found++ || strlen(text) - name_n >= size)
			return -1;
		snprintf(out, size, "%s", text[name_n] ? text + name_n + 1 : "");
	}
	return found;
}

static int check_names(struct lws *wsi, enum request_kind kind, struct err *e)
{
	static const char *const names[] = {"cursor", "instance", "wait"};
	char text[ARGUMENT_MAX];
	int n;

	for (int i = 0; (n = lws_hdr_fragment_length(wsi, WSI_TOKEN_HTTP_URI_ARGS, i)) > 0; i++) {
		bool known = false;

		if ((size_t)n >= sizeof(text) ||
		    lws_hdr_copy_fragment(wsi, text, sizeof(text), WSI_TOKEN_HTTP_URI_ARGS, i) < 0)
			return err_set(e, ERR_BAD_REQUEST, NULL, "a parameter is too long");
		text[n] = 0;
		text[strcspn(text, "=")] = 0;
		if (!strcmp(text, "/"))
			continue; /* what libwebsockets 4.1 makes of a bare `?` */
		for (size_t k = 0; k < COUNT_OF(names) - (kind == REQUEST_POLL ? 0 : 1); k++)
			known |= !strcmp(text, names[k]);
		if (!known)
			return err_set(e, ERR_BAD_REQUEST, NULL, "there is an unknown parameter");
	}
	return 0;
}

/* What a browser that comes back by itself says: newer than the cursor in the address. */
static int read_last_id(struct lws *wsi, struct request *q, struct err *e)
{
	char text[ARGUMENT_MAX];
	const char *id = custom_header(wsi, "last-event-id:", text, sizeof(text));

	if (!id)
		return 0;
	if (cursor_parse(id, strlen(id), &q->cursor, e) < 0)
		return err_set(e, ERR_BAD_CURSOR, "Last-Event-ID", "is not one that was given out");
	q->has_cursor = true;
	return 0;
}

static int read_query(struct realtime *rt, struct lws *wsi, struct request *q, struct err *e)
{
	char value[ARGUMENT_MAX];
	int64_t seconds;
	int rc;

	if (check_names(wsi, q->kind, e) < 0)
		return -1;
	rc = argument(wsi, "cursor", value, sizeof(value));
	if (rc < 0)
		return err_set(e, ERR_BAD_CURSOR, "cursor", "is there twice");
	if (rc && cursor_parse(value, strlen(value), &q->cursor, e) < 0)
		return -1;
	q->has_cursor = rc > 0;
	if (q->kind == REQUEST_SSE && read_last_id(wsi, q, e) < 0)
		return -1;
	rc = argument(wsi, "instance", value, sizeof(value));
	if (rc < 0 || (rc && !uuid_parse(value, strlen(value), NULL)))
		return err_set(e, ERR_BAD_FIELD, "instance", "must be a UUID in lower case, once");
	q->has_instance = rc > 0;
	if (rc)
		memcpy(q->instance, value, sizeof(q->instance));
	else
		rand_uuid(q->instance);
	q->wait_ms = rt->config->realtime.poll_hold;
	if (q->kind != REQUEST_POLL)
		return 0;
	rc = argument(wsi, "wait", value, sizeof(value));
	if (rc == 0)
		return 0;
	if (rc < 0 || !int_parse(value, strlen(value), rt->config->realtime.poll_hold_max / 1000, &seconds))
		return err_set(e, ERR_BAD_FIELD, "wait", "must be whole seconds from 0 to %lld",
			       (long long)rt->config->realtime.poll_hold_max / 1000);
	q->wait_ms = seconds * 1000;
	return 0;
}

/* ---- who */

static int read_credential(struct realtime *rt, struct lws *wsi, struct request *q, struct err *e)
{
	char authorization[160], origin[ORIGIN_MAX], site[32], client[64];
	char *cookie = xmalloc(COOKIE_HEADER_MAX);
	struct credential cr;
	struct origin_request o = {
		.kind = q->kind == REQUEST_SOCKET ? ORIGIN_SOCKET : ORIGIN_API,
		.method = "GET",
		.origin = header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)),
		.sec_fetch_site = custom_header(wsi, "sec-fetch-site:", site, sizeof(site)),
		.client = custom_header(wsi, "pulsechat-client:", client, sizeof(client)),
	};
	int rc = 0;

	q->has_credential = credential_find(
		rt->config, header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, authorization, sizeof(authorization)),
		header(wsi, WSI_TOKEN_HTTP_COOKIE, cookie, COOKIE_HEADER_MAX), &cr);
	if (q->has_credential)
		session_secret_hash(cr.secret, q->secret_hash);
	/* where any cookie came along, a page may have caused this: also where its session is none of ours any more */
	o.by_cookie = cr.by_cookie ||
		      (!q->has_credential && !cr.malformed && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_COOKIE) > 0);
	if (origin_check(rt->config, &o, e) < 0)
		rc = -1;
	else if (!q->has_credential && q->kind == REQUEST_POLL)
		rc = err_set(e, ERR_UNAUTHENTICATED, NULL, "sign in first");
	credential_wipe(&cr);
	secret_wipe(authorization, sizeof(authorization));
	secret_wipe(cookie, COOKIE_HEADER_MAX);
	free(cookie);
	return rc;
}

/* The client's address: what the web server says, where it is one of this machine; else the peer's. */
static void read_address(struct lws *wsi, struct request *q)
{
	char forwarded[256], peer[CALLER_ADDRESS_MAX] = "";
	const char *list = header(wsi, WSI_TOKEN_X_FORWARDED_FOR, forwarded, sizeof(forwarded));
	struct sockaddr_storage from = {0};
	socklen_t n = sizeof(from);
	bool local =
		getpeername(lws_get_socket_fd(wsi), (struct sockaddr *)&from, &n) == 0 && from.ss_family == AF_UNIX;

	if (!local)
		lws_get_peer_simple(wsi, peer, sizeof(peer));
	if (list && (local || !strncmp(peer, "127.", 4) || !strcmp(peer, "::1"))) {
		const char *last = strrchr(list, ',');

		last = last ? last + 1 : list;
		last += strspn(last, " ");
		snprintf(q->address, sizeof(q->address), "%.*s", (int)sizeof(q->address) - 1, last);
	} else if (!local) {
		memcpy(q->address, peer, sizeof(q->address));
	}
}

static int admit(struct realtime *rt, const struct request *q, struct err *e)
{
	if (rt->draining || !live_is_ready(rt->live))
		return err_retry(e, ERR_UNAVAILABLE, 1000,
				 rt->draining ? "the server is stopping" : "the server is starting");
	if (!pg_pool_is_up(rt->pool))
		return err_retry(e, ERR_UNAVAILABLE, 1000, "the database is not available at the moment");
	if (rt->conns_n >= (size_t)rt->config->realtime.connections)
		return err_retry(e, ERR_UNAVAILABLE, 5000, "too many connections");
	if (*q->address && callers_full(rt->callers, q->address))
		return err_retry(e, ERR_RATE_LIMITED, 5000, "too many connections from this address");
	return 0;
}

void request_new_id(char out[REQUEST_ID_MAX])
{
	unsigned char raw[(REQUEST_ID_MAX - 1) / 2];

	rand_bytes(raw, sizeof(raw));
	hex_encode(out, raw, sizeof(raw));
}

int request_read(struct realtime *rt, struct lws *wsi, enum request_kind kind, struct request **out, struct err *e)
{
	struct request *q = xcalloc(1, sizeof(*q));
	char connection[64];
	const char *value;

	*out = NULL;
	q->kind = kind;
	request_new_id(q->id);
	value = header(wsi, WSI_TOKEN_CONNECTION, connection, sizeof(connection));
	q->close = value && !strcasecmp(value, "close");
	read_address(wsi, q);
	if (read_credential(rt, wsi, q, e) < 0 || read_query(rt, wsi, q, e) < 0 || admit(rt, q, e) < 0) {
		request_free(&q);
		return -1;
	}
	*out = q;
	return 0;
}

void request_free(struct request **r)
{
	if (!*r)
		return;
	secret_wipe(*r, sizeof(**r));
	free(*r);
	*r = NULL;
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

int request_check_handshake(struct lws *wsi, struct err *e)
{
	char value[PROTOCOL_HEADER_MAX + 1], key[64];
	const char *p;
	char *uri;
	int n;

	if (lws_http_get_uri_and_method(wsi, &uri, &n) != 0 || !lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI))
		return err_set(e, ERR_METHOD_NOT_ALLOWED, NULL, "a WebSocket is opened by GET");
	p = header(wsi, WSI_TOKEN_VERSION, value, sizeof(value));
	if (!p || strcmp(p, "13") != 0)
		return err_set(e, ERR_UPGRADE_REQUIRED, NULL, "Sec-WebSocket-Version must be 13");
	p = header(wsi, WSI_TOKEN_PROTOCOL, value, sizeof(value));
	if (!p || !offers(p, "pulsechat.v1"))
		return err_set(e, ERR_BAD_REQUEST, NULL, "Sec-WebSocket-Protocol must offer pulsechat.v1");
	p = header(wsi, WSI_TOKEN_KEY, key, sizeof(key));
	if (!p || strlen(p) != WEBSOCKET_KEY_LEN || !lws_hdr_total_length(wsi, WSI_TOKEN_HOST))
		return err_set(e, ERR_BAD_REQUEST, NULL, "Host and Sec-WebSocket-Key are needed");
	return 0;
}

/* ---- problem+json */

static void extra_headers(struct strbuf *b, const struct err *e)
{
	if (e->retry_after_ms)
		strbuf_addf(b, "retry-after: %d\r\n", (e->retry_after_ms + 999) / 1000);
	if (e->code == ERR_METHOD_NOT_ALLOWED)
		strbuf_adds(b, "allow: GET\r\n");
	if (e->code == ERR_UPGRADE_REQUIRED)
		strbuf_adds(b, "upgrade: websocket\r\nsec-websocket-version: 13\r\n");
	if (e->code == ERR_UNAUTHENTICATED)
		strbuf_adds(b, "www-authenticate: Bearer\r\n");
}

void problem_text(struct strbuf *b, const struct err *e, const char *request_id, bool close)
{
	AUTO_STRBUF body = {0};

	strbuf_adds(&body, "{\"type\":\"about:blank\",\"title\":");
	strbuf_add_json(&body, err_title(e->code), strlen(err_title(e->code)));
	strbuf_addf(&body, ",\"status\":%d,\"code\":\"%s\"", err_status(e->code), err_name(e->code));
	if (e->field[0]) {
		strbuf_adds(&body, ",\"field\":");
		strbuf_add_json(&body, e->field, strlen(e->field));
	}
	strbuf_adds(&body, ",\"detail\":");
	strbuf_add_json(&body, e->detail, strlen(e->detail));
	strbuf_addf(&body, ",\"request_id\":\"%s\"}\n", request_id);
	strbuf_addf(b,
		    "HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\ncontent-length: %zu\r\n"
		    "cache-control: no-store\r\npulsechat-request-id: %s\r\n",
		    err_status(e->code), err_title(e->code), body.n, request_id);
	extra_headers(b, e);
	strbuf_adds(b, close ? "connection: close\r\n\r\n" : "\r\n");
	strbuf_add(b, body.p, body.n);
}

int request_problem(struct lws *wsi, const struct err *e, const char *request_id, bool close)
{
	AUTO_STRBUF b = {0};
	char id[REQUEST_ID_MAX], connection[64];
	const char *value = header(wsi, WSI_TOKEN_CONNECTION, connection, sizeof(connection));

	if (!request_id) {
		request_new_id(id);
		request_id = id;
	}
	close |= value && !strcasecmp(value, "close");
	for (int i = 0; i < LWS_PRE; i++)
		strbuf_addc(&b, 0);
	problem_text(&b, e, request_id, close);
	if (lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0) /* an answer to HEAD has no body */
		b.n = (size_t)(strstr(strbuf_cstr(&b) + LWS_PRE, "\r\n\r\n") + 4 - b.p);
	if (lws_write(wsi, (unsigned char *)b.p + LWS_PRE, b.n - LWS_PRE, LWS_WRITE_HTTP) < 0 || close)
		return -1;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}
