-- Presence and what people show of themselves (sql/functions/60_presence.sql).

-- --- for processes that hold receivers

-- known: false where all that this node says must be said again.
-- name: presence_renew
-- in: node int8, lease_ms int8
-- out: known bool
SELECT presence_renew($1, $2) AS known;

-- One row for each user. away_in_ms null: nothing to wait for.
-- name: presence_write
-- in: node int8, users int8[], ages int8[], inputs int8[], idles int8[], ends int8[], lease_ms int8, away_ms int8
-- out: known bool, user_id int8, changed bool, away_in_ms int8
SELECT known, user_id, changed, away_in_ms FROM presence_write($1, $2, $3, $4, $5, $6, $7, $8);

-- name: presence_leave
-- in: node int8, grace_ms int8
-- out: done text
SELECT presence_leave($1, $2)::text AS done;

-- name: presence_sweep
-- in: each_ms int8, gap_ms int8, lease_ms int8, away_ms int8, whole bool, max_users int8
-- out: swept int8
SELECT presence_sweep($1, $2, $3, $4, $5, $6) AS swept;

-- name: settings_sweep
-- in: lease_ms int8, away_ms int8
-- out: swept int8
SELECT settings_sweep($1, $2) AS swept;

-- --- for requests

-- input null: the instance has gone.
-- name: presence_say
-- in: user_id int8, instance uuid, input text, grace_ms int8, lease_ms int8, away_ms int8
-- out: done text
SELECT presence_say($1, $2, $3, $4, $5, $6)::text AS done;

-- name: presence_polled
-- in: user_id int8, active bool, ends_ms int8, lease_ms int8, away_ms int8
-- out: done text
SELECT presence_polled($1, $2, $3, $4, $5)::text AS done;

-- Of those of the ids with whom the asker shares a channel, and of himself.
-- name: presence_list
-- in: asker int8, ids int8[], lease_ms int8, away_ms int8
-- out: cursor text, presence text
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg(
	CASE WHEN n.user_id = $1 OR NOT coalesce(s.invisible, false) THEN
		presence_json(n.user_id, n.state, n.last_active, s, n.user_id = $1)::text
	ELSE presence_json(n.user_id, 'offline', p.last_active, s, false)::text END, ',' ORDER BY n.user_id), '') || ']' AS presence
FROM presence_now(ARRAY(SELECT t.id FROM unnest($2::int8[]) AS t(id) WHERE t.id = $1::int8 OR EXISTS (
		SELECT FROM members a JOIN members b ON b.channel_id = a.channel_id AND b.user_id = t.id WHERE a.user_id = $1)), $3, $4) n
LEFT JOIN presence p ON p.user_id = n.user_id LEFT JOIN user_settings s ON s.user_id = n.user_id;

-- name: settings_get
-- in: user_id int8
-- out: settings text
SELECT settings_json(s)::text AS settings FROM (SELECT $1::int8 AS id) u LEFT JOIN user_settings s ON s.user_id = u.id;

-- settings: null: the status names an emoji that is not there.
-- name: settings_change
-- in: user_id int8, patch jsonb, lease_ms int8, away_ms int8, receipts_max int8
-- out: settings text
SELECT settings_change($1, $2, $3, $4, $5)::text AS settings;
