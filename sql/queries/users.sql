-- People.

-- name: user_get
-- in: user_id int8, viewer int8
-- out: person text
SELECT user_json(u)::text AS person FROM users u WHERE u.id = $1 AND knows_person($2, u.id);

-- Those of the ids that exist, deactivated ones too: what they said still bears their names.
-- name: user_list_ids
-- in: ids int8[], viewer int8
-- out: cursor text, people text, next text
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg(user_json(u)::text, ',' ORDER BY u.id), '') || ']' AS people,
	NULL::text AS next
FROM users u WHERE u.id = ANY ($1::int8[]) AND (NOT (SELECT is_guest($2)) OR knows_person($2, u.id));

-- Active people by handle. wish: what handle or name begins with, or a word in the name does; '' for all.
-- name: user_list
-- in: wish text, after text, limit int8, viewer int8
-- out: cursor text, people text, next text
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(user_json(p.person)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $3), '') || ']' AS people,
	CASE WHEN count(*) > $3 THEN min((p.person).handle) FILTER (WHERE p.nth = $3) END AS next
FROM (
	SELECT u AS person, row_number() OVER (ORDER BY u.handle USING ~<~) AS nth
	FROM users u
	WHERE u.handle ~>~ $2::text AND u.deactivated_at IS NULL
		AND ($1::text = '' OR starts_with(u.handle, lower($1)) OR strpos(' ' || lower(u.name), ' ' || lower($1)) > 0)
		AND (NOT (SELECT is_guest($4)) OR knows_person($4, u.id))
	ORDER BY u.handle USING ~<~ LIMIT $3::int8 + 1
) p;

-- What one has given oneself, and what the provider said last; null: there is none.
-- name: user_profile
-- in: user_id int8
-- out: own_name bool, own_picture bool, provider_name text
SELECT u.own_name, u.own_picture IS NOT NULL AS own_picture, u.provider_name FROM users u WHERE u.id = $1;

-- name null: as the provider says; zone null: none.
-- name: user_change
-- in: actor int8, admin bool, request text, address text, person int8, renames bool, name text, zones bool, zone text
-- out: code text, until_us int8
SELECT code, until_us FROM user_change(acting_of($1, $2, $3, $4), $5, $6, $7, $8, $9);

-- name: user_picture_set
-- in: actor int8, admin bool, request text, address text, file int8, bytes_max int8
-- out: code text, until_us int8
SELECT code, until_us FROM user_picture_set(acting_of($1, $2, $3, $4), $5, $6);

-- name: user_picture_remove
-- in: actor int8, admin bool, request text, address text, person int8
-- out: code text
SELECT user_picture_remove(acting_of($1, $2, $3, $4), $5) AS code;

-- --- for the pulsechat command

-- name: user_by_handle
-- in: handle text
-- out: id int8, active bool
SELECT u.id, u.deactivated_at IS NULL AS active FROM users u WHERE u.handle = $1;

-- No row where the handle is taken.
-- name: user_add
-- in: handle text, name text, role text
-- out: id int8, noted text
SELECT m.id, audit_add(acting_of(0, true, NULL, NULL), 'user.added', m.id, NULL, jsonb_build_object('role', $3::text))::text AS noted
FROM (SELECT user_insert($1, $2, NULL, NULL, false, $3) AS id WHERE NOT handle_taken($1) OFFSET 0) m;

-- Whether a handle is one that nobody gets.
-- name: handle_look
-- in: handle text
-- out: reserved bool
SELECT handle_reserved($1) AS reserved;

-- The account of (issuer, subject), made where there is none; id null: deactivated.
-- name: user_add_identity
-- in: issuer text, subject text, handle text, name text, role text
-- out: id int8
SELECT user_add_identity(acting_of(0, true, NULL, NULL), $1, $2, $3, $4, $5) AS id;

-- name: user_of_identity
-- in: issuer text, subject text
-- out: id int8, handle text, active bool
SELECT u.id, u.handle, u.deactivated_at IS NULL AS active
FROM identities i JOIN users u ON u.id = i.user_id WHERE (i.issuer, i.subject) = ($1, $2);

-- name: user_table
-- in: after text, limit int8
-- out: id int8, handle text, name text, role text, active bool
SELECT u.id, u.handle, u.name, u.role, u.deactivated_at IS NULL AS active
FROM users u WHERE u.handle ~>~ $1::text ORDER BY u.handle USING ~<~ LIMIT $2;

-- Who owns a channel that the command makes for nobody in particular.
-- name: user_first_owner
-- out: id int8
SELECT u.id FROM users u WHERE u.deactivated_at IS NULL AND u.role IN ('owner', 'admin')
ORDER BY u.role = 'owner' DESC, u.id LIMIT 1;

-- --- programs' accounts

-- No row where the handle is taken.
-- name: bot_add
-- in: actor int8, admin bool, request text, address text, handle text, name text
-- out: id int8
SELECT bot_insert(acting_of($1, $2, $3, $4), $5, $6) AS id WHERE NOT handle_taken($5);

-- name: bot_list
-- in: after text, limit int8
-- out: people text, next text
SELECT '[' || coalesce(string_agg(user_json(p.bot)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $2), '') || ']' AS people,
	CASE WHEN count(*) > $2 THEN min((p.bot).handle) FILTER (WHERE p.nth = $2) END AS next
FROM (
	SELECT u AS bot, row_number() OVER (ORDER BY u.handle USING ~<~) AS nth FROM users u WHERE u.bot AND u.handle ~>~ $1::text
	ORDER BY u.handle USING ~<~ LIMIT $2::int8 + 1
) p;

-- name: bot_find
-- in: user_id int8
-- out: active bool
SELECT u.deactivated_at IS NULL AS active FROM users u WHERE u.id = $1 AND u.bot;
