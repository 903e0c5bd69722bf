-- What a process that delivers events asks: windows of the log, memberships with the log's head, its own round trip.
-- A window looks at ids, never past them: ids have no holes, so whatever a reader may see of it, his cursor moves to its end.
-- It ends early at row_limit rows or byte_limit bytes of text. Head and first are of the statement's own snapshot.
-- OFFSET 0 where the head stands: it is asked once, not for every row.

-- All events of a window, for a process's memory of the newest.
-- name: live_window
-- in: after int8, upto int8, row_limit int8, byte_limit int8
-- out: head int8, first int8, mark text, found int8, row_limit int8
-- out: id int8, kind text, type text, channel int8, audience int8, subject int8, tail text
-- out: channel_id int8, seq int8, message_id int8, sender int8, client_id text, created_us int8, version int8, body text, edited_us int8, deleted_by int8
-- out: reactions text, reactions_version int8, thread int8, aside bool, replies text
WITH w AS (
	SELECT e.id, e.kind::text AS kind, e.type, e.channel_id AS channel, e.audience, e.subject, event_tail(e) AS tail,
		e.at, m.channel_id, m.seq, m.id AS message_id, m.sender, m.client_id::text AS client_id, m.created_at, m.version,
		m.body::text AS body, m.edited_at, m.deleted_at, m.deleted_by, re.list::text AS reactions, re.version AS reactions_version,
		m.thread, m.aside, th.replies
	FROM events e
	LEFT JOIN messages m ON e.type IN ('message', 'message.updated', 'message.deleted')
		AND m.channel_id = e.channel_id AND m.seq = e.subject
	LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
	LEFT JOIN LATERAL (SELECT replies_json(t)::text AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
	WHERE e.id > $1 AND e.id <= $2 ORDER BY e.id LIMIT $3
), s AS (
	SELECT w.*, sum(octet_length(coalesce(w.body, w.tail, '')) + 200) OVER (ORDER BY w.id)
		- octet_length(coalesce(w.body, w.tail, '')) - 200 AS before FROM w
)
SELECT h.head, h.first, h.mark, (SELECT count(*) FROM w) AS found, $3 AS row_limit,
	s.id, s.kind, s.type, s.channel, s.audience, s.subject, s.tail,
	coalesce(s.channel_id, s.channel) AS channel_id, coalesce(s.seq, s.subject) AS seq, coalesce(s.message_id, 0) AS message_id,
	coalesce(s.sender, 0) AS sender, s.client_id, (extract(epoch FROM coalesce(s.created_at, s.at)) * 1000000)::int8 AS created_us,
	coalesce(s.version, 1) AS version, s.body, (extract(epoch FROM s.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN s.deleted_at IS NOT NULL OR s.seq IS NULL THEN coalesce(s.deleted_by, 0) END AS deleted_by,
	s.reactions, s.reactions_version, s.thread, s.aside, s.replies
FROM (SELECT stream_head() AS head, t.mark, coalesce((SELECT f.id FROM events f ORDER BY f.id LIMIT 1), t.floor + 1) AS first
	FROM stream t OFFSET 0) h
LEFT JOIN s ON s.before < $4 ORDER BY s.id;

-- What one user may see of a window, by his memberships of the same snapshot. The subject of kinds r and a is a seq.
-- name: live_user_window
-- in: user_id int8, after int8, upto int8, row_limit int8, byte_limit int8
-- out: head int8, first int8, mark text, found int8, row_limit int8
-- out: id int8, kind text, type text, channel int8, audience int8, subject int8, tail text
-- out: channel_id int8, seq int8, message_id int8, sender int8, client_id text, created_us int8, version int8, body text, edited_us int8, deleted_by int8
-- out: reactions text, reactions_version int8, thread int8, aside bool, replies text
WITH w AS (
	SELECT e.id, e.kind::text AS kind, e.type, e.channel_id AS channel, e.audience, e.subject, event_tail(e) AS tail,
		e.at, m.channel_id, m.seq, m.id AS message_id, m.sender, m.client_id::text AS client_id, m.created_at, m.version,
		m.body::text AS body, m.edited_at, m.deleted_at, m.deleted_by, re.list::text AS reactions, re.version AS reactions_version,
		m.thread, m.aside, th.replies
	FROM events e
	LEFT JOIN members own ON own.user_id = $1 AND own.channel_id = e.channel_id
	LEFT JOIN messages m ON e.type IN ('message', 'message.updated', 'message.deleted')
		AND m.channel_id = e.channel_id AND m.seq = e.subject
	LEFT JOIN LATERAL (SELECT t.list, t.version FROM message_reactions t WHERE t.channel_id = m.channel_id AND t.seq = m.seq OFFSET 0) re ON true
	LEFT JOIN LATERAL (SELECT replies_json(t)::text AS replies FROM threads t WHERE t.channel_id = m.channel_id AND t.root = m.seq OFFSET 0) th ON true
	WHERE e.id > $2 AND e.id <= $3 AND (e.audience IN ($1, -2) OR (e.audience = -1 AND NOT (SELECT is_guest($1)))
		OR (e.audience = 0 AND e.id > own.since AND (e.kind NOT IN ('r', 'a') OR e.subject >= own.first_seq))
		OR (e.kind IN ('j', 'l') AND e.subject = $1))
	ORDER BY e.id LIMIT $4
), s AS (
	SELECT w.*, sum(octet_length(coalesce(w.body, w.tail, '')) + 200) OVER (ORDER BY w.id)
		- octet_length(coalesce(w.body, w.tail, '')) - 200 AS before FROM w
)
SELECT h.head, h.first, h.mark, (SELECT count(*) FROM w) AS found, $4 AS row_limit,
	s.id, s.kind, s.type, s.channel, s.audience, s.subject, s.tail,
	coalesce(s.channel_id, s.channel) AS channel_id, coalesce(s.seq, s.subject) AS seq, coalesce(s.message_id, 0) AS message_id,
	coalesce(s.sender, 0) AS sender, s.client_id, (extract(epoch FROM coalesce(s.created_at, s.at)) * 1000000)::int8 AS created_us,
	coalesce(s.version, 1) AS version, s.body, (extract(epoch FROM s.edited_at) * 1000000)::int8 AS edited_us,
	CASE WHEN s.deleted_at IS NOT NULL OR s.seq IS NULL THEN coalesce(s.deleted_by, 0) END AS deleted_by,
	s.reactions, s.reactions_version, s.thread, s.aside, s.replies
FROM (SELECT stream_head() AS head, t.mark, coalesce((SELECT f.id FROM events f ORDER BY f.id LIMIT 1), t.floor + 1) AS first
	FROM stream t OFFSET 0) h
LEFT JOIN s ON s.before < $5 ORDER BY s.id;

-- A user's memberships together with the log's head: one row at least, channel null where there is none.
-- name: live_user
-- in: user_id int8
-- out: head int8, mark text, channel int8, since int8, guest bool, first_seq int8
SELECT h.head, h.mark, m.channel_id AS channel, m.since, (SELECT is_guest($1)) AS guest, m.first_seq
FROM (SELECT stream_head() AS head, t.mark FROM stream t OFFSET 0) h LEFT JOIN members m ON m.user_id = $1 ORDER BY m.channel_id;

-- name: live_head
-- out: head int8, mark text
SELECT stream_head() AS head, t.mark FROM stream t;

-- The epoch's mark, drawn anew where this is another database.
-- name: live_open
-- out: mark text, head int8
SELECT stream_open() AS mark, stream_head() AS head;

-- The same where the log has been seen to go back under this mark.
-- name: live_renew
-- in: stale text
-- out: mark text, head int8
SELECT stream_renew($1) AS mark, stream_head() AS head;

-- A process's notification to itself, by which it knows that its listener hears. subject: its own number. backend: where it
-- is another one than the connection was told, a pooler stands between.
-- name: live_self_test
-- in: subject int8
-- out: sent text, head int8, mark text, backend int4
SELECT pg_notify('pulsechat', '0 t 0 0 ' || $1::int8::text)::text AS sent, stream_head() AS head, t.mark, pg_backend_pid() AS backend
FROM stream t;

-- A session by its id, columns as session_find: for a stream whose session's end has come, or may have.
-- name: live_session
-- in: session int8
-- out: id int8, user_id int8, kind text, role text, reads bool, writes bool, expires_us int8, state text, stale bool, left_ms int8, files bool, admin bool
-- out: by_provider bool
SELECT s.id, s.user_id, s.kind, u.role, 'read' = ANY (s.scopes) AS reads, 'write' = ANY (s.scopes) AS writes,
	(extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us,
	CASE WHEN u.deactivated_at IS NOT NULL THEN 'deactivated'
		WHEN s.revoked_at IS NOT NULL OR s.expires_at <= now() OR s.last_used_at + s.idle_limit <= now() THEN 'ended'
		ELSE 'live' END AS state,
	s.last_used_at < now() - least(interval '1 minute', s.idle_limit / 4) OR (s.kind = 'token' AND s.last_used_at = s.created_at) AS stale,
	ceil(extract(epoch FROM s.expires_at - now()) * 1000)::int8 AS left_ms,
	s.kind = 'session' OR 'files' = ANY (s.scopes) AS files, s.kind = 'session' OR 'admin' = ANY (s.scopes) AS admin,
	s.issuer IS NOT NULL AS by_provider
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.id = $1;
