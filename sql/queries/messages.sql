-- History: pages of a channel by seq, oldest first, without replies that stand in their threads alone (these do not count for first_seq and
-- last_shown either), with what access.c judges by, the cursor and the channel's ends of the same
-- snapshot. Nothing is below the reader's first_seq, nor at all where he is not a member. One row with a null seq where the page is empty; no row
-- where there is no such channel.

-- name: history_before
-- in: channel int8, reader int8, before int8, limit int8
-- out: kind text, archived bool, role text, cursor text, first_seq int8, last_shown int8, last_seq int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, s.cursor, s.first_seq, s.last_shown, s.last_seq,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
CROSS JOIN LATERAL (
	SELECT stream_cursor() AS cursor, channel_last_seq(c) AS last_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq LIMIT 1), 0) AS first_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq DESC LIMIT 1), 0) AS last_shown
	OFFSET 0
) s
LEFT JOIN LATERAL (
	SELECT * FROM messages o WHERE o.channel_id = $1 AND o.seq < $3 AND o.seq >= r.first_seq AND o.aside IS NOT TRUE ORDER BY o.seq DESC LIMIT $4
) m ON true
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1 ORDER BY m.seq;

-- name: history_after
-- in: channel int8, reader int8, after int8, limit int8
-- out: kind text, archived bool, role text, cursor text, first_seq int8, last_shown int8, last_seq int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, s.cursor, s.first_seq, s.last_shown, s.last_seq,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
CROSS JOIN LATERAL (
	SELECT stream_cursor() AS cursor, channel_last_seq(c) AS last_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq LIMIT 1), 0) AS first_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq DESC LIMIT 1), 0) AS last_shown
	OFFSET 0
) s
LEFT JOIN LATERAL (
	SELECT * FROM messages o WHERE o.channel_id = $1 AND o.seq > $3 AND o.seq >= r.first_seq AND o.aside IS NOT TRUE ORDER BY o.seq LIMIT $4
) m ON true
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1 ORDER BY m.seq;

-- older: how many of the limit may lie below the seq.
-- name: history_around
-- in: channel int8, reader int8, around int8, limit int8, older int8
-- out: kind text, archived bool, role text, cursor text, first_seq int8, last_shown int8, last_seq int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, s.cursor, s.first_seq, s.last_shown, s.last_seq,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
CROSS JOIN LATERAL (
	SELECT stream_cursor() AS cursor, channel_last_seq(c) AS last_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq LIMIT 1), 0) AS first_seq,
		coalesce((SELECT o.seq FROM messages o WHERE o.channel_id = c.id AND o.seq >= r.first_seq AND o.aside IS NOT TRUE
			ORDER BY o.seq DESC LIMIT 1), 0) AS last_shown
	OFFSET 0
) s
LEFT JOIN LATERAL (
	(SELECT * FROM messages o WHERE o.channel_id = $1 AND o.seq < $3 AND o.seq >= r.first_seq AND o.aside IS NOT TRUE ORDER BY o.seq DESC LIMIT $5)
	UNION ALL
	(SELECT * FROM messages o WHERE o.channel_id = $1 AND o.seq >= $3 AND o.seq >= r.first_seq AND o.aside IS NOT TRUE ORDER BY o.seq LIMIT $4 - $5)
) m ON true
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1 ORDER BY m.seq;

-- Where a time lies in a channel's seqs. It tells nothing by itself: who may read is judged by history_around.
-- name: history_seq_at
-- in: channel int8, time text
-- out: seq int8
SELECT seq_at($1, $2::text::timestamptz) AS seq;

-- The same columns, for one message.
-- name: message_get
-- in: channel int8, reader int8, seq int8
-- out: kind text, archived bool, role text
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN messages m ON m.channel_id = c.id AND m.seq = $3 AND m.seq >= r.first_seq
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1;

-- The same columns behind a code; of a deleted message.
-- name: message_delete
-- in: channel int8, actor int8, seq int8, admin bool, request text, address text
-- out: code text
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT d.code, d.channel_id, d.seq, d.id, d.sender, d.client_id, d.created_us, d.version, d.body, d.edited_us, d.deleted_by,
	NULL::jsonb AS reactions, NULL::int8 AS reactions_version, m.thread, m.aside,
	CASE WHEN t.root IS NOT NULL THEN replies_json(t) END AS replies
FROM message_delete($1, $2, $3, acting_of($2, $4, $5, $6)) d
LEFT JOIN messages m ON m.channel_id = d.channel_id AND m.seq = d.seq
LEFT JOIN threads t ON t.channel_id = d.channel_id AND t.root = d.seq;
