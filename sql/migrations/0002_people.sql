-- Presence, read receipts and unread counts, mentions.

-- What a person shows of himself, and to whom. No row: the defaults.
CREATE TABLE user_settings (
	user_id bigint PRIMARY KEY REFERENCES users,
	version bigint NOT NULL DEFAULT 1,
	invisible boolean NOT NULL DEFAULT false,
	dnd_until timestamptz,                   -- infinity: until it is switched off
	status_emoji text CHECK (length(status_emoji) BETWEEN 1 AND 32),
	status_text text NOT NULL DEFAULT '' CHECK (length(status_text) <= 100),
	status_until timestamptz,
	read_receipts boolean NOT NULL DEFAULT true
);

-- An IANA name, for the local time that others see.
ALTER TABLE users ADD time_zone text CHECK (length(time_zone) BETWEEN 1 AND 64);

-- A process that holds connections. What it says of users holds as long as this does: one row is renewed, not one per user.
-- Lost in a crash of the database, as the leases are: then for a while nobody is judged (doc/presence.md).
CREATE UNLOGGED TABLE presence_nodes (
	node bigint PRIMARY KEY,
	expires_at timestamptz NOT NULL
);

-- That someone is there by a process. node 0: by none, each row ends by itself (plain polls under CGI).
CREATE UNLOGGED TABLE presence_leases (
	user_id bigint NOT NULL,
	node bigint NOT NULL,
	active_at timestamptz NOT NULL,          -- the last input
	expires_at timestamptz,                  -- null: with the node; else the grace after the last instance
	PRIMARY KEY (user_id, node)
);
CREATE INDEX presence_leases_node_idx ON presence_leases (node);
CREATE INDEX presence_leases_expires_at_idx ON presence_leases (expires_at) WHERE expires_at IS NOT NULL;

-- When somebody last looked for what has run out, and from when on who is not there counts as gone. Lost with the leases.
CREATE UNLOGGED TABLE presence_watch (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	swept_at timestamptz NOT NULL,
	judged_from timestamptz NOT NULL
);

-- What was told to others last; changed where it changes, so a crash of the database changes nothing for anyone.
CREATE TABLE presence (
	user_id bigint PRIMARY KEY REFERENCES users,
	state text NOT NULL DEFAULT 'offline' CHECK (state IN ('online', 'away', 'offline')),
	last_active timestamptz
) WITH (fillfactor = 70);
CREATE INDEX presence_present_idx ON presence (user_id) WHERE state <> 'offline';

-- Of a member: counted_own of his own messages stand between his marker and counted_seq, so that only what came since has to be looked
-- at (an index by sender would cost each send a quarter more); unread_from, from where he marked as unread (null: the marker says);
-- delivered_seq, in direct channels; read_version counts every change of marker, mark and counters that is told to his own instances.
ALTER TABLE members
	ADD unread_from bigint,
	ADD delivered_seq bigint NOT NULL DEFAULT 0,
	ADD read_receipts boolean NOT NULL DEFAULT true,
	ADD read_version bigint NOT NULL DEFAULT 0,
	ADD counted_seq bigint NOT NULL DEFAULT 0,
	ADD counted_own bigint NOT NULL DEFAULT 0;

CREATE TABLE mentions (
	user_id bigint NOT NULL,
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (user_id, channel_id, seq)
);

-- For counting without a look at the messages: deleted ones above a marker.
CREATE INDEX messages_deleted_idx ON messages (channel_id, seq) INCLUDE (sender) WHERE deleted_at IS NOT NULL;
