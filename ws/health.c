/* health: what this process has of the database. Data, also when it is bad news. A deaf bus is no reason for a load
 * balancer to ask elsewhere: all is delivered, a second late. */
#include "ws/health.h"
#include "lib/base/strbuf.h"
#include "lib/db/writer.h"
#include "lib/http/headers.h"
#include "lib/live/bus.h"
#include "ws/pg_loop.h"
#include "ws/realtime.h"
#include "ws/request.h"

void health_answer(struct realtime *rt, struct http_conn *h)
{
	AUTO_STRBUF b = {0}, body = {0};
	char id[REQUEST_ID_MAX];
	bool database = pg_pool_is_up(rt->pool), hears = bus_hears(rt->bus);

	strbuf_addf(&body,
		    "{\"status\":\"%s\",\"database\":\"%s\",\"writer\":\"%s\",\"bus\":\"%s\",\"connections\":%zu}\n",
		    !database ? "unavailable"
		    : hears   ? "ok"
			      : "degraded",
		    database ? "ok" : "unavailable", writer_is_up(rt->writer) ? "ok" : "connecting",
		    hears ? "ok" : "deaf", rt->conns_n);
	strbuf_addf(&b,
		    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%sConnection: close\r\n",
		    database ? "200 OK" : "503 Service Unavailable", body.n, database ? "" : "Retry-After: 1\r\n");
	request_new_id(id);
	headers_add(&b, &headers_api, id);
	strbuf_adds(&b, "\r\n");
	strbuf_add(&b, body.p, body.n);
	http_answer(h, b.p, b.n, true); /* it asks rarely, so it keeps no connection */
}
