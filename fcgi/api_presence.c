/* api_presence: who is here, what one shows of oneself (doc/protocol.md, section 4). */
#include "fcgi/handlers.h"
#include "lib/base/codec.h"
#include "lib/chat/own_settings.h"
#include "lib/chat/presence_view.h"
#include "lib/chat/user.h"
#include "lib/json/jx.h"
#include <string.h>

int handle_presence_list(struct request *q, struct response *r, struct err *e)
{
	int64_t ids[PRESENCE_IDS_MAX];
	struct page p;
	size_t n;

	if (!request_query(q, "ids"))
		return err_set(e, ERR_BAD_FIELD, "ids", "is missing");
	if (request_query_ids(q, "ids", ids, COUNT_OF(ids), &n, e) < 0 ||
	    presence_list(q->db, q->config, q->session.user, ids, n, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

/* The body comes by sendBeacon() as a rule, which names another type than JSON. */
int handle_presence_leave(struct request *q, struct response *r, struct err *e)
{
	static const char *const names[] = {"instance", NULL};
	unsigned char uuid[16];
	int rc;

	if (jx_parse(q->body.p, q->body.n, &q->json, e) < 0 || jx_only(q->json, "", names, e) < 0 ||
	    jx_uuid(q->json, "", "instance", uuid, e) < 0)
		return -1;
	rc = presence_say(q->db, q->config, q->session.user, jx_text(jx_get(q->json, "instance")), NULL, e);
	r->status = 204;
	return rc;
}

int handle_settings_get(struct request *q, struct response *r, struct err *e)
{
	return own_settings_get(q->db, q->session.user, &r->body, e);
}

int handle_settings_patch(struct request *q, struct response *r, struct err *e)
{
	return own_settings_change(q->db, q->config, q->session.user, q->json, &r->body, e);
}

int handle_status_put(struct request *q, struct response *r, struct err *e)
{
	return own_status_set(q->db, q->config, q->session.user, q->json, &r->body, e);
}

int handle_status_delete(struct request *q, struct response *r, struct err *e)
{
	struct strbuf unsaid = {0};
	int rc = own_status_set(q->db, q->config, q->session.user, NULL, &unsaid, e);

	strbuf_release(&unsaid);
	r->status = 204;
	return rc;
}
