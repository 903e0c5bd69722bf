-- Search (doc/search.md).

-- name: search_scope
-- in: reader int8, senders text[], rooms text[], before text, after text
-- out: cursor text, senders int8[], no_sender text, rooms int8[], no_room text, few_rooms bool
-- out: before_at timestamptz, after_at timestamptz, event int8, head int8, whole bool
SELECT cursor, senders, no_sender, rooms, no_room, few_rooms, before_at, after_at, event, head, whole
FROM search_scope($1, $2, $3, $4, $5);

-- name: search_find
-- in: reader int8, template text, before_at timestamptz, after_at timestamptz, below int8, want int4, budget int4
-- out: channel_id int8, seq int8, id int8, sender int8, created_us int8, version int8, body jsonb, edited_us int8, thread int8
SELECT channel_id, seq, id, sender, created_us, version, body, edited_us, thread
FROM search_find($1, $2, $3, $4, $5, $6, $7);

-- Messages of the log's end that the index does not know yet, or not as they are now.
-- name: search_tail
-- in: reader int8, rooms int8[], senders int8[], before_at timestamptz, after_at timestamptz, event int8
-- out: channel_id int8, seq int8, id int8, sender int8, created_us int8, version int8, body jsonb, edited_us int8, thread int8
SELECT m.channel_id, m.seq, m.id, m.sender, (extract(epoch FROM m.created_at) * 1000000)::int8 AS created_us, m.version, m.body,
	(extract(epoch FROM m.edited_at) * 1000000)::int8 AS edited_us, m.thread
FROM (SELECT DISTINCT e.channel_id, e.subject FROM events e
	WHERE e.id > $6 AND e.type IN ('message', 'message.updated') AND e.channel_id = ANY ($2::int8[])) e
JOIN messages m ON m.channel_id = e.channel_id AND m.seq = e.subject
WHERE m.deleted_at IS NULL AND (cardinality($3::int8[]) = 0 OR m.sender = ANY ($3)) AND m.created_at < $4::timestamptz AND m.created_at >= $5::timestamptz
	AND EXISTS (SELECT FROM members r WHERE r.channel_id = m.channel_id AND r.user_id = $1 AND r.first_seq <= m.seq)
ORDER BY m.id DESC;

-- --- the indexer: one at a time, whoever else does it. The lock goes with the connection.

-- name: search_lock
-- out: locked bool
SELECT pg_try_advisory_lock(8020600008) AS locked;

-- name: search_unlock
-- out: unlocked bool
SELECT pg_advisory_unlock(8020600008) AS unlocked;

-- reaches: whether the log still tells what came next.
-- name: search_state
-- out: event int8, walking bool, channel_id int8, seq int8, head int8, reaches bool
SELECT s.event, s.walking, s.channel_id, s.seq, h.head, h.head = s.event OR EXISTS (SELECT FROM events e WHERE e.id = s.event + 1) AS reaches
FROM search_state s, (SELECT stream_head() AS head OFFSET 0) h;

-- name: search_log
-- in: above int8, upto int8
-- out: channel_id int8, seq int8, sender int8, version int8, body jsonb, thread int8
SELECT channel_id, seq, sender, version, body, thread FROM search_log($1, $2);

-- The next messages of the walk through all.
-- name: search_walk
-- in: channel int8, seq int8, limit int8
-- out: channel_id int8, seq int8, sender int8, version int8, body jsonb, thread int8
SELECT m.channel_id, m.seq, m.sender, m.version, CASE WHEN m.deleted_at IS NULL THEN m.body END AS body, m.thread
FROM messages m WHERE (m.channel_id, m.seq) > ($1::int8, $2::int8) ORDER BY m.channel_id, m.seq LIMIT $3;

-- name: search_store
-- in: from_event int8, from_walking bool, from_channel int8, from_seq int8, to_event int8, to_walking bool, to_channel int8, to_seq int8
-- in: channels int8[], seqs int8[], versions int8[], vectors text[]
-- out: stored bool
SELECT search_index_store($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS stored;
