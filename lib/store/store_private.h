/* store_private: what the files of the store, and `pulsechat doctor`, share. */
#pragma once
#include "lib/http/client.h"
#include "lib/store/cloudfront.h"
#include "lib/store/sigv4.h"
#include "lib/store/store.h"

#define STORE_PREFIX_MAX 64
#define STORE_CODE_SIZE 64

struct store {
	struct sigv4_credentials keys; /* its strings are the store's */
	char *endpoint, *bucket, *prefix;
	char *upload_origin, *download_origin;
	char *cloudfront_url; /* without a slash at its end; NULL: none */
	struct cloudfront_key *cloudfront;
	bool path_style, payload_query, verifies;
	int64_t upload_expires, download_expires; /* seconds */
};

/* One request of ours to the store: presigned, sent, tried again where that is harmless. */
struct store_ask {
	const char *method, *key;
	const struct sigv4_pair *query, *headers; /* all of these headers are signed */
	size_t n_query, n_headers;
	const struct http_header *plain; /* and these are not */
	size_t n_plain;
	const char *body; /* NULL: none */
	size_t body_n;
	size_t max_bytes;   /* of the answer; 0: what an error needs */
	int64_t timeout_ms; /* 0: that of a small request */
	bool once;          /* not tried again once it may have got there */
	store_reader read;  /* takes the body of a 2xx */
	void (*header)(void *arg, const char *name, const char *value);
	void *arg; /* of both */
};
/* 0 with any status that the last try had; -1: ERR_STORE_UNAVAILABLE. */
MUST_CHECK int store_ask(const struct store *s, const struct store_ask *q, struct http_answer *a, struct err *e);
/* <Code> of an error's answer, "" where there is none. */
void store_code(struct http_answer *a, char code[STORE_CODE_SIZE]);
/* For an answer that is none of those that were looked for: logged; always -1. */
int store_refused(const struct store_ask *q, struct http_answer *a, struct err *e);
/* Asks for a DELETE; what is not there (any more) is deleted too. */
MUST_CHECK int store_ask_gone(const struct store *s, const struct store_ask *q, struct err *e);

/* Presigns as this store is configured. */
MUST_CHECK int store_presign(const struct store *s, struct sigv4_request *r, struct strbuf *url, struct err *e);

/* Reads XML (at most 8 deep, no document type), telling the text of each element at its end with its parent's name.
 * False where it is not well-formed. */
typedef void (*store_xml_end)(void *arg, const char *parent, const char *name, const char *text);
MUST_CHECK bool store_xml(const char *p, size_t n, store_xml_end end, void *arg);
