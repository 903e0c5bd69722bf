-- What `pulsechat migrate` runs, before there is a schema.

-- name: schema_lock
-- out: lock void
SELECT pg_advisory_lock(8020600000);

-- name: schema_history
CREATE TABLE IF NOT EXISTS schema_history (
	path text PRIMARY KEY,
	checksum text NOT NULL,
	applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: schema_recorded
-- in: path text
-- out: checksum text
SELECT checksum FROM schema_history WHERE path = $1;

-- name: schema_record
-- in: path text, checksum text
INSERT INTO schema_history (path, checksum) VALUES ($1, $2)
ON CONFLICT (path) DO UPDATE SET checksum = $2, applied_at = now();

-- name: schema_stream
-- out: mark text, ahead int4
SELECT stream_open(), events_extend();
