-- Upkeep and self-tests: `pulsechat maintain` and `doctor`, and the hourly thread of pulsechat-api.

-- One at a time, whoever else does it. The lock goes with the connection.
-- name: maintain_lock
-- out: locked bool
SELECT pg_try_advisory_lock(8020600004) AS locked;

-- name: maintain_unlock
-- out: unlocked bool
SELECT pg_advisory_unlock(8020600004) AS unlocked;

-- Partitions of the log whose newest event is older than the retention, never the one with the newest event of all, and what
-- an interrupted run left behind; the commands that take them away (DETACH … CONCURRENTLY must stand in no transaction).
-- detach: null where it is detached already.
-- name: events_outdated
-- in: retention_ms int8
-- out: name text, detach text, drop text
WITH part AS (
	SELECT c.relname::text AS name, substring(c.relname FROM '^events_([0-9]+)$')::int8 AS top, i.inhparent IS NOT NULL AS attached,
		coalesce(i.inhdetachpending, false) AS pending
	FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid AND i.inhparent = 'events'::regclass
	WHERE c.relkind = 'r' AND c.relnamespace = (SELECT e.relnamespace FROM pg_class e WHERE e.oid = 'events'::regclass)
		AND c.relname ~ '^events_[0-9]+$'
)
SELECT p.name,
	CASE WHEN p.pending THEN format('ALTER TABLE events DETACH PARTITION %I FINALIZE', p.name)
		WHEN p.attached THEN format('ALTER TABLE events DETACH PARTITION %I CONCURRENTLY', p.name) END AS detach,
	format('DROP TABLE %I', p.name) AS drop
FROM part p
WHERE p.top < stream_head() AND (NOT p.attached OR p.pending OR
	(SELECT e.at FROM events e WHERE e.id <= p.top ORDER BY e.id DESC LIMIT 1) < now() - $1::int8 * interval '1 millisecond')
ORDER BY p.top;

-- name: login_attempts_sweep
-- out: swept int8
WITH gone AS (DELETE FROM login_attempts WHERE expires_at <= now() RETURNING 1) SELECT count(*) AS swept FROM gone;

-- Sessions and tokens that ended a month ago; a provider's, of which there may be one an hour, a day ago.
-- name: sessions_sweep
-- out: swept int8
WITH gone AS (
	DELETE FROM sessions s WHERE least(s.revoked_at, s.expires_at, s.last_used_at + s.idle_limit) < now() - interval '30 days'
		OR (s.kind = 'access' AND s.expires_at < now() - interval '1 day')
	RETURNING 1)
SELECT count(*) AS swept FROM gone;

-- name: logout_tokens_sweep
-- out: swept int8
WITH gone AS (DELETE FROM logout_tokens WHERE expires_at < now() - interval '1 hour' RETURNING 1) SELECT count(*) AS swept FROM gone;

-- Messages that are older than their channel keeps them: most at a time.
-- name: retention_sweep
-- in: most int8
-- out: swept int8
SELECT retention_sweep($1::int8::int4) AS swept;

-- For /healthz: below 2 nobody has seen to new partitions for long.
-- name: health
-- out: spare int4
SELECT events_spare() AS spare;

-- What doctor looks at. ahead: how many events fit into the partitions that are there; offset_us: the server's clock.
-- name: doctor_stream
-- out: mark text, head int8, ahead int8, now_us int8, version text, spare int4
SELECT (SELECT s.mark FROM stream s) AS mark, stream_head() AS head,
	coalesce((SELECT max(substring(c.relname FROM '^events_([0-9]+)$')::int8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
		WHERE i.inhparent = 'events'::regclass), 0) - stream_head() AS ahead,
	(extract(epoch FROM clock_timestamp()) * 1000000)::int8 AS now_us, current_setting('server_version') AS version,
	events_spare() AS spare;

-- The bus, as doctor tries it: one connection listens, another notifies.
-- name: doctor_listen
LISTEN pulsechat_doctor;

-- backend: where it is another one than the connection was told, a pooler stands between.
-- name: doctor_notify
-- out: sent text, backend int4
SELECT pg_notify('pulsechat_doctor', '')::text AS sent, pg_backend_pid() AS backend;

-- name: drafts_forget
-- in: retention_ms int8
-- out: forgotten int8
SELECT drafts_forget($1) AS forgotten;
