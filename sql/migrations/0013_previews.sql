-- Previews of what messages link to. A preview itself stands in its message's body: Preview, or null where its author took it away.

-- Messages with a link whose page has not been looked at. claimed_until: a process is at it; tries: how many have been.
CREATE TABLE preview_jobs (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	at timestamptz NOT NULL DEFAULT now(),
	claimed_until timestamptz NOT NULL DEFAULT '-infinity',
	tries int NOT NULL DEFAULT 0,
	PRIMARY KEY (channel_id, seq)
);
CREATE INDEX preview_jobs_at_idx ON preview_jobs (at);

-- What pages said, for a while. preview null: nothing that could be shown. asked_by: whose message had it fetched.
CREATE TABLE preview_pages (
	url_hash bytea PRIMARY KEY,              -- SHA-256
	host text NOT NULL,
	asked_by bigint NOT NULL,
	fetched_at timestamptz NOT NULL,
	expires_at timestamptz NOT NULL,
	preview jsonb
);
CREATE INDEX preview_pages_asked_by_idx ON preview_pages (asked_by, fetched_at);
CREATE INDEX preview_pages_host_idx ON preview_pages (host, fetched_at);
CREATE INDEX preview_pages_expires_at_idx ON preview_pages (expires_at);
