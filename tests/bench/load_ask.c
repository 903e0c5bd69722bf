/* load_ask: what clients send: handshakes, polls, REST, ops. */
#include "tests/bench/load.h"
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

static uint64_t run_id, op_count;

void ask_init(void)
{
	if (getrandom(&run_id, sizeof(run_id), 0) != sizeof(run_id))
		die("no random bytes");
}

static const char browser_headers[] =
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
	"Safari/537.36\r\n"
	"Accept: */*\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
	"Cache-Control: no-cache\r\nPragma: no-cache\r\nPulseChat-Client: web\r\n"
	"Referer: https://chat.example.org/c/12\r\nSec-Ch-Ua: \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\n"
	"Sec-Ch-Ua-Mobile: ?0\r\nSec-Ch-Ua-Platform: \"Linux\"\r\nSec-Fetch-Dest: empty\r\nSec-Fetch-Mode: cors\r\n"
	"Sec-Fetch-Site: same-origin\r\nPriority: u=1, i\r\n";

static void ask(struct conn *c, const char *method, const char *path, const char *body)
{
	char text[4096];
	int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n%s", method,
			 path, opt.host, c->token, opt.browser ? browser_headers : "");

	if (body)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	else
		n += snprintf(text + n, sizeof(text) - (size_t)n, "\r\n");
	c->waits = true;
	c->t0 = now_us();
	conn_put(c, text, (size_t)n);
}

void ask_handshake(struct conn *c)
{
	char text[2048];
	int n = snprintf(text, sizeof(text),
			 "GET /api/v1/ws?instance=%s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"
			 "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: pulsechat.v1\r\n\r\n",
			 c->instance, opt.host, c->token);

	conn_put(c, text, (size_t)n);
}

void ask_poll(struct conn *c)
{
	char path[256];

	if (c->cursor[0])
		snprintf(path, sizeof(path), "/api/v1/events?cursor=%s&wait=%d&instance=%s", c->cursor, opt.wait,
			 c->instance);
	else
		snprintf(path, sizeof(path), "/api/v1/events?instance=%s", c->instance);
	ask(c, "GET", path, NULL);
}

static char *put(char *to, const char *p, size_t n)
{
	memcpy(to, p, n);
	return to + n;
}

/* A number in hexadecimal, of so many digits. */
static char *put_hex(char *to, uint64_t v, int digits)
{
	for (int k = digits; k-- > 0; v >>= 4)
		to[k] = "0123456789abcdef"[v & 15];
	return to + digits;
}

static void fill_text(char *out, size_t n, int64_t due, const struct conn *c)
{
	static char filler[2500];

	if (!filler[0])
		for (size_t k = 0; k < sizeof(filler); k++)
			filler[k] = (char)('a' + k % 26);
	*out = '@';
	put_hex(out + 1, (uint64_t)due, 16);
	out[17] = ' ';
	put_hex(out + 18, (uint64_t)c->number, 4);
	out[22] = ' ';
	put_hex(out + 23, c->count, 8);
	out[31] = ' ';
	memcpy(out + STAMP, filler + STAMP, n - STAMP);
	out[n] = 0;
}

void next_id(char out[40])
{
	char *p = out;

	op_count++;
	p = put_hex(p, run_id >> 32, 8);
	*p++ = '-';
	p = put_hex(p, run_id >> 16, 4);
	p = put(p, "-4", 2);
	p = put_hex(p, run_id >> 4, 3);
	p = put(p, "-8", 2);
	p = put_hex(p, op_count >> 48, 3);
	*p++ = '-';
	p = put_hex(p, op_count, 12);
	*p = 0;
}

void ask_rest(struct conn *c)
{
	char path[256], body[3000], text[2500], id[40];

	if (m.rest == REST_HISTORY) {
		snprintf(path, sizeof(path), "/api/v1/channels/%lld/messages?limit=50", (long long)rooms[c->room].id);
		ask(c, "GET", path, NULL);
	} else if (m.rest == REST_GET) {
		ask(c, "GET", "/api/v1/me", NULL);
	} else if (m.rest == REST_SEND) {
		c->count++;
		fill_text(text, opt.body, now_us(), c);
		next_id(id);
		snprintf(path, sizeof(path), "/api/v1/channels/%lld/messages", (long long)rooms[c->room].id);
		snprintf(body, sizeof(body), "{\"client_id\":\"%s\",\"body\":{\"text\":\"%s\"}}", id, text);
		ask(c, "POST", path, body);
	}
}

#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

void send_op(struct conn *c, int64_t due)
{
	static const unsigned char mask[4] = {0x11, 0x22, 0x33, 0x44};
	unsigned char frame[WS_HEAD_MAX + 3000], *start;
	char *p, *op = (char *)frame + WS_HEAD_MAX, id[40];
	size_t n, head;

	c->count++;
	next_id(id);
	p = PUT(op, "{\"op\":\"send\",\"ref\":\"");
	p = put_hex(p, (uint64_t)due, 16);
	p = PUT(p, "\",\"client_id\":\"");
	p = put(p, id, 36);
	p = PUT(p, "\",\"channel\":");
	p += sprintf(p, "%lld", (long long)rooms[c->room].id);
	p = PUT(p, ",\"body\":{\"text\":\"");
	fill_text(p, opt.body, due, c);
	p = PUT(p + opt.body, "\"}}");
	n = (size_t)(p - op);
	ws_mask((unsigned char *)op, n, mask);
	start = frame + WS_HEAD_MAX - (n < 126 ? 2 : n < 65536 ? 4 : 10) - sizeof(mask);
	head = ws_head(start, WS_TEXT, n, mask);
	c->waits = true;
	conn_put(c, start, head + n);
	m.sent++;
}
