-- Links into a channel (sql/functions/88_channel_invites.sql).

-- uses, ttl_ms 0: without a bound.
-- name: channel_invite_make
-- in: actor int8, admin bool, request text, address text, channel int8, hash text, uses int8, ttl_ms int8
-- out: code text, invite text
SELECT code, invite::text AS invite FROM channel_invite_make(acting_of($1, $2, $3, $4), $5, decode($6, 'hex'), nullif($7::int8, 0)::int4,
	CASE WHEN $8::int8 > 0 THEN now() + $8::int8 * interval '1 millisecond' END);

-- Newest first, below an id, for who may make them.
-- name: channel_invite_list
-- in: actor int8, admin bool, channel int8, before int8, limit int8
-- out: code text, invites text, next int8
SELECT CASE WHEN j.code = 'ok' AND j.rank = 0 THEN 'forbidden' ELSE j.code END AS code,
	CASE WHEN j.code = 'ok' AND j.rank > 0 THEN p.invites END AS invites, p.next
FROM (SELECT) one LEFT JOIN channels c ON c.id = $3
CROSS JOIN LATERAL judge_channel(acting_of($1, $2, NULL, NULL), c) j
CROSS JOIN LATERAL (
	SELECT '[' || coalesce(string_agg(channel_invite_json(q.row)::text, ',' ORDER BY q.nth) FILTER (WHERE q.nth <= $5), '') || ']' AS invites,
		CASE WHEN count(*) > $5 THEN min((q.row).id) FILTER (WHERE q.nth <= $5) END AS next
	FROM (
		SELECT v AS row, row_number() OVER (ORDER BY v.id DESC) AS nth
		FROM channel_invites v WHERE v.channel_id = c.id AND v.id < $4 ORDER BY v.id DESC LIMIT $5::int8 + 1
	) q
) p;

-- name: channel_invite_revoke
-- in: actor int8, admin bool, request text, address text, channel int8, invite int8
-- out: code text
SELECT channel_invite_withdraw(acting_of($1, $2, $3, $4), $5, $6) AS code;

-- What a link is good for: the channel, as long as it is open.
-- name: channel_invite_look
-- in: hash text
-- out: look text
SELECT jsonb_build_object('state', channel_invite_state(v), 'channel', CASE WHEN channel_invite_state(v) = 'open' THEN channel_json(c) END)::text AS look
FROM (SELECT) one LEFT JOIN channel_invites v ON v.code_hash = decode($1, 'hex') LEFT JOIN channels c ON c.id = v.channel_id;

-- name: channel_invite_use
-- in: person int8, hash text, member_limit int8
-- out: code text, channel int8
SELECT code, channel FROM channel_invite_use($1, decode($2, 'hex'), $3);
