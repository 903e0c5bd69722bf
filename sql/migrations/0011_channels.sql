-- Channels as people arrange them: direct channels of several, what one wants to be told of a channel, the side bar.

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
