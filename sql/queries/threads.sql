-- Threads: a root with its replies, who follows it.

-- A page: what access.c judges by, ends and cursor as of history_…, then the columns of a Message. The root comes first, by its seq; replies
-- follow, oldest first: of those below `before` the last `older`, of those from `from_seq` on the first `newer`.
-- visible_from: a root below it is told of without what it says.
-- name: thread_page
-- in: channel int8, reader int8, root int8, before int8, older int8, from_seq int8, newer int8
-- out: kind text, archived bool, role text, cursor text, first_seq int8, last_seq int8, state text, visible_from int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, stream_cursor() AS cursor,
	coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = $1 AND o.thread = $3 AND o.seq >= r.first_seq ORDER BY o.seq LIMIT 1), 0) AS first_seq,
	coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = $1 AND o.thread = $3 AND o.seq >= r.first_seq ORDER BY o.seq DESC LIMIT 1), 0) AS last_seq,
	thread_state_of($1, $2, $3)::text AS state, r.first_seq AS visible_from,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN LATERAL (
	(SELECT * FROM messages o WHERE o.channel_id = $1 AND o.seq = $3 AND (o.seq >= r.first_seq OR NOT thread_hidden($1, $2, $3)))
	UNION ALL
	(SELECT * FROM messages o WHERE o.channel_id = $1 AND o.thread = $3 AND o.seq < $4 AND o.seq >= r.first_seq ORDER BY o.seq DESC LIMIT $5)
	UNION ALL
	(SELECT * FROM messages o WHERE o.channel_id = $1 AND o.thread = $3 AND o.seq >= $6 AND o.seq >= r.first_seq ORDER BY o.seq LIMIT $7)
) m ON true
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1 ORDER BY m.seq;

-- follow: -1 lets go, 1 follows, 0: as it is. upto: 0: no reading.
-- name: thread_mark
-- in: channel int8, reader int8, root int8, follow int8, upto int8
-- out: code text, state text
SELECT code, state::text FROM thread_mark($1, $2, $3, CASE $4::int8 WHEN 1 THEN true WHEN -1 THEN false END, nullif($5::int8, 0));

-- The threads that somebody follows, of channels that he is in, the last replied to first, below an id of a reply; all of them, or those with
-- something unread. One row at least, with a null seq where there is none. unread: how many in all have something unread.
-- name: thread_list
-- in: reader int8, unread bool, before int8, limit int8
-- out: cursor text, unread int8, last_id int8, state text, visible_from int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
WITH f AS (
	SELECT f AS row, t.last_id, t.last_seq > f.read_seq AS unread, t.channel_id, t.root, r.first_seq
	FROM thread_followers f JOIN threads t ON t.channel_id = f.channel_id AND t.root = f.root
	JOIN members r ON r.channel_id = f.channel_id AND r.user_id = f.user_id
	WHERE f.user_id = $1 AND f.following AND t.replies > 0
)
SELECT stream_cursor() AS cursor, (SELECT count(*) FROM f WHERE f.unread) AS unread, p.last_id, thread_state_json(p.row)::text AS state,
	p.first_seq AS visible_from,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM (SELECT) one
LEFT JOIN (SELECT * FROM f WHERE f.last_id < $3 AND (f.unread OR NOT $2) ORDER BY f.last_id DESC LIMIT $4) p ON true
LEFT JOIN messages m ON m.channel_id = p.channel_id AND m.seq = p.root
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
ORDER BY p.last_id DESC;
