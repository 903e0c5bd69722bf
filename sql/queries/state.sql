-- What processes need to know to tell clients of presence, typing and reads.

-- Of channels how many members they have, of small ones their members with their read marks (seq null: he shares none), and the
-- presence of those members and of users. judged: this viewer shares a channel with him; viewer 0: nobody's asking, all are given.
-- what: c a channel (seq: its members, delivered: 1 where it is direct), m a member, p a presence; null: nothing.
-- name: live_state
-- in: channels int8[], users int8[], viewer int8, small int8, receipts_max int8
-- out: head int8, mark text, what text, channel int8, user_id int8, seq int8, delivered int8, judged bool, json text
WITH c AS (
	SELECT c.id, c.kind = 'direct' AS direct, (SELECT count(*) FROM members m WHERE m.channel_id = c.id) AS n
	FROM channels c WHERE c.id = ANY ($1)
), m AS (
	SELECT m.channel_id, m.user_id, CASE WHEN c.n <= $5 AND shares_reads(m) THEN m.last_read_seq END AS seq,
		CASE WHEN c.direct THEN greatest(m.delivered_seq, m.last_read_seq) END AS delivered
	FROM c JOIN members m ON m.channel_id = c.id
	WHERE c.n <= $4
), w AS (
	SELECT DISTINCT t.id FROM unnest($2::int8[]) AS t(id)
	WHERE $3::int8 = 0 OR EXISTS (SELECT FROM members a JOIN members b ON b.channel_id = a.channel_id
		WHERE a.user_id = $3 AND b.user_id = t.id)
), p AS (
	SELECT w.id, true AS judged FROM w
	UNION ALL SELECT DISTINCT m.user_id, false FROM m WHERE m.user_id NOT IN (SELECT w.id FROM w)
), x AS (
	SELECT 'c'::text AS what, c.id AS channel, 0::int8 AS user_id, c.n AS seq, c.direct::int::int8 AS delivered, false AS judged,
		NULL::text AS json FROM c
	UNION ALL SELECT 'm', m.channel_id, m.user_id, m.seq, m.delivered, false, NULL FROM m
	UNION ALL SELECT 'p', 0, u.id, NULL, NULL, p.judged, presence_json(0, u)::text FROM p JOIN users u ON u.id = p.id
)
SELECT h.head, h.mark, x.what, x.channel, x.user_id, x.seq, x.delivered, x.judged, x.json
FROM (SELECT stream_head() AS head, t.mark FROM stream t OFFSET 0) h LEFT JOIN x ON true ORDER BY x.what, x.channel, x.user_id;

-- name: typing_send
-- in: users int8[], channels int8[], seqs int8[], threads int8[], judge int8[], present_max int8
-- out: status int4
SELECT status FROM typing_send($1, $2, $3, $4, $5, $6);

-- Passes an instance's interests on to the process that holds its stream.
-- name: interest_notify
-- in: user_id int8, notice text
-- out: sent text
SELECT pg_notify('pulsechat', '0 o 0 ' || $1::int8 || ' 0 ' || $2::text)::text AS sent;
