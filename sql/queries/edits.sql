-- What becomes of messages that are there: edits and reactions.

-- expected: 0: any. link: null: the text has none.
-- name: message_edit
-- in: channel int8, actor int8, seq int8, body text, blank bool, named int8[], expected int8, edit_window int8, link text
-- out: code text, until_us int8
SELECT code, until_us FROM message_edit($1, $2, $3, $4, $5, $6, nullif($7::int8, 0), $8, $9);

-- What access.c judges by; the versions as JSON, the oldest first, the one that it is in now the last. seq null: there is no such message.
-- name: edit_list
-- in: channel int8, reader int8, seq int8
-- out: kind text, archived bool, role text, seq int8, edits text
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, m.seq,
	coalesce((SELECT jsonb_agg(jsonb_build_object('version', e.version, 'at', time_text(e.at), 'body', e.body) ORDER BY e.version)
		FROM (SELECT e.version, e.at, e.body FROM message_edits e WHERE e.channel_id = m.channel_id AND e.seq = m.seq
			UNION ALL SELECT m.version, coalesce(m.edited_at, m.created_at), body_written(m.body) WHERE m.body IS NOT NULL) e), '[]')::text AS edits
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN messages m ON m.channel_id = c.id AND m.seq = $3 AND m.seq >= r.first_seq
WHERE c.id = $1;

-- name: reaction_set
-- in: channel int8, actor int8, seq int8, emoji text, wish bool, emoji_max int8, users_max int8
-- out: code text, until_us int8, state text
SELECT code, until_us, state::text FROM reaction_set($1, $2, $3, $4, $5, $6::int8::int4, $7::int8::int4);

-- All reactions of a message, with one's own.
-- name: reaction_list
-- in: channel int8, reader int8, seq int8
-- out: kind text, archived bool, role text, seq int8, state text
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, m.seq,
	(reactions_json(c.id, m.seq) || jsonb_build_object('mine', coalesce((SELECT jsonb_agg(o.emoji ORDER BY o.nth) FROM reactions o
		WHERE o.channel_id = c.id AND o.seq = m.seq AND o.user_id = $2), '[]')))::text AS state
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN messages m ON m.channel_id = c.id AND m.seq = $3 AND m.seq >= r.first_seq
WHERE c.id = $1;

-- Who reacted with one emoji, in their order. next: what to go on after, null: that was all.
-- name: reaction_users
-- in: channel int8, reader int8, seq int8, emoji text, after int8, limit int8
-- out: kind text, archived bool, role text, seq int8, count int8, users text, next int8
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, m.seq,
	coalesce((SELECT (l->>'count')::int8 FROM message_reactions s, jsonb_array_elements(s.list) l
		WHERE s.channel_id = c.id AND s.seq = m.seq AND l->>'emoji' = $4), 0) AS count,
	coalesce(p.users, '[]') AS users, p.next
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN messages m ON m.channel_id = c.id AND m.seq = $3 AND m.seq >= r.first_seq
LEFT JOIN LATERAL (
	SELECT jsonb_agg(f.user_id ORDER BY f.nth) FILTER (WHERE f.ord <= $6::int8)::text AS users,
		CASE WHEN count(*) > $6::int8 THEN max(f.nth) FILTER (WHERE f.ord <= $6::int8) END AS next
	FROM (SELECT o.user_id, o.nth, row_number() OVER (ORDER BY o.nth) AS ord FROM reactions o
		WHERE o.channel_id = m.channel_id AND o.seq = m.seq AND o.emoji = $4 AND o.nth > $5 ORDER BY o.nth LIMIT $6::int8 + 1) f
) p ON true
WHERE c.id = $1;
