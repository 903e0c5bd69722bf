/* marks: an entry for each marker that moves, or has moved a moment ago. */
#include "ws/marks.h"
#include "lib/base/config.h"
#include "ws/ops.h"
#include "ws/pg_loop.h"
#include <stdlib.h>
#include <uthash.h>

#define FAR_AWAY_MS 60000

STAILQ_HEAD(op_queue, op);

struct key {
	int64_t user, channel;
};

struct entry {
	struct key key;
	struct mark wanted;      /* what the waiting ops come to */
	struct op_queue waiting; /* for the next statement */
	struct op_queue asked;   /* of the statement under way */
	int64_t rests_until;     /* mono ms: no statement before */
	TAILQ_ENTRY(entry) list; /* of the due or of the resting */
	UT_hash_handle hh;
};
TAILQ_HEAD(entries, entry);

struct marks {
	struct realtime *rt;
	struct entry *all;
	struct entries due, resting; /* resting: by rests_until */
	struct entry *batch[MARKS_MAX];
	size_t batch_n; /* under way; 0: none */
	int64_t sent_at;
};

struct marks *marks_new(struct realtime *rt)
{
	struct marks *m = xcalloc(1, sizeof(*m));

	m->rt = rt;
	TAILQ_INIT(&m->due);
	TAILQ_INIT(&m->resting);
	return m;
}

void marks_free(struct marks **mp)
{
	struct marks *m = *mp;
	struct entry *en, *next;

	if (!m)
		return;
	HASH_ITER(hh, m->all, en, next)
	{
		HASH_DEL(m->all, en);
		free(en);
	}
	free(m);
	*mp = NULL;
}

void marks_add(struct marks *m, struct op *op, int64_t seq)
{
	struct key key = {op->conn->user, op->channel};
	struct entry *en;

	// NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): both numbers are set
	HASH_FIND(hh, m->all, &key, sizeof(key), en);
	if (!en) {
		en = xcalloc(1, sizeof(*en));
		en->key = key;
		STAILQ_INIT(&en->waiting);
		STAILQ_INIT(&en->asked);
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
		HASH_ADD(hh, m->all, key, sizeof(key), en);
		TAILQ_INSERT_TAIL(&m->due, en, list);
	}
	if (STAILQ_EMPTY(&en->waiting))
		en->wanted = (struct mark){.channel = key.channel, .user = key.user};
	mark_fold(&en->wanted, op->mark, seq);
	STAILQ_INSERT_TAIL(&en->waiting, op, marks);
}

static void answer(struct op *op, const PGresult *r, int row, const struct err *e)
{
	AUTO_STRBUF b = {0};
	struct err refused = {0};
	int64_t seq;

	if (e) {
		ops_fail(op, e);
	} else if (mark_outcome(r, row, op->mark, &seq, &refused) < 0) {
		ops_fail(op, &refused);
	} else {
		op_marked(&b, &op->name, op->channel, seq);
		ops_answer(op, &b);
	}
}

static void on_moved(void *arg, const PGresult *r, const struct err *e)
{
	struct marks *m = arg;
	size_t n = m->batch_n;

	m->batch_n = 0; /* the next one starts in the next tick */
	for (size_t i = 0; i < n; i++) {
		struct entry *en = m->batch[i];
		struct op *op;

		while ((op = STAILQ_FIRST(&en->asked))) {
			STAILQ_REMOVE_HEAD(&en->asked, marks);
			answer(op, r, (int)i, e);
		}
		en->rests_until = m->sent_at + m->rt->config->reads.coalesce;
		TAILQ_INSERT_TAIL(&m->resting, en, list);
	}
}

/* Those that have rested go on, or are forgotten. */
static void wake(struct marks *m, int64_t now)
{
	struct entry *en;

	while ((en = TAILQ_FIRST(&m->resting)) && (en->rests_until <= now || m->rt->draining)) {
		TAILQ_REMOVE(&m->resting, en, list);
		if (!STAILQ_EMPTY(&en->waiting)) {
			TAILQ_INSERT_TAIL(&m->due, en, list);
			continue;
		}
		// NOLINTNEXTLINE(clang-analyzer-core.NullDereference): uthash's table is there
		HASH_DEL(m->all, en);
		free(en);
	}
}

static void start(struct marks *m, int64_t now)
{
	struct mark wanted[MARKS_MAX];
	struct entry *en;

	while (m->batch_n < MARKS_MAX && (en = TAILQ_FIRST(&m->due))) {
		TAILQ_REMOVE(&m->due, en, list);
		STAILQ_CONCAT(&en->asked, &en->waiting);
		wanted[m->batch_n] = en->wanted;
		m->batch[m->batch_n++] = en;
	}
	if (!m->batch_n)
		return;
	m->sent_at = now;
	marks_query(pg_pool_pick(m->rt->pool), m->rt->config, wanted, m->batch_n, on_moved, m);
}

int64_t marks_tick(struct marks *m, int64_t now)
{
	const struct entry *first;

	if (m->batch_n)
		return now + FAR_AWAY_MS;
	wake(m, now);
	start(m, now);
	first = TAILQ_FIRST(&m->resting);
	return !m->batch_n && first ? first->rests_until : now + FAR_AWAY_MS;
}
