-- Threads: replies to a message (doc/protocol.md, section 7).

-- thread: the seq of the root that it replies to. aside: it stands in its thread alone, not in the channel's line too; null: no reply.
ALTER TABLE messages ADD COLUMN thread bigint, ADD COLUMN aside boolean;
-- Partial ones: a message that is no reply pays nothing for them.
CREATE INDEX messages_thread_idx ON messages (channel_id, thread, seq) WHERE thread IS NOT NULL;
CREATE INDEX messages_aside_idx ON messages (channel_id, seq) INCLUDE (sender) WHERE aside;

-- What is told of a root's replies. The row stays when the last reply goes, for its version.
CREATE TABLE threads (
	channel_id bigint NOT NULL,
	root bigint NOT NULL,
	version bigint NOT NULL,
	replies bigint NOT NULL,                 -- that are not deleted; the same for all below
	last_seq bigint NOT NULL,                -- of the last one; 0: there is none
	last_at timestamptz,
	last_id bigint NOT NULL DEFAULT 0,       -- the message's id, by which lists of threads go on
	users bigint[] NOT NULL,                 -- the first who replied, in that order
	PRIMARY KEY (channel_id, root)
) WITH (fillfactor = 70);

-- Who follows a thread, or has followed it. version: what is told to his own instances.
CREATE TABLE thread_followers (
	user_id bigint NOT NULL,
	channel_id bigint NOT NULL,
	root bigint NOT NULL,
	following boolean NOT NULL,
	read_seq bigint NOT NULL,
	version bigint NOT NULL DEFAULT 1,
	PRIMARY KEY (user_id, channel_id, root)
) WITH (fillfactor = 70);
CREATE INDEX thread_followers_user_idx ON thread_followers (user_id) WHERE following;
