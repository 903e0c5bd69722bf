/* store_check_private: what the files of store_check share. */
#pragma once
#include "lib/store/store_check.h"
#include "lib/store/store_private.h"

#define CHECK_BODY_SIZE 64

struct check {
	const struct config *c;
	struct store *s;
	void (*say)(void *arg, bool ok, const char *text);
	void *arg;
	bool ok;
	uint8_t body[CHECK_BODY_SIZE], sum[32];
	char key[STORE_KEY_SIZE];
};

/* The headers of an answer that are looked at. */
struct check_seen {
	char allow_origin[256], allow_methods[256], allow_headers[512], disposition[512], type[128], nosniff[64],
		policy[1025];
};

/* Returns ok. */
bool check_say(struct check *k, bool ok, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* One request as a browser sends it; *a for http_answer_release in any case. False: no answer. */
bool check_ask(const struct http_request *like, struct check_seen *seen, struct http_answer *a);
/* Whether the answer is for pages of that origin. */
bool check_origin_allowed(const struct check_seen *seen, const char *origin);

/* What a browser asks before it uploads to url; whether the site's page lets it. */
bool check_cors(struct check *k, const char *url);
void check_page(struct check *k);
