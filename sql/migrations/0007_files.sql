-- Files (doc/files.md): what is in the object store has a row here.

-- state: pending (an address was given), checking (a process looks at what was uploaded), ready, attached (in a message), erased (out
-- of sight, its object is deleted or about to be).
CREATE TABLE files (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	owner bigint NOT NULL REFERENCES users,
	client_id uuid NOT NULL,
	channel_id bigint NOT NULL REFERENCES channels,
	seq bigint CHECK (seq > 0),              -- of its message
	thumbnail_of bigint REFERENCES files ON DELETE SET NULL,
	name text NOT NULL CHECK (octet_length(name) BETWEEN 1 AND 255),
	size bigint NOT NULL CHECK (size >= 0),
	declared_type text NOT NULL,             -- as it was uploaded
	type text NOT NULL,                      -- as it turned out to be; the same until then
	sha256 bytea CHECK (length(sha256) = 32), -- null where it comes in parts
	width int CHECK (width > 0),
	height int CHECK (height > 0),
	duration double precision CHECK (duration >= 0),
	key text NOT NULL UNIQUE,                -- the object's name
	upload_id text,                          -- of its multipart upload
	part_size bigint CHECK (part_size > 0),  -- null: in one piece
	state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'checking', 'ready', 'attached', 'erased')),
	checks int NOT NULL DEFAULT 0,           -- how many were begun: only the last one's outcome counts
	check_until timestamptz,                 -- the lease of the one under way
	differs text CHECK (differs IN ('size', 'sha256', 'type')), -- why it was erased by a check
	put_until timestamptz NOT NULL,          -- an address that it can be uploaded to holds until then
	created_at timestamptz NOT NULL DEFAULT date_trunc('milliseconds', clock_timestamp()),
	completed_at timestamptz,
	erased_at timestamptz,
	erase_tries int NOT NULL DEFAULT 0,
	erase_at timestamptz,                    -- when the store is to be asked next; null: there is nothing in it
	UNIQUE (owner, client_id),
	CHECK (state <> 'attached' OR seq IS NOT NULL),
	CHECK ((state = 'erased') = (erased_at IS NOT NULL))
);
CREATE INDEX files_owner_idx ON files (owner, id);
CREATE INDEX files_day_idx ON files (owner, created_at);
CREATE INDEX files_message_idx ON files (channel_id, seq);
CREATE INDEX files_thumbnail_idx ON files (thumbnail_of) WHERE thumbnail_of IS NOT NULL;
CREATE INDEX files_loose_idx ON files (created_at) WHERE state IN ('pending', 'checking', 'ready');
CREATE INDEX files_erase_idx ON files (erase_at) WHERE erase_at IS NOT NULL;
CREATE INDEX files_gone_idx ON files (created_at) WHERE state = 'erased' AND erase_at IS NULL;

-- What the parts of a multipart upload were declared to be.
CREATE TABLE file_parts (
	file_id bigint NOT NULL REFERENCES files ON DELETE CASCADE,
	number int NOT NULL CHECK (number BETWEEN 1 AND 10000),
	size bigint NOT NULL CHECK (size > 0),
	sha256 bytea NOT NULL CHECK (length(sha256) = 32),
	PRIMARY KEY (file_id, number)
);
