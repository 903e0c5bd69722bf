-- The list of a channel's files: by kind, the newest first.

-- picture: one that browsers show (lib/chat/media.c has the same list).
ALTER TABLE files ADD COLUMN picture boolean NOT NULL GENERATED ALWAYS AS (
	lower(btrim(split_part(type, ';', 1))) IN ('image/jpeg', 'image/png', 'image/gif', 'image/webp', 'image/avif', 'image/bmp')) STORED;
-- Those that a message bears, without thumbnails and what was erased.
CREATE INDEX files_channel_idx ON files (channel_id, picture, seq) WHERE state = 'attached' AND thumbnail_of IS NULL;
