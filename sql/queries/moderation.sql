-- Roles, mutes, bans, reports, the audit log. actor, admin, request, address: who acts and how (lib/chat/acting.h).

-- name: user_set_role
-- in: actor int8, admin bool, request text, address text, person int8, role text
-- out: code text
SELECT user_set_role(acting_of($1, $2, $3, $4), $5, $6) AS code;

-- until: RFC 3339, 'infinity', or null to lift it.
-- name: user_mute
-- in: actor int8, admin bool, request text, address text, person int8, until text, reason text
-- out: code text
SELECT user_mute(acting_of($1, $2, $3, $4), $5, $6::text::timestamptz, $7) AS code;

-- name: user_close
-- in: actor int8, admin bool, request text, address text, person int8, reason text
-- out: code text
SELECT user_close(acting_of($1, $2, $3, $4), $5, $6) AS code;

-- name: user_reopen
-- in: actor int8, admin bool, request text, address text, person int8
-- out: code text
SELECT user_reopen(acting_of($1, $2, $3, $4), $5) AS code;

-- keep -1: as it is, 0: for ever. history null: as it is.
-- name: channel_change
-- in: actor int8, admin bool, request text, address text, channel int8, name text, topic text, archive bool, keep int8, history text, may_call text
-- out: code text
SELECT channel_change(acting_of($1, $2, $3, $4), $5, $6, $7, $8, nullif($9::int8, -1)::int4, $10, $11) AS code;

-- name: member_set_role
-- in: actor int8, admin bool, request text, address text, channel int8, person int8, role text
-- out: code text
SELECT member_set_role(acting_of($1, $2, $3, $4), $5, $6, $7) AS code;

-- name: channel_hand_over
-- in: actor int8, admin bool, request text, address text, channel int8, person int8
-- out: code text
SELECT channel_hand_over(acting_of($1, $2, $3, $4), $5, $6) AS code;

-- name: member_mute
-- in: actor int8, admin bool, request text, address text, channel int8, person int8, until text, reason text
-- out: code text
SELECT member_mute(acting_of($1, $2, $3, $4), $5, $6, $7::text::timestamptz, $8) AS code;

-- name: member_ban
-- in: actor int8, admin bool, request text, address text, channel int8, person int8, until text, reason text
-- out: code text
SELECT member_ban(acting_of($1, $2, $3, $4), $5, $6, $7::text::timestamptz, $8) AS code;

-- A channel's mutes and bans that hold, for its moderators and for admins. code as the others.
-- name: restriction_list
-- in: actor int8, admin bool, channel int8, after int8, limit int8
-- out: code text, cursor text, restrictions text, next int8
SELECT CASE WHEN j.code = 'ok' AND j.rank = 0 THEN 'forbidden' ELSE j.code END AS code, stream_cursor() AS cursor,
	CASE WHEN j.code = 'ok' AND j.rank > 0 THEN p.restrictions END AS restrictions, p.next
FROM (SELECT) one LEFT JOIN channels c ON c.id = $3
CROSS JOIN LATERAL judge_channel(acting_of($1, $2, NULL, NULL), c) j
CROSS JOIN LATERAL (
	SELECT '[' || coalesce(string_agg(restriction_json(q.row)::text, ',' ORDER BY q.nth) FILTER (WHERE q.nth <= $5), '') || ']' AS restrictions,
		CASE WHEN count(*) > $5 THEN max((q.row).user_id) FILTER (WHERE q.nth <= $5) END AS next
	FROM (
		SELECT r AS row, dense_rank() OVER (ORDER BY r.user_id) AS nth
		FROM restrictions r WHERE r.channel_id = c.id AND r.until > now() AND r.user_id > $4 ORDER BY r.user_id LIMIT $5::int8 * 2 + 1
	) q
) p;

-- name: report_make
-- in: actor int8, channel int8, seq int8, reason text, words text
-- out: code text, report int8
SELECT code, report FROM report_make(acting_of($1, false, NULL, NULL), $2, $3, $4, $5);

-- name: report_own_get
-- in: report int8, reporter int8
-- out: report text
SELECT report_own_json(r)::text AS report FROM reports r WHERE r.id = $1 AND r.reporter = $2;

-- name: report_get
-- in: actor int8, admin bool, report int8
-- out: report text
SELECT report_json(r)::text AS report FROM reports r WHERE r.id = $3 AND report_is_for(r, acting_of($1, $2, NULL, NULL));

-- Newest first, before an id. channel 0: all that are his to handle; open: only those.
-- name: report_list
-- in: actor int8, admin bool, channel int8, open bool, before int8, limit int8
-- out: cursor text, reports text, next int8
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(report_json(p.row)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $6), '') || ']' AS reports,
	CASE WHEN count(*) > $6 THEN min((p.row).id) FILTER (WHERE p.nth <= $6) END AS next
FROM (
	SELECT r AS row, row_number() OVER (ORDER BY r.id DESC) AS nth FROM reports r
	WHERE r.id < $5 AND ($3::int8 = 0 OR r.channel_id = $3) AND (NOT $4 OR r.action IS NULL)
		AND report_is_for(r, acting_of($1, $2, NULL, NULL))
	ORDER BY r.id DESC LIMIT $6::int8 + 1
) p;

