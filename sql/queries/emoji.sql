-- Custom emoji (sql/functions/89_emoji.sql).

-- everyone: whoever is no guest may.
-- name: custom_emoji_add
-- in: actor int8, admin bool, request text, address text, name text, file int8, everyone bool, emoji_max int8, bytes_max int8
-- out: code text, until_us int8, state text
SELECT code, until_us, state::text FROM custom_emoji_add(acting_of($1, $2, $3, $4), $5, $6, $7, $8, $9);

-- name: custom_emoji_remove
-- in: actor int8, admin bool, request text, address text, name text
-- out: code text
SELECT custom_emoji_remove(acting_of($1, $2, $3, $4), $5) AS code;

-- All of them, by name.
-- name: custom_emoji_list
-- out: cursor text, emoji text, version int8
SELECT stream_cursor() AS cursor, coalesce((SELECT jsonb_agg(custom_emoji_json(e) ORDER BY e.name) FROM custom_emoji e), '[]')::text AS emoji,
	(SELECT l.version FROM custom_emoji_list l) AS version;
