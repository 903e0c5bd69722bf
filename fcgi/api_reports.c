/* api_reports: messages that members report, and who handles them. */
#include "fcgi/handlers.h"
#include "lib/chat/report.h"
#include <string.h>

int handle_report_make(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	bool again = false;

	if (report_make(q->db, &who, q->param[0], q->param[1], q->json, &again, &r->body, e) < 0)
		return -1;
	r->status = again ? 200 : 201;
	return 0;
}

/* `state`: open (as a rule) or all. */
static int list(struct request *q, struct response *r, int64_t channel, struct err *e)
{
	const char *state = request_query(q, "state");
	struct acting who = request_acting(q);
	int64_t before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (state && strcmp(state, "open") != 0 && strcmp(state, "all") != 0)
		return err_set(e, ERR_BAD_FIELD, "state", "expected open or all");
	if (request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0)
		return -1;
	if (report_list(q->db, &who, channel, !state || !strcmp(state, "open"), before, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

int handle_report_list(struct request *q, struct response *r, struct err *e)
{
	return list(q, r, 0, e);
}

int handle_channel_report_list(struct request *q, struct response *r, struct err *e)
{
	return list(q, r, q->param[0], e);
}

int handle_report_count(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	return report_count_open(q->db, &who, &r->body, e);
}

int handle_report_get(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	return report_get(q->db, &who, q->param[0], &r->body, e);
}

int handle_report_resolve(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (report_resolve(q->db, &who, q->param[0], q->json, e) < 0)
		return -1;
	return report_get(q->db, &who, q->param[0], &r->body, e);
}

int handle_own_report_list(struct request *q, struct response *r, struct err *e)
{
	int64_t before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0 ||
	    report_list_own(q->db, q->session.user, before, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}
