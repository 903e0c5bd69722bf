-- What somebody wants of his channels, and his side bar (sql/functions/87_prefs.sql).

-- patch: JSON that was looked at.
-- name: prefs_change
-- in: channel int8, person int8, patch text
-- out: code text, prefs text
SELECT code, prefs::text AS prefs FROM prefs_change($1, $2, $3::text::jsonb);

-- name: sidebar_get
-- in: person int8
-- out: sidebar text
SELECT sidebar_json(s)::text AS sidebar FROM (SELECT) one LEFT JOIN sidebars s ON s.user_id = $1;

-- version -1: whichever it is.
-- name: sidebar_set
-- in: person int8, sections text, version int8
-- out: code text, sidebar text
SELECT code, sidebar::text AS sidebar FROM sidebar_set($1, $2::text::jsonb, nullif($3::int8, -1));
