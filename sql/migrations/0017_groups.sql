-- Groups of people, and mentions that reach many: of a group, of who is here, of a whole channel.

CREATE TABLE user_groups (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	handle text NOT NULL CHECK (handle ~ '^[a-z0-9][a-z0-9._-]{0,31}$'), -- nobody's else, of people too: handle_lock()
	name text NOT NULL CHECK (length(name) BETWEEN 1 AND 80),
	version bigint NOT NULL DEFAULT 1,       -- counts changes of its members too
	created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX user_groups_handle_key ON user_groups (handle text_pattern_ops);

CREATE TABLE user_group_members (
	group_id bigint NOT NULL REFERENCES user_groups ON DELETE CASCADE,
	user_id bigint NOT NULL REFERENCES users,
	PRIMARY KEY (group_id, user_id)
);
CREATE INDEX user_group_members_user_id_idx ON user_group_members (user_id);

-- Messages that name their whole channel: one row each, however many that reaches. It goes with the message, and with an edit
-- that names the channel no more.
CREATE TABLE wide_mentions (
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	sender bigint NOT NULL,
	PRIMARY KEY (channel_id, seq)
);

-- Who may name the channel, and who is here. Of a direct channel nobody does.
ALTER TABLE channels ADD mention_all text NOT NULL DEFAULT 'everyone' CHECK (mention_all IN ('everyone', 'moderators'));
