-- Messages that quote others, and forwarded ones (doc/protocol.md, section 4). What they say of them stands in their bodies.

-- The forwarded messages that bear a file, or a thumbnail: whose readers may have it. erased: it was, and the message is to say so.
CREATE TABLE file_copies (
	file_id bigint NOT NULL REFERENCES files,
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	erased boolean NOT NULL DEFAULT false,
	PRIMARY KEY (file_id, channel_id, seq)
);
CREATE INDEX file_copies_message_idx ON file_copies (channel_id, seq);
CREATE INDEX file_copies_erased_idx ON file_copies (channel_id, seq) WHERE erased;

-- What a draft is an answer to.
ALTER TABLE drafts ADD COLUMN reply_to bigint;
