/* preview: claims a message, finds its link, asks for the page where it is not known, and stores the card with the
 * message. */
#include "lib/preview/preview.h"
#include "lib/base/config.h"
#include "lib/base/log.h"
#include "lib/base/secret.h"
#include "lib/chat/access.h"
#include "lib/db/db.h"
#include "lib/preview/links.h"
#include "lib/preview/page.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_MS ((int64_t)600000) /* how long it holds that a page said nothing */

enum { CHANNEL, SEQ, SENDER, SAID };

int preview_check(const struct config *c, struct guard *g, struct err *e)
{
	struct err cause = {0};

	if (guard_read(g, c->previews.ports, c->previews.allow, &cause) == 0)
		return 0;
	return err_set(e, ERR_BAD_FIELD, cause.field, "[previews] %s = %s", cause.field, cause.detail);
}

static void add_text(struct strbuf *b, const char *name, struct strbuf *text)
{
	strbuf_addf(b, ",\"%s\":", name);
	if (text->n)
		strbuf_add_json(b, text->p, text->n);
	else
		strbuf_adds(b, "null");
}

/* The card as JSON; false: the page says nothing. url: as it stands in the message. */
static bool render(struct strbuf *b, struct fetched *page, const char *url)
{
	struct page p;
	bool ok;

	page_read(&p, page->html.p, page->html.n, *page->charset ? page->charset : NULL);
	ok = p.title.n > 0;
	if (ok) {
		strbuf_adds(b, "{\"url\":");
		strbuf_add_json(b, url, strlen(url));
		strbuf_adds(b, ",\"host\":");
		strbuf_add_json(b, page->host, strlen(page->host));
		add_text(b, "site", &p.site);
		add_text(b, "title", &p.title);
		add_text(b, "description", &p.description);
		strbuf_addc(b, '}');
	}
	page_release(&p);
	return ok;
}

/* Asks for the page, and keeps what it said. */
static int ask(struct preview_desk *d, const char *url, const char *host, const unsigned char hash[32], int64_t who,
	       struct strbuf *card, struct err *e)
{
	const struct fetch f = {.guard = &d->guard,
				.timeout_ms = d->config->previews.timeout,
				.max_bytes = (size_t)d->config->previews.max_bytes,
				.go_on = d->go_on,
				.arg = d->arg};
	struct fetched page;
	PGresult *r = NULL;
	int rc;

	if (!fetch_page(&f, url, &page) || !render(card, &page, url)) {
		strbuf_reset(card);
		log_debug("preview.none", "host=%s why=%s", log_quote(host), page.why ? page.why : "says nothing");
	}
	fetched_release(&page);
	if (!d->go_on(d->arg))
		return 0; /* cut short: another process looks again */
	rc = db_one(d->db, STMT_preview_page_keep, &r, e, "xtiti", hash, (size_t)32, host, who,
		    card->n ? card->p : NULL,
		    card->n ? d->config->previews.expires : MIN_OF(FAILED_MS, d->config->previews.expires));
	PQclear(r);
	return rc;
}

/* card: empty where there is nothing to show. */
static int card_of(struct preview_desk *d, const char *said, int64_t who, struct strbuf *card, struct err *e)
{
	struct span link;
	char url[LINK_MAX + 1], host[FETCH_HOST_MAX];
	unsigned char hash[32];
	PGresult *r = NULL;
	bool asks;

	if (!link_find(said, strlen(said), &link))
		return 0;
	memcpy(url, link.p, link.n);
	url[link.n] = 0;
	if (!fetch_host(&d->guard, url, host))
		return 0;
	sha256(url, link.n, hash);
	if (db_one(d->db, STMT_preview_page, &r, e, "xtiii", hash, sizeof(hash), host, who,
		   d->config->previews.per_host, d->config->previews.per_user) < 0)
		return -1;
	asks = r && !strcmp(result_text(r, 0, 0), "ask");
	if (r && !result_null(r, 0, 1))
		strbuf_adds(card, result_text(r, 0, 1));
	PQclear(r);
	return asks ? ask(d, url, host, hash, who, card, e) : 0;
}

int preview_step(struct preview_desk *d, int *done, struct err *e)
{
	AUTO_STRBUF card = {0};
	PGresult *r = NULL, *set = NULL;
	int rc = 0;

	*done = 0;
	if (db_one(d->db, STMT_preview_claim, &r, e, "") < 0)
		return -1;
	if (!r)
		return 0;
	*done = 1;
	if (!result_null(r, 0, SAID))
		rc = card_of(d, result_text(r, 0, SAID), result_int(r, 0, SENDER), &card, e);
	if (rc == 0 && d->go_on(d->arg))
		rc = db_one(d->db, STMT_preview_set, &set, e, "iitt", result_int(r, 0, CHANNEL), result_int(r, 0, SEQ),
			    card.n ? card.p : NULL, result_null(r, 0, SAID) ? NULL : result_text(r, 0, SAID));
	PQclear(set);
	PQclear(r);
	return rc;
}

int preview_remove(struct db *d, int64_t channel, int64_t user, int64_t seq, struct err *e)
{
	PGresult *r = NULL;

	if (db_one(d, STMT_preview_remove, &r, e, "iii", channel, user, seq) < 0)
		return -1;
	return access_outcome(r, NULL, e);
}
