/* documents: a claim in the database, a fetch, the result for all. */
#include "lib/auth/documents.h"
#include "lib/base/clock.h"
#include "lib/base/codec.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/db/db.h"
#include "lib/http/client.h"
#include <string.h>

#define LOOK_MS 100 /* between two looks at what another process fetches */

static struct shared *parse(const struct document_kind *k, void *arg, const char *p, size_t n, char *have,
			    struct err *e)
{
	struct shared *doc = k->parse(arg, p, n, e);
	unsigned char hash[32];

	if (doc) {
		sha256(p, n, hash);
		hex_encode(have, hash, sizeof(hash));
	}
	return doc;
}

/* Asks the provider, and shares what it says. d: NULL where there is no database. */
static struct shared *fetch(const struct config *c, const struct document_kind *k, void *arg, struct db *d, char *have,
			    int64_t *age, struct err *e)
{
	AUTO_STRBUF body = {0};
	struct shared *doc = NULL;
	struct err why = {0};
	PGresult *r = NULL;
	int rc = 0;

	if (k->ask(arg, &body, age, e) == 0)
		doc = parse(k, arg, strbuf_cstr(&body), body.n, have, e);
	if (!d)
		return doc;
	if (doc)
		rc = db_query(d, STMT_provider_document_put, &r, &why, "ttti", c->oidc.issuer, k->what,
			      strbuf_cstr(&body),
			      MIN_OF(MAX_OF(*age, (int64_t)REFRESHED_AGE_MIN_MS), REFRESHED_AGE_MAX_MS));
	else
		rc = db_query(d, STMT_provider_document_fail, &r, &why, "tt", c->oidc.issuer, k->what);
	PQclear(r);
	if (rc < 0) /* the claim ends by itself */
		log_warning("oidc.not_shared", "what=%s code=%s", k->what, err_name(why.code));
	return doc;
}

/* What the database says is to be done: one letter, and the document where it has one. */
static char look(const struct config *c, const struct document_kind *k, struct db *d, const char *have, bool newer,
		 int64_t hold, PGresult **r)
{
	struct err why = {0};

	if (db_one(d, STMT_provider_document, r, &why, "tttbi", c->oidc.issuer, k->what, have[0] ? have : NULL,
		   (int)newer, hold) < 0 ||
	    !*r) {
		log_warning("oidc.not_shared", "what=%s code=%s", k->what, err_name(why.code));
		return 0;
	}
	return result_text(*r, 0, 0)[0];
}

struct shared *document_get(const struct config *c, const struct document_kind *k, void *arg, bool newer,
			    char have[DOCUMENT_HASH_MAX], int64_t *age, struct err *e)
{
	/* two tries and the pauses between them */
	int64_t hold = 2 * c->oidc.http_timeout + 5000, until = clock_mono_ms() + hold;
	struct db *d = db_new(c);
	struct shared *doc = NULL;
	struct err why = {0};
	bool done = false;

	while (!done) {
		PGresult *r = NULL;
		char verdict = look(c, k, d, have, newer, hold, &r);
		bool old = verdict == 'w' && !newer && !result_null(r, 0, 1);

		done = true;
		if (verdict == 'h' || old) {
			doc = parse(k, arg, result_text(r, 0, 1), result_length(r, 0, 1), have, &why);
			*age = result_int(r, 0, 2);
			if (!doc) /* kept by another version of this program */
				doc = fetch(c, k, arg, d, have, age, e);
		} else if (verdict == 'n') {
			err_set(e, ERR_UNAVAILABLE, NULL, "a newer one was looked for less than a minute ago");
		} else if (verdict == 'w' && clock_mono_ms() < until) {
			done = !http_pause(LOOK_MS);
			if (done)
				err_set(e, ERR_UNAVAILABLE, NULL, "this process stops");
		} else {
			doc = fetch(c, k, arg, verdict ? d : NULL, have, age, e);
		}
		PQclear(r);
	}
	db_free(&d);
	return doc;
}
