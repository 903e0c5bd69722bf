-- The first schema: people, sessions, channels, messages, and the event log with its stream mark.

CREATE TABLE users (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	handle text NOT NULL CHECK (handle ~ '^[a-z0-9][a-z0-9._-]{0,31}$'),
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	picture text,
	email text,
	email_verified boolean NOT NULL DEFAULT false,
	role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'admin', 'member', 'guest')),
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT now(),
	deactivated_at timestamptz
);
CREATE UNIQUE INDEX users_handle_key ON users (handle text_pattern_ops);

-- Who someone is at an OpenID provider. The key is (issuer, subject), never an e-mail address.
CREATE TABLE identities (
	issuer text NOT NULL,
	subject text NOT NULL,
	user_id bigint NOT NULL REFERENCES users,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_login_at timestamptz,
	PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user_id_idx ON identities (user_id);

-- One row per login under way: single use, bound to the browser by a cookie. Only hashes of what the browser holds.
CREATE TABLE login_attempts (
	state_hash bytea PRIMARY KEY CHECK (length(state_hash) = 32),
	browser_hash bytea NOT NULL CHECK (length(browser_hash) = 32),
	nonce text NOT NULL,
	code_verifier text NOT NULL,
	return_to text NOT NULL,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz NOT NULL
);
CREATE INDEX login_attempts_expires_at_idx ON login_attempts (expires_at);

-- Browser sessions and personal access tokens: one kind of thing with one id, so that a stream can be ended by it.
-- Only the SHA-256 of the secret is kept.
CREATE TABLE sessions (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	secret_hash bytea NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
	kind text NOT NULL CHECK (kind IN ('session', 'token')),
	user_id bigint NOT NULL REFERENCES users,
	name text NOT NULL DEFAULT '',           -- of a token: what it is for; of a session: the browser
	scopes text[] NOT NULL,
	issuer text,                             -- of a session: where it came from, for back-channel logout
	provider_sid text,
	created_at timestamptz NOT NULL DEFAULT now(),
	last_used_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,                  -- the absolute end; a token may have none
	idle_limit interval,                     -- ends after so long without use; null: never
	revoked_at timestamptz
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_provider_sid_idx ON sessions (issuer, provider_sid) WHERE provider_sid IS NOT NULL;

CREATE TABLE channels (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind text NOT NULL CHECK (kind IN ('public', 'private', 'direct')),
	name text CHECK (length(name) BETWEEN 1 AND 80),
	topic text NOT NULL DEFAULT '' CHECK (length(topic) <= 250),
	direct_low bigint REFERENCES users,
	direct_high bigint REFERENCES users,
	version bigint NOT NULL DEFAULT 1,
	seq_floor bigint NOT NULL DEFAULT 0,     -- the last seq where the rows themselves are gone
	mls_epoch bigint,                        -- null: not encrypted
	created_by bigint REFERENCES users,
	created_at timestamptz NOT NULL DEFAULT now(),
	archived_at timestamptz,
	CHECK ((kind = 'direct') = (name IS NULL)),
	CHECK ((kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL AND direct_low <= direct_high))
);
CREATE UNIQUE INDEX channels_name_key ON channels (lower(name)) WHERE name IS NOT NULL;
CREATE UNIQUE INDEX channels_direct_key ON channels (direct_low, direct_high) WHERE kind = 'direct';
CREATE INDEX channels_direct_high_idx ON channels (direct_high) WHERE kind = 'direct';
CREATE INDEX channels_created_by_idx ON channels (created_by);
CREATE INDEX channels_public_idx ON channels (id) WHERE kind = 'public' AND archived_at IS NULL;

-- since: the id of the event of the join. A member is entitled to what the log holds after it.
CREATE TABLE members (
	channel_id bigint NOT NULL REFERENCES channels,
	user_id bigint NOT NULL REFERENCES users,
	role text NOT NULL DEFAULT 'member' CHECK (role IN ('owner', 'moderator', 'member')),
	since bigint NOT NULL,
	joined_at timestamptz NOT NULL DEFAULT now(),
	last_read_seq bigint NOT NULL DEFAULT 0,
	PRIMARY KEY (channel_id, user_id)
) WITH (fillfactor = 80);
CREATE INDEX members_user_id_idx ON members (user_id, channel_id);

-- No foreign keys: write_batch has judged, and the keys would double its cost (doc/events.md).
-- The newest row of a channel is never deleted: its seq is the channel's counter.
CREATE SEQUENCE message_ids CACHE 1;
CREATE TABLE messages (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL CHECK (seq > 0),
	id bigint NOT NULL DEFAULT nextval('message_ids'),
	sender bigint NOT NULL,
	client_id uuid NOT NULL,
	digest bytea CHECK (length(digest) = 16), -- of what was sent; goes when the message is deleted
	version bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL,
	edited_at timestamptz,
	deleted_at timestamptz,
	body jsonb CHECK (body IS NULL OR jsonb_typeof(body) = 'object'),
	PRIMARY KEY (channel_id, seq),
	UNIQUE (channel_id, sender, client_id)
);
ALTER SEQUENCE message_ids OWNED BY messages.id;

-- The stream's epoch: a mark, and what shows that this database is another one than the mark was drawn for.
CREATE TABLE stream (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	mark text NOT NULL CHECK (mark ~ '^[a-z2-7]{8}$'),
	system_identifier bigint NOT NULL,
	timeline text NOT NULL,
	database_oid oid NOT NULL,
	floor bigint NOT NULL DEFAULT 0          -- the last event id where the rows themselves are gone
);

-- The log: ids without a gap and in commit order, references only. audience: 0 the channel's members, -1 everyone, else one user.
CREATE TABLE events (
	id bigint NOT NULL,
	kind "char" NOT NULL,
	type text NOT NULL,
	channel_id bigint NOT NULL DEFAULT 0,
	audience bigint NOT NULL DEFAULT 0,
	subject bigint NOT NULL DEFAULT 0,       -- the user, seq or session that it is about
	data jsonb,                              -- only what the row does not hold
	at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (id)
) PARTITION BY RANGE (id);
