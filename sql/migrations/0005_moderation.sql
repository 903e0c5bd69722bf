-- Roles at work: who is muted or banned, what was reported, and who did what as an admin or moderator.

-- Who acts, and how: null, the pulsechat command. admin: the role of admin counts, where he has it (a token may lack the scope).
CREATE TYPE acting AS (user_id bigint, admin boolean, request text, address text);

-- Until when someone may not write, on the site and in a channel; infinity: until it is lifted. Here since each send looks at both
-- rows anyway; what they say follows `restrictions`.
ALTER TABLE users ADD muted_until timestamptz;
ALTER TABLE members ADD muted_until timestamptz;
-- For write_batch: whether anybody in a batch may not write at all, without a look at everybody's row.
DROP INDEX users_deactivated_idx;
CREATE INDEX users_silent_idx ON users (id) WHERE deactivated_at IS NOT NULL OR muted_until IS NOT NULL;
CREATE INDEX users_guest_idx ON users (id) WHERE role = 'guest';
CREATE INDEX users_owner_idx ON users (id) WHERE role = 'owner';

-- Mutes and bans outlive a membership. channel_id 0: the site, mutes alone. One whose time is over is as good as none.
CREATE TABLE restrictions (
	channel_id bigint NOT NULL,
	user_id bigint NOT NULL REFERENCES users,
	kind text NOT NULL CHECK (kind IN ('mute', 'ban')),
	until timestamptz NOT NULL,              -- infinity: until it is lifted
	reason text NOT NULL CHECK (length(reason) <= 500),
	by_user bigint REFERENCES users,         -- null: the pulsechat command
	at timestamptz NOT NULL,
	PRIMARY KEY (channel_id, kind, user_id),
	CHECK (channel_id <> 0 OR kind = 'mute')
);
CREATE INDEX restrictions_user_id_idx ON restrictions (user_id);
CREATE INDEX restrictions_by_user_idx ON restrictions (by_user);

-- evidence: the message's body as it was then; the message itself may go.
CREATE TABLE reports (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	channel_id bigint NOT NULL REFERENCES channels,
	seq bigint NOT NULL,
	sender bigint NOT NULL REFERENCES users,
	sent_at timestamptz NOT NULL,
	evidence jsonb NOT NULL,
	reporter bigint NOT NULL REFERENCES users,
	reason text NOT NULL CHECK (reason IN ('spam', 'abuse', 'private', 'illegal', 'other')),
	words text NOT NULL CHECK (length(words) <= 1000),
	at timestamptz NOT NULL,
	action text CHECK (action IN ('dismiss', 'delete', 'mute', 'remove', 'ban', 'deactivate')), -- null: open
	resolved_by bigint REFERENCES users,
	resolved_at timestamptz,
	note text CHECK (length(note) <= 500),
	CHECK ((action IS NULL) = (resolved_at IS NULL))
);
CREATE UNIQUE INDEX reports_open_key ON reports (channel_id, seq, reporter) WHERE action IS NULL;
CREATE INDEX reports_open_idx ON reports (id) WHERE action IS NULL;
CREATE INDEX reports_channel_id_idx ON reports (channel_id, id);
CREATE INDEX reports_sender_idx ON reports (sender);
CREATE INDEX reports_reporter_idx ON reports (reporter, id);
CREATE INDEX reports_resolved_by_idx ON reports (resolved_by);

-- What was done by the power of a role. Only ever added to: not even who owns the table changes or empties it. No foreign keys, so
-- that nothing else is kept for its sake.
CREATE TABLE audit (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	at timestamptz NOT NULL,
	actor bigint,                            -- null: the pulsechat command
	action text NOT NULL CHECK (action ~ '^[a-z]+[.][a-z_]+$'),
	target bigint,                           -- the user
	channel_id bigint,
	details jsonb NOT NULL CHECK (jsonb_typeof(details) = 'object'),
	request_id text,
	address text
);
CREATE INDEX audit_actor_idx ON audit (actor, id);
CREATE INDEX audit_target_idx ON audit (target, id);
CREATE INDEX audit_action_idx ON audit (action, id);
CREATE INDEX audit_channel_id_idx ON audit (channel_id, id);
CREATE INDEX audit_at_idx ON audit (at);

CREATE FUNCTION audit_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is only ever added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final();
-- also where a session says that it replays a replica's changes, which skips ordinary triggers
ALTER TABLE audit ENABLE ALWAYS TRIGGER audit_is_final;

-- Who deleted a message: its sender, or somebody by his role.
ALTER TABLE messages ADD deleted_by bigint;
