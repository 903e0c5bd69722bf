-- What messages said before they were edited, and reactions. Both go with a message that is deleted.

CREATE TABLE message_edits (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	version bigint NOT NULL,                 -- of the message, while it said this
	at timestamptz NOT NULL,                 -- when it was written
	body jsonb NOT NULL,                     -- without files: an edit leaves them as they are
	PRIMARY KEY (channel_id, seq, version)
);

-- nth: the version of the message's reactions as of this one, by which they stand in their order.
CREATE TABLE reactions (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	user_id bigint NOT NULL,
	emoji text COLLATE "C" NOT NULL,
	nth bigint NOT NULL,
	PRIMARY KEY (channel_id, seq, user_id, emoji)
);
CREATE UNIQUE INDEX reactions_nth_key ON reactions (channel_id, seq, emoji, nth);

-- The sum of a message's reactions, as it is told. A table of its own: a reaction writes no message anew, and a message that has
-- none costs nothing. The row stays when the last reaction goes, for its version.
CREATE TABLE message_reactions (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	version bigint NOT NULL,
	list jsonb NOT NULL,
	PRIMARY KEY (channel_id, seq)
) WITH (fillfactor = 70);
