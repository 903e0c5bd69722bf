/* api_uploads: files on their way into a channel. */
#include "fcgi/app.h"
#include "fcgi/checker.h"
#include "fcgi/files_thread.h"
#include "fcgi/handlers.h"
#include "lib/chat/file.h"
#include "lib/chat/upload.h"

#define CHECK_WAIT_MS 1500 /* of a worker thread; what takes longer is asked for again */
#define RETRY_S "1"

static struct upload_desk desk(const struct request *q)
{
	return (struct upload_desk){.db = q->db, .config = q->config, .store = q->app->store, .user = q->session.user};
}

static void wake(const struct request *q)
{
	if (q->app->care)
		files_thread_wake(q->app->care);
}

int handle_upload_begin(struct request *q, struct response *r, struct err *e)
{
	struct upload_desk d = desk(q);
	int64_t upload = 0;
	bool again = false;

	if (upload_begin(&d, q->json, &upload, &again, e) < 0 || upload_render(&d, upload, &r->body, e) < 0)
		return -1;
	if (!again) {
		r->status = 201;
		response_headerf(r, "Location", "/api/v1/uploads/%lld", (long long)upload);
	}
	return 0;
}

int handle_upload_get(struct request *q, struct response *r, struct err *e)
{
	struct upload_desk d = desk(q);

	return upload_render(&d, q->param[0], &r->body, e);
}

int handle_upload_parts(struct request *q, struct response *r, struct err *e)
{
	struct upload_desk d = desk(q);

	return upload_parts(&d, q->param[0], q->json, &r->body, e);
}

/* In another thread, or in CGI mode here. *going: it goes on. */
static int check(struct request *q, const struct upload_desk *d, int64_t checks, bool *going, struct err *e)
{
	struct media_sniffer *m;
	int rc;

	if (q->app->checker) {
		rc = checker_run(q->app->checker, q->session.user, q->param[0], checks, CHECK_WAIT_MS, going, e);
		if (rc < 0 && e->code == ERR_BUSY)
			upload_unclaim(d, q->param[0], checks);
		return rc;
	}
	m = media_sniffer_new();
	rc = upload_check(d, m, q->param[0], checks, NULL, NULL, e);
	media_sniffer_free(&m);
	return rc;
}

static int complete(struct request *q, const struct upload_desk *d, bool *going, struct err *e)
{
	enum upload_claim claim = UPLOAD_DONE;
	int64_t checks = 0;

	*going = false;
	if (upload_claim(d, q->param[0], &claim, &checks, e) < 0)
		return -1;
	if (claim == UPLOAD_CLAIMED)
		return check(q, d, checks, going, e);
	*going = claim == UPLOAD_CHECKING;
	return 0;
}

int handle_upload_complete(struct request *q, struct response *r, struct err *e)
{
	struct upload_desk d = desk(q);
	bool going;

	if (complete(q, &d, &going, e) < 0) {
		if (e->code == ERR_UPLOAD_DIFFERS)
			wake(q); /* it is erased */
		return -1;
	}
	if (going) {
		r->status = 202;
		response_header(r, "Retry-After", RETRY_S);
	}
	return upload_render(&d, q->param[0], &r->body, e);
}

int handle_upload_abort(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);
	AUTO_STRBUF unused = {0};

	if (file_erase(q->db, &who, q->param[0], true, &unused, e) < 0 && e->code != ERR_NOT_FOUND)
		return -1;
	wake(q);
	r->status = 204; /* one that is gone, or another's, too: again is harmless */
	return 0;
}
