/* files_private: what the files of `pulsechat-api --files` share. The process is one epoll set and some threads that
 * wait in it: whichever is free takes the next connection that has something to read (EPOLLONESHOT: one thread at a
 * time), reads a buffer or a few and waits again. So an upload that is slow, or a thousand of them, cost a descriptor
 * and some hundred bytes each, and no thread; what blocks (fsync, the disk) holds one of the threads. */
#pragma once
#include "lib/auth/origin.h"
#include "lib/base/arena.h"
#include "lib/http/uri.h"
#include "lib/store/local.h"
#include "lib/store/local_xml.h"
#include "lib/store/sigv4.h"
#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <sys/uio.h>
struct config;

#define FILES_PREFIX "/s3/"              /* in front of the bucket, as lib/store makes addresses */
#define FILES_BUFFER ((size_t)256 << 10) /* more than a Unix socket holds: all that is there comes by one call */
#define FILES_PIECES 64

struct files_conn;
TAILQ_HEAD(files_conns, files_conn);

struct files {
	const struct config *config;
	struct local *local;
	struct sigv4_credentials keys;
	char origin[ORIGIN_MAX]; /* the site's */
	const char *sendfile;    /* the header's name */
	bool internal_path;      /* it wants an address of the web server's, not a file's name */

	int ep, listen_fd, bell;
	pthread_mutex_t lock;
	/* under the lock */
	struct files_conns conns;
	size_t n;
	bool full, draining;
	int64_t cut_at; /* mono ms: until then uploads may go on; 0: no stop is asked for */
};

/* --- one request (fcgi/files_request.c): no socket, no record */

enum files_state {
	FILES_BODY,  /* its body is awaited */
	FILES_WORK,  /* there is more to do: files_request_work() */
	FILES_READY, /* head and body are the answer */
};

struct files_request {
	struct files *f;
	struct arena *arena;
	const char *method, *uri, *path, *bucket, *key;
	struct span *names, *values; /* FastCGI's parameters, valid while it begins */
	size_t n_params;
	struct uri_pair *query;
	size_t n_query;
	bool from_site; /* Origin is the site's */
	char id[17];
	int64_t began; /* mono ms */

	const struct files_op *op;
	int64_t size, got;
	struct iovec pieces[FILES_PIECES]; /* of the body, in the reader's buffer: not taken in yet */
	size_t n_pieces;
	const char *type, *upload;
	int number;
	struct local_write *write;
	struct local_complete *complete;
	struct local_join *join;

	enum files_state state;
	int status;
	struct strbuf head, body;
};

struct files_request *files_request_new(struct files *f);
void files_request_free(struct files_request **q);
/* All parameters: judges, and acts where it needs no body. */
void files_request_begin(struct files_request *q, const char *params, size_t n);
/* Notes a piece of the body; p stays as it is until files_request_flush() or files_request_end(). */
void files_request_add(struct files_request *q, const char *p, size_t n);
/* Takes in what was noted, all at once: records are short, calls are not free. */
void files_request_flush(struct files_request *q);
void files_request_end(struct files_request *q);
void files_request_work(struct files_request *q);
/* Answers with an error; what was under way is dropped. */
void files_request_fail(struct files_request *q, enum s3_err e);

/* --- whether it may (fcgi/files_judge.c) */
/* Takes path, bucket, key and query from uri. */
enum s3_err files_take_target(struct files_request *q);
enum s3_err files_take_length(struct files_request *q);
/* The signature. sends: what comes must be as long as was signed. */
enum s3_err files_judge(struct files_request *q, bool sends);

/* --- answers (fcgi/files_answer.c) */
const char *files_param(const struct files_request *q, const char *name);
/* NULL: not given. */
const char *files_query(const struct files_request *q, const char *name);
void files_answer(struct files_request *q, int status, const char *type);
/* Appends "Name: value"; nothing where value could break out of its line. */
void files_header(struct files_request *q, const char *name, const char *value);
void files_answer_error(struct files_request *q, enum s3_err e);
void files_answer_object(struct files_request *q, const struct local_meta *m, const char *path);
void files_answer_preflight(struct files_request *q);

/* --- connections (fcgi/files_conn.c) */
/* Takes over fd. */
void files_conn_new(struct files *f, int fd);
/* Something has come, or can go: by the thread that has it. buf: FILES_BUFFER bytes. */
void files_conn_ready(struct files_conn *c, char *buf);
/* Those that have been silent for too long, and at a stop those that are still there, come to their end. */
void files_conns_tick(struct files *f, int64_t now);
/* Waits for new connections again, where there is room. */
void files_listen(struct files *f);
