-- The index of messages by their words, filled behind the writer (doc/search.md).

-- words: lexemes made by lib/search, each with the mark of the message's part of the index in front of it. No foreign keys: what is
-- stale here is not found, since each find is compared with the message as it is.
CREATE TABLE message_index (
	id bigint PRIMARY KEY,                   -- of the message
	channel_id bigint NOT NULL,
	seq bigint NOT NULL,
	created_at timestamptz NOT NULL,
	words tsvector NOT NULL
);
-- search_index_store() empties the list of what is pending at the end of each batch: so a word that stands in many of its messages is
-- looked for once. A list as large as a batch needs.
CREATE INDEX message_index_words_idx ON message_index USING gin (words) WITH (fastupdate = on, gin_pending_list_limit = 16384);
-- words are compared by lexemes alone; statistics of them would only be large
ALTER TABLE message_index ALTER words SET STATISTICS 0;

-- The parts of the index, each of so many ids; between when their messages were sent.
CREATE TABLE search_parts (
	part bigint PRIMARY KEY,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- How far the index has come: by the log up to `event`. What was there before, or what the log no longer tells, is walked through by
-- channel and seq, up to (channel_id, seq) so far.
CREATE TABLE search_state (
	only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
	event bigint NOT NULL,
	walking boolean NOT NULL,
	channel_id bigint NOT NULL DEFAULT 0,
	seq bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO search_state (event, walking)
SELECT coalesce((SELECT e.id FROM events e ORDER BY e.id DESC LIMIT 1), (SELECT s.floor FROM stream s), 0), EXISTS (SELECT FROM messages);
