-- Read markers, unread counts, receipts.

-- Arrays of one length, each (channel, reader) once; 0 in the others is none of it. A row each, in their order.
-- name: read_marks
-- in: channel int8[], reader int8[], read int8[], unread int8[], reread int8[], delivered int8[], receipts_max int8, states bool
-- out: code text, seq int8, first_unread int8, delivered int8, state text
SELECT code, seq, first_unread, delivered, state FROM read_marks($1, $2, $3, $4, $5, $6, $7, $8);

-- name: read_receipts_set
-- in: channel int8, reader int8, share bool, receipts_max int8
-- out: code text
SELECT read_receipts_set($1, $2, $3, $4) AS code;

-- Who has read a message, of those who share it, without its sender. One row; role as in channels.sql, sender null: no such message.
-- name: reader_list
-- in: channel int8, reader int8, seq int8, after int8, limit int8
-- out: kind text, archived bool, role text, sender int8, count int8, users text, next int8
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, o.sender, p.count, p.users, p.next
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN messages o ON o.channel_id = c.id AND o.seq = $3 AND o.seq >= r.first_seq
CROSS JOIN LATERAL (
	SELECT (SELECT count(*) FROM members m
			WHERE m.channel_id = c.id AND m.last_read_seq >= $3 AND m.first_seq <= $3 AND m.user_id <> o.sender AND shares_reads(m))
			AS count,
		'[' || coalesce(string_agg(q.user_id::text, ',' ORDER BY q.nth) FILTER (WHERE q.nth <= $5), '') || ']' AS users,
		CASE WHEN count(*) > $5 THEN max(q.user_id) FILTER (WHERE q.nth <= $5) END AS next
	FROM (
		SELECT m.user_id, row_number() OVER (ORDER BY m.user_id) AS nth
		FROM members m
		WHERE m.channel_id = c.id AND m.user_id > $4 AND m.last_read_seq >= $3 AND m.first_seq <= $3 AND m.user_id <> o.sender AND shares_reads(m)
		ORDER BY m.user_id LIMIT $5::int8 + 1
	) q
) p
WHERE c.id = $1;

-- Where there is something unread, and in all. drift: where the counts differ from a look at each message; null where not asked for.
-- name: unread_list
-- in: reader int8, verify bool
-- out: cursor text, channels text, unread int8, mentions int8, drift text, behind bool
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(jsonb_build_object('channel', (x.m).channel_id, 'last_seq', x.last_seq, 'last_read_seq', (x.m).last_read_seq,
		'unread_from', (x.m).unread_from, 'unread', x.unread, 'mentions', x.mentions)::text, ',' ORDER BY (x.m).channel_id)
		FILTER (WHERE x.unread > 0 OR x.mentions > 0), '') || ']' AS channels,
	coalesce(sum(x.unread), 0)::int8 AS unread, coalesce(sum(x.mentions), 0)::int8 AS mentions,
	CASE WHEN $2 THEN '[' || coalesce(string_agg(jsonb_build_object('channel', (x.m).channel_id, 'unread', x.unread, 'mentions', x.mentions,
		'true_unread', t.unread, 'true_mentions', t.mentions)::text, ',' ORDER BY (x.m).channel_id)
		FILTER (WHERE (x.unread, x.mentions) IS DISTINCT FROM (t.unread, t.mentions)), '') || ']' END AS drift,
	coalesce(bool_or(x.last_seq - greatest((x.m).counted_seq, read_marker(x.m)) > 1000), false) AS behind
FROM (SELECT m, u.last_seq, u.unread, u.mentions FROM members m CROSS JOIN LATERAL unread_counts(m) u WHERE m.user_id = $1) x
LEFT JOIN LATERAL (SELECT s.unread, s.mentions FROM unread_scan(x.m) s WHERE $2) t ON true;

-- name: unread_advance
-- in: reader int8
-- out: moved int4
SELECT unread_advance($1) AS moved;

-- The `read` lines of a user, where the sum of his read_versions is another one than `reads`, and the `draft` lines, where that of his
-- drafts' versions, of channels that he is in and as far as they count, is another than `drafts`. -2: not asked for.
-- name: live_own
-- in: user_id int8, reads int8, drafts int8
-- out: line text
(SELECT (jsonb_build_object('type', 'read') || read_state_json(m))::text AS line
FROM members m
WHERE m.user_id = $1 AND m.read_version > 0 AND $2::int8 <> -2
	AND (SELECT coalesce(sum(o.read_version), 0) FROM members o WHERE o.user_id = $1)::int8 <> $2
ORDER BY m.channel_id)
UNION ALL
(SELECT draft_line(d)::text
FROM drafts d JOIN members m ON m.channel_id = d.channel_id AND m.user_id = d.user_id
WHERE d.user_id = $1 AND $3::int8 <> -2 AND (SELECT coalesce(sum(o.version), 0) FROM drafts o
	JOIN members n ON n.channel_id = o.channel_id AND n.user_id = o.user_id WHERE o.user_id = $1 AND draft_counts(o))::int8 <> $3
ORDER BY d.channel_id, d.thread);
