-- Channels and their members, as one reader sees them. A list is one row: its cursor and its page are of one snapshot.
-- kind, archived and role (the reader's in the channel, null where he is not in) are for lib/chat/access.c to judge.

-- behind: unread_advance() would spare the next one some counting.
-- name: channel_list_mine
-- in: reader int8, after int8, limit int8
-- out: cursor text, channels text, next int8, behind bool
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(j.channel::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $3), '') || ']' AS channels,
	CASE WHEN count(*) > $3 THEN max((p.channel).id) FILTER (WHERE p.nth <= $3) END AS next,
	coalesce(bool_or((j.channel->>'last_seq')::int8 - p.counted > 1000), false) AS behind
FROM (
	SELECT c AS channel, greatest(m.counted_seq, read_marker(m)) AS counted, row_number() OVER (ORDER BY m.channel_id) AS nth
	FROM members m JOIN channels c ON c.id = m.channel_id
	WHERE m.user_id = $1 AND m.channel_id > $2 ORDER BY m.channel_id LIMIT $3::int8 + 1
) p
CROSS JOIN LATERAL (SELECT channel_json_for(p.channel, $1) AS channel OFFSET 0) j;

-- Those that the reader may join: public, not archived, not his yet; by name, behind that of `after`. wish: what name or topic holds.
-- name: channel_list_public
-- in: reader int8, after int8, limit int8, wish text
-- out: cursor text, channels text, next int8, behind bool
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(channel_json_for(p.channel, $1)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $3), '') || ']' AS channels,
	CASE WHEN count(*) > $3 THEN max((p.channel).id) FILTER (WHERE p.nth = $3) END AS next, false AS behind
FROM (
	SELECT c AS channel, row_number() OVER (ORDER BY lower(c.name)) AS nth
	FROM channels c
	WHERE c.kind = 'public' AND c.archived_at IS NULL
		AND lower(c.name) > coalesce((SELECT lower(o.name) FROM channels o WHERE o.id = $2 AND o.kind = 'public'), '')
		AND ($4::text = '' OR strpos(lower(c.name), lower($4)) > 0 OR strpos(lower(c.topic), lower($4)) > 0)
		AND NOT EXISTS (SELECT FROM members m WHERE m.channel_id = c.id AND m.user_id = $1)
	ORDER BY lower(c.name) LIMIT $3::int8 + 1
) p;

-- name: channel_get
-- in: channel int8, reader int8
-- out: kind text, archived bool, role text, channel text
SELECT kind_for(c.kind, m.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, m.role, channel_json_for(c, $2)::text AS channel
FROM channels c LEFT JOIN members m ON m.channel_id = c.id AND m.user_id = $2 WHERE c.id = $1;

-- name: channel_create
-- in: maker int8, kind text, name text, topic text, invited int8[]
-- out: code text, channel int8
SELECT code, channel FROM channel_create($1, $2, $3, $4, $5);

-- With one other, or several.
-- name: channel_direct
-- in: maker int8, others int8[]
-- out: code text, channel int8, created bool
SELECT code, channel, created FROM channel_group($1, $2);

-- name: member_list
-- in: channel int8, reader int8, after int8, limit int8
-- out: kind text, archived bool, role text, cursor text, members text, next int8
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, stream_cursor() AS cursor, p.members, p.next
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
CROSS JOIN LATERAL (
	SELECT '[' || coalesce(string_agg(member_json(q.member)::text, ',' ORDER BY q.nth) FILTER (WHERE q.nth <= $4), '') || ']' AS members,
		CASE WHEN count(*) > $4 THEN max((q.member).user_id) FILTER (WHERE q.nth <= $4) END AS next
	FROM (
		SELECT m AS member, row_number() OVER (ORDER BY m.user_id) AS nth
		FROM members m WHERE m.channel_id = c.id AND m.user_id > $3 ORDER BY m.user_id LIMIT $4::int8 + 1
	) q
) p
WHERE c.id = $1;

-- name: member_add
-- in: channel int8, actor int8, newcomer int8, member_limit int8
-- out: code text
SELECT member_add($1, $2, $3, $4) AS code;

-- name: member_get
-- in: channel int8, user_id int8
-- out: member text
SELECT member_json(m)::text AS member FROM members m WHERE m.channel_id = $1 AND m.user_id = $2;

-- name: member_remove
-- in: channel int8, actor int8, leaver int8, admin bool, request text, address text, reason text
-- out: code text
SELECT member_remove($1, $2, $3, acting_of($2, $4, $5, $6), $7) AS code;
