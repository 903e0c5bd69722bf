/* api_files: files of messages: where they are to be had, lists, erasing. */
#include "fcgi/app.h"
#include "fcgi/files_thread.h"
#include "fcgi/handlers.h"
#include "lib/chat/file.h"
#include "lib/store/store.h"
#include <stdio.h>
#include <string.h>

#define CACHE_CONTROL_SIZE 64
#define MARGIN_S 60 /* what a browser has kept may still be followed for so long */

static void erased(const struct request *q)
{
	if (q->app->care)
		files_thread_wake(q->app->care);
}

int handle_file_get(struct request *q, struct response *r, struct err *e)
{
	const char *download = request_query(q, "download");
	char *cache = arena_alloc(q->arena, CACHE_CONTROL_SIZE);
	AUTO_STRBUF url = {0};
	int64_t lasts_s = 0;
	bool as_download = download && !strcmp(download, "1");

	if (download && !as_download && strcmp(download, "0") != 0)
		return err_set(e, ERR_BAD_FIELD, "download", "must be 0 or 1");
	if (file_address(q->db, q->app->store, q->session.user, q->param[0], as_download, &url, &lasts_s, e) < 0)
		return -1;
	/* it is followed until then, and no longer than it holds */
	lasts_s = lasts_s > 2 * MARGIN_S ? lasts_s - MARGIN_S : lasts_s / 2;
	response_redirect(r, 302, strbuf_cstr(&url));
	snprintf(cache, CACHE_CONTROL_SIZE, "private, max-age=%lld", (long long)lasts_s);
	r->cache_control = cache;
	return 0;
}

int handle_file_erase(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (file_erase(q->db, &who, q->param[0], false, &r->body, e) < 0)
		return -1;
	erased(q);
	if (!r->body.n)
		r->status = 204;
	return 0;
}

static int list(struct request *q, struct response *r, int64_t person, struct err *e)
{
	int64_t before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0 || file_list(q->db, person, before, limit, &r->body, &p, e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

/* `kind`: images, others; without it all. */
int handle_channel_file_list(struct request *q, struct response *r, struct err *e)
{
	const char *kind = request_query(q, "kind");
	int64_t before = REQUEST_NUMBER_MAX, limit;
	struct page p;

	if (kind && strcmp(kind, "images") != 0 && strcmp(kind, "others") != 0)
		return err_set(e, ERR_BAD_FIELD, "kind", "expected images or others");
	if (request_query_int(q, "before", 1, REQUEST_NUMBER_MAX, &before, e) < 0 ||
	    request_limit(q, 50, &limit, e) < 0 ||
	    file_list_channel(q->db, q->param[0], q->session.user, before, limit, kind ? kind : "all", &r->body, &p,
			      e) < 0)
		return -1;
	response_header(r, "PulseChat-Cursor", p.cursor);
	return 0;
}

static int erase_all(struct request *q, struct response *r, int64_t person, struct err *e)
{
	struct acting who = request_acting(q);

	if (files_erase_all(q->db, &who, person, e) < 0)
		return -1;
	erased(q);
	r->status = 204;
	return 0;
}

int handle_own_file_list(struct request *q, struct response *r, struct err *e)
{
	return list(q, r, q->session.user, e);
}

int handle_own_files_erase(struct request *q, struct response *r, struct err *e)
{
	return erase_all(q, r, q->session.user, e);
}

int handle_admin_file_list(struct request *q, struct response *r, struct err *e)
{
	return list(q, r, q->param[0], e);
}

int handle_admin_files_erase(struct request *q, struct response *r, struct err *e)
{
	return erase_all(q, r, q->param[0], e);
}
