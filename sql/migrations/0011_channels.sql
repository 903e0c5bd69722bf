-- Channels as people arrange them: direct channels of several, what one wants to be told of a channel, the side bar, links into a channel,
-- for how long it keeps its messages.

-- A direct channel of three to nine people: they stand here in order, and there is one for each set of them. Of one of two (or one)
-- direct_low and direct_high tell.
ALTER TABLE channels ADD direct_people bigint[];
ALTER TABLE channels DROP CONSTRAINT channels_check1;
ALTER TABLE channels ADD CONSTRAINT channels_direct_check CHECK (CASE
	WHEN kind <> 'direct' THEN direct_low IS NULL AND direct_high IS NULL AND direct_people IS NULL
	WHEN direct_people IS NULL THEN direct_low IS NOT NULL AND direct_high IS NOT NULL AND direct_low <= direct_high
	ELSE direct_low IS NULL AND direct_high IS NULL AND cardinality(direct_people) BETWEEN 3 AND 9 END);
CREATE UNIQUE INDEX channels_people_key ON channels (direct_people) WHERE direct_people IS NOT NULL;

-- What somebody wants of a channel, for himself. Not in members: that row is read with each send, and this outlives a membership.
-- version: grows by each change. No row: the defaults, version 0.
CREATE TABLE channel_prefs (
	user_id bigint NOT NULL REFERENCES users,
	channel_id bigint NOT NULL REFERENCES channels,
	version bigint NOT NULL DEFAULT 0,
	notify text CHECK (notify IN ('all', 'mentions', 'nothing')), -- null: as is usual for its kind
	quiet_until timestamptz,                 -- infinity: until it is switched off
	favourite boolean NOT NULL DEFAULT false,
	section uuid,                            -- of his side bar; one that is not there (any more) is none
	PRIMARY KEY (user_id, channel_id)
);
CREATE INDEX channel_prefs_channel_id_idx ON channel_prefs (channel_id);

-- The sections of somebody's side bar in their order. No row: the three that everybody has.
CREATE TABLE sidebars (
	user_id bigint PRIMARY KEY REFERENCES users,
	version bigint NOT NULL DEFAULT 0,
	sections jsonb NOT NULL CHECK (jsonb_typeof(sections) = 'array')
);

-- Links by which people of the site come into a channel. The code is 128 bits; here is its SHA-256.
CREATE TABLE channel_invites (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	channel_id bigint NOT NULL REFERENCES channels,
	code_hash bytea NOT NULL UNIQUE CHECK (length(code_hash) = 32),
	max_uses int CHECK (max_uses > 0),       -- null: any number
	uses int NOT NULL DEFAULT 0,
	created_by bigint NOT NULL REFERENCES users,
	created_at timestamptz NOT NULL DEFAULT now(),
	expires_at timestamptz,                  -- null: never
	revoked_at timestamptz
);
CREATE INDEX channel_invites_channel_id_idx ON channel_invites (channel_id, id);
CREATE INDEX channel_invites_created_by_idx ON channel_invites (created_by);

-- For how many days messages are kept (null: for ever), and up to which seq the older ones have been erased.
ALTER TABLE channels ADD keep_days int CHECK (keep_days BETWEEN 1 AND 36500), ADD swept_seq bigint NOT NULL DEFAULT 0;
CREATE INDEX channels_keep_idx ON channels (id) WHERE keep_days IS NOT NULL;
