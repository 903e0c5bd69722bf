-- Groups (sql/functions/89_groups.sql). open: all members of the site change them, not admins alone.

-- By handle, behind `after`. may: the reader may change them.
-- name: group_list
-- in: reader int8, admin bool, open bool, after text, limit int8
-- out: cursor text, groups text, next text, may bool
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg(group_json(p.row)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $5), '') || ']' AS groups,
	CASE WHEN count(*) > $5 THEN max((p.row).handle) FILTER (WHERE p.nth = $5) END AS next, groups_may(acting_of($1, $2, NULL, NULL), $3) AS may
FROM (
	SELECT g AS row, row_number() OVER (ORDER BY g.handle USING ~<~) AS nth
	FROM user_groups g WHERE g.handle ~>~ $4 ORDER BY g.handle USING ~<~ LIMIT $5::int8 + 1
) p;

-- No row: there is no such group.
-- name: group_get
-- in: wanted int8
-- out: made text
SELECT group_json_full(g)::text AS made FROM user_groups g WHERE g.id = $1;

-- name: group_create
-- in: actor int8, admin bool, request text, address text, open bool, handle text, name text, people int8[]
-- out: code text, made text
SELECT code, made FROM group_create(acting_of($1, $2, $3, $4), $5, $6, $7, $8);

-- handle, name null: as it is.
-- name: group_change
-- in: actor int8, admin bool, request text, address text, open bool, wanted int8, handle text, name text, adds int8[], drops int8[], members_max int8
-- out: code text, made text
SELECT code, made FROM group_change(acting_of($1, $2, $3, $4), $5, $6, $7, $8, $9, $10, $11);

-- name: group_delete
-- in: actor int8, admin bool, request text, address text, open bool, wanted int8
-- out: code text
SELECT group_delete(acting_of($1, $2, $3, $4), $5, $6) AS code;

-- What access.c judges by, and how many would be reached.
-- name: reach_count
-- in: channel int8, reader int8, calls int8[], named int8[]
-- out: kind text, archived bool, role text, people int8
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role,
	CASE WHEN r.user_id IS NOT NULL THEN calls_count(c.id, $2, $3, $4) END AS people
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2 WHERE c.id = $1;
