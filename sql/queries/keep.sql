-- What people keep: drafts, pinned messages, messages that they have saved.

-- based: -1: on whichever there is.
-- name: draft_set
-- in: channel int8, writer int8, thread int8, text text, files int8[], reply_to int8, based int8
-- out: code text, state text
SELECT code, state::text FROM draft_set($1, $2, $3, $4, $5, nullif($6::int8, 0), nullif($7::int8, -1));

-- name: draft_get
-- in: channel int8, reader int8, thread int8
-- out: kind text, archived bool, role text, state text
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role,
	CASE WHEN d.user_id IS NOT NULL THEN draft_json(d) ELSE jsonb_build_object('channel', c.id, 'thread', nullif($3::int8, 0), 'text', '',
		'files', '[]'::jsonb, 'reply_to', NULL, 'version', 0, 'edited_at', NULL) END::text AS state
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN drafts d ON d.user_id = $2 AND d.channel_id = c.id AND d.thread = $3 AND r.user_id IS NOT NULL
WHERE c.id = $1;

-- next, next_thread: what to go on behind, null: that was all.
-- name: draft_list
-- in: reader int8, after int8, after_thread int8, limit int8
-- out: cursor text, drafts text, next int8, next_thread int8
SELECT stream_cursor() AS cursor, coalesce(jsonb_agg(draft_json(p.d) ORDER BY p.ord) FILTER (WHERE p.ord <= $4), '[]')::text AS drafts,
	max((p.d).channel_id) FILTER (WHERE p.ord = $4 AND p.more) AS next, max((p.d).thread) FILTER (WHERE p.ord = $4 AND p.more) AS next_thread
FROM (SELECT) one LEFT JOIN (
	SELECT d, row_number() OVER w AS ord, lead(true) OVER w AS more FROM drafts d
	JOIN members m ON m.channel_id = d.channel_id AND m.user_id = d.user_id
	WHERE d.user_id = $1 AND (d.channel_id, d.thread) > ($2, $3)
	WINDOW w AS (ORDER BY d.channel_id, d.thread) ORDER BY d.channel_id, d.thread LIMIT $4::int8 + 1) p ON true;

-- name: pin_set
-- in: channel int8, actor int8, seq int8, wish bool, pins_max int8, admin bool, request text, address text
-- out: code text, until_us int8, state text
SELECT code, until_us, state::text FROM pin_set($1, acting_of($2, $6, $7, $8), $3, $4, $5::int8::int4);

-- A row for each pinned message that the reader may see, the columns of message_get behind the list; one with a null seq where there is none.
-- name: pin_list
-- in: channel int8, reader int8
-- out: kind text, archived bool, role text, cursor text, state text
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, stream_cursor() AS cursor, pins_json(c.id)::text AS state,
	m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN pins p ON p.channel_id = c.id AND r.user_id IS NOT NULL
LEFT JOIN LATERAL jsonb_array_elements(p.list) WITH ORDINALITY AS l(pin, ord) ON true
LEFT JOIN messages m ON m.channel_id = c.id AND m.seq = (l.pin->>'seq')::int8 AND m.seq >= r.first_seq
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE c.id = $1 ORDER BY l.ord;

-- name: save_set
-- in: channel int8, actor int8, seq int8, wish bool, saves_max int8
-- out: code text, state text
SELECT code, state::text FROM save_set($1, $2, $3, $4, $5::int8::int4);

-- Which messages one has saved, of the channels that one is in, the newest first.
-- name: save_list
-- in: reader int8
-- out: cursor text, saved text, version int8
SELECT stream_cursor() AS cursor, coalesce((
		SELECT jsonb_agg(jsonb_build_object('channel', s.channel_id, 'seq', s.seq, 'at', time_text(s.at)) ORDER BY s.nth DESC)
		FROM saves s JOIN members m ON m.channel_id = s.channel_id AND m.user_id = s.user_id AND m.first_seq <= s.seq
		WHERE s.user_id = $1), '[]')::text AS saved,
	coalesce((SELECT l.version FROM save_lists l WHERE l.user_id = $1), 0) AS version;

-- The same, as messages. nth: what to go on below.
-- name: save_messages
-- in: reader int8, before int8, limit int8
-- out: nth int8
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT s.nth, m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us,
	m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END AS deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside, th.replies
FROM saves s JOIN members r ON r.channel_id = s.channel_id AND r.user_id = s.user_id AND r.first_seq <= s.seq
JOIN messages m ON m.channel_id = s.channel_id AND m.seq = s.seq
LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
LEFT JOIN LATERAL (SELECT replies_json(t) AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
WHERE s.user_id = $1 AND s.nth < $2 ORDER BY s.nth DESC LIMIT $3;
