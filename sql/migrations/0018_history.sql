-- What of a private channel's history those see who come later (doc/protocol.md, section 9).

-- joined: who comes from now on sees what is stored after he has come.
ALTER TABLE channels ADD history text NOT NULL DEFAULT 'all',
	ADD CONSTRAINT channels_history_check CHECK (history = 'all' OR (history = 'joined' AND kind = 'private'));
-- The lowest seq that a member may see; settled when he comes.
ALTER TABLE members ADD first_seq bigint NOT NULL DEFAULT 1;
