-- What people keep: drafts, pinned messages, messages that they have saved.

-- A draft outlives its text: its version refuses what was written before it was sent. It also outlives a membership, without being told
-- meanwhile.
CREATE TABLE drafts (
	user_id bigint NOT NULL REFERENCES users,
	channel_id bigint NOT NULL,
	thread bigint NOT NULL DEFAULT 0,        -- 0: of the channel itself
	version bigint NOT NULL CHECK (version > 0),
	text text NOT NULL,
	files bigint[] NOT NULL,
	edited_at timestamptz NOT NULL,
	PRIMARY KEY (user_id, channel_id, thread)
);

-- All that is pinned in a channel, in the order it was: {"seq","by","at"}. The row stays when the last one has gone, for its version.
CREATE TABLE pins (
	channel_id bigint PRIMARY KEY,
	version bigint NOT NULL,
	list jsonb NOT NULL
) WITH (fillfactor = 70);

-- nth: the version of the person's list as of this one, by which they stand in their order.
CREATE TABLE saves (
	user_id bigint NOT NULL REFERENCES users,
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	nth bigint NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (user_id, channel_id, seq)
);
CREATE UNIQUE INDEX saves_nth_key ON saves (user_id, nth);
CREATE INDEX saves_message_idx ON saves (channel_id, seq);
CREATE TABLE save_lists (
	user_id bigint PRIMARY KEY REFERENCES users,
	version bigint NOT NULL
);
