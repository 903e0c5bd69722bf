/* api_profile: what a person says of himself. */
#include "fcgi/app.h"
#include "fcgi/files_thread.h"
#include "fcgi/handlers.h"
#include "lib/chat/profile.h"
#include "lib/chat/user.h"

/* The picture that was there before is erased. */
static void wake(struct request *q)
{
	if (q->app->care)
		files_thread_wake(q->app->care);
}

int handle_me_patch(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (profile_change(q->db, &who, q->json, e) < 0)
		return -1;
	return user_get(q->db, q->session.user, q->session.user, &r->body, e);
}

int handle_own_picture_set(struct request *q, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (profile_picture_set(q->db, q->config, q->app->store, &who, q->json, e) < 0)
		return -1;
	wake(q);
	return user_get(q->db, q->session.user, q->session.user, &r->body, e);
}

static int remove_of(struct request *q, int64_t person, struct response *r, struct err *e)
{
	struct acting who = request_acting(q);

	if (profile_picture_remove(q->db, &who, person, e) < 0)
		return -1;
	wake(q);
	r->status = 204;
	return 0;
}

int handle_own_picture_remove(struct request *q, struct response *r, struct err *e)
{
	return remove_of(q, q->session.user, r, e);
}

int handle_user_picture_remove(struct request *q, struct response *r, struct err *e)
{
	return remove_of(q, q->param[0], r, e);
}
