-- Custom emoji: pictures by a name, of the whole site. Their files are the site's from then on (state `emoji`), and in no message.

ALTER TABLE files DROP CONSTRAINT files_state_check,
	ADD CONSTRAINT files_state_check CHECK (state IN ('pending', 'checking', 'ready', 'attached', 'emoji', 'erased'));

CREATE TABLE custom_emoji (
	name text COLLATE "C" PRIMARY KEY CHECK (name ~ '^[a-z0-9_+-]{1,32}$'),
	file_id bigint NOT NULL UNIQUE REFERENCES files,
	creator bigint NOT NULL REFERENCES users,
	version bigint NOT NULL UNIQUE,          -- of all of them, as of this one
	at timestamptz NOT NULL
);
CREATE INDEX custom_emoji_creator_idx ON custom_emoji (creator);

-- Its row is locked by whoever adds or removes one; each of these makes the version one higher.
CREATE TABLE custom_emoji_list (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	version bigint NOT NULL
);
INSERT INTO custom_emoji_list (version) VALUES (0);