-- How many are open, of those that are somebody's to handle.
-- name: report_open
-- in: actor int8, admin bool
-- out: reports text
SELECT jsonb_build_object('open', coalesce(sum(x.n), 0), 'channels', coalesce(jsonb_agg(jsonb_build_object('channel', x.channel_id, 'open', x.n)
	ORDER BY x.channel_id), '[]'))::text AS reports
FROM (SELECT r.channel_id, count(*) AS n FROM reports r
	WHERE r.action IS NULL AND report_is_for(r, acting_of($1, $2, NULL, NULL)) GROUP BY r.channel_id) x;

-- name: report_list_own
-- in: reporter int8, before int8, limit int8
-- out: cursor text, reports text, next int8
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(report_own_json(p.row)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $3), '') || ']' AS reports,
	CASE WHEN count(*) > $3 THEN min((p.row).id) FILTER (WHERE p.nth <= $3) END AS next
FROM (
	SELECT r AS row, row_number() OVER (ORDER BY r.id DESC) AS nth FROM reports r
	WHERE r.id < $2 AND r.reporter = $1 ORDER BY r.id DESC LIMIT $3::int8 + 1
) p;

-- name: report_settle
-- in: actor int8, admin bool, request text, address text, report int8, action text, until text, site bool, note text
-- out: code text
SELECT report_settle(acting_of($1, $2, $3, $4), $5, $6, $7::text::timestamptz, $8, $9) AS code;

-- Newest first, before an id. 0 or null: any; actor -1: the pulsechat command. from and to: RFC 3339.
-- name: audit_list
-- in: actor int8, action text, target int8, channel int8, from text, to text, before int8, limit int8
-- out: cursor text, entries text, next int8
SELECT stream_cursor() AS cursor,
	'[' || coalesce(string_agg(audit_json(p.row)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $8), '') || ']' AS entries,
	CASE WHEN count(*) > $8 THEN min((p.row).id) FILTER (WHERE p.nth <= $8) END AS next
FROM (
	SELECT a AS row, row_number() OVER (ORDER BY a.id DESC) AS nth FROM audit a
	WHERE a.id < $7 AND ($1::int8 = 0 OR a.actor = $1 OR ($1 = -1 AND a.actor IS NULL))
		AND ($2::text IS NULL OR a.action = $2 OR starts_with(a.action, $2 || '.'))
		AND ($3::int8 = 0 OR a.target = $3) AND ($4::int8 = 0 OR a.channel_id = $4)
		AND ($5::text IS NULL OR a.at >= $5::text::timestamptz) AND ($6::text IS NULL OR a.at < $6::text::timestamptz)
	ORDER BY a.id DESC LIMIT $8::int8 + 1
) p;

-- People for admins, deactivated ones too, with what only admins are told. wish as in user_list; role null: any.
-- name: admin_user_list
-- in: wish text, role text, after text, limit int8
-- out: cursor text, people text, next text
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg((user_json(p.person) || jsonb_build_object('email', (p.person).email,
		'created_at', time_text((p.person).created_at), 'deactivated_at', time_text((p.person).deactivated_at),
		'mute', (SELECT restriction_json(r) FROM restrictions r
			WHERE r.channel_id = 0 AND r.kind = 'mute' AND r.user_id = (p.person).id AND r.until > now())))::text,
		',' ORDER BY p.nth) FILTER (WHERE p.nth <= $4), '') || ']' AS people,
	CASE WHEN count(*) > $4 THEN to_json(min((p.person).handle) FILTER (WHERE p.nth = $4))::text END AS next
FROM (
	SELECT u AS person, row_number() OVER (ORDER BY u.handle USING ~<~) AS nth
	FROM users u
	WHERE u.handle ~>~ $3::text AND ($2::text IS NULL OR u.role = $2)
		AND ($1::text = '' OR starts_with(u.handle, lower($1)) OR strpos(' ' || lower(u.name), ' ' || lower($1)) > 0
			OR starts_with(lower(u.email), lower($1)))
	ORDER BY u.handle USING ~<~ LIMIT $4::int8 + 1
) p;

-- Public and private channels for admins: what they are, who owns them, never what is said there.
-- name: admin_channel_list
-- in: wish text, after int8, limit int8
-- out: cursor text, channels text, next int8
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg((channel_json(p.channel) || jsonb_build_object('owners',
		(SELECT coalesce(jsonb_agg(m.user_id ORDER BY m.user_id), '[]') FROM members m
			WHERE m.channel_id = (p.channel).id AND m.role = 'owner')))::text, ',' ORDER BY p.nth)
		FILTER (WHERE p.nth <= $3), '') || ']' AS channels,
	CASE WHEN count(*) > $3 THEN max((p.channel).id) FILTER (WHERE p.nth <= $3) END AS next
FROM (
	SELECT c AS channel, row_number() OVER (ORDER BY c.id) AS nth
	FROM channels c
	WHERE c.kind <> 'direct' AND c.id > $2 AND ($1::text = '' OR strpos(lower(c.name), lower($1)) > 0)
	ORDER BY c.id LIMIT $3::int8 + 1
) p;
