-- Signing in: documents of the provider, invitations, passwords of local accounts.

-- What the provider says of itself, fetched by one process for all. Lost in a crash of the database: then it is fetched anew.
CREATE UNLOGGED TABLE provider_documents (
	issuer text NOT NULL,
	what text NOT NULL CHECK (what IN ('discovery', 'jwks')),
	body text,                               -- null: none yet
	due_at timestamptz,                      -- when it is to be fetched anew
	newer_at timestamptz,                    -- when it was last fetched because something was missing in it
	claimed_until timestamptz,               -- a process is at it
	PRIMARY KEY (issuer, what)
);

-- Links that let somebody in. Only the SHA-256 of the code is kept.
CREATE TABLE invites (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	code_hash bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
	note text NOT NULL DEFAULT '' CHECK (length(note) <= 200),
	role text NOT NULL DEFAULT 'member' CHECK (role IN ('member', 'guest')),
	uses integer NOT NULL DEFAULT 0,
	max_uses integer CHECK (max_uses > 0),   -- null: any number
	created_by bigint REFERENCES users,      -- null: by the command line
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,                  -- null: never
	revoked_at timestamptz
);
CREATE INDEX invites_created_by_idx ON invites (created_by);

-- By which invitation somebody came.
ALTER TABLE users ADD invite_id bigint REFERENCES invites;
CREATE INDEX users_invite_id_idx ON users (invite_id) WHERE invite_id IS NOT NULL;

-- The role that the provider's groups gave at the last log-in; null: none.
ALTER TABLE identities ADD group_role text CHECK (group_role IN ('owner', 'admin', 'member', 'guest'));

-- The invitation that a log-in under way began with.
ALTER TABLE login_attempts ADD invite_hash bytea CHECK (length(invite_hash) = 32);
CREATE INDEX login_attempts_browser_hash_idx ON login_attempts (browser_hash);

-- Local accounts (off by default): argon2id in its encoded form.
CREATE TABLE passwords (
	user_id bigint PRIMARY KEY REFERENCES users,
	hash text NOT NULL CHECK (hash LIKE '$argon2id$%'),
	changed_at timestamptz NOT NULL DEFAULT now()
);

-- Tries at passwords that did not succeed, by the hash of the name that was typed, whether there is such an account or not.
CREATE UNLOGGED TABLE password_tries (
	name_hash bytea PRIMARY KEY CHECK (length(name_hash) = 32),
	tries integer NOT NULL,
	last_at timestamptz NOT NULL
);
CREATE INDEX password_tries_last_at_idx ON password_tries (last_at);
