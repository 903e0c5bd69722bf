-- What is told beside the log (doc/presence.md): who types.

-- Tells the processes that these people type (kind y), in notifications that write nothing. judge: the channels of which it is to
-- be seen whether they are too crowded for it; those that are known to be are not to be sent here at all. roots: of the threads in which
-- they do, 0: in the channel's line.
-- status  0 told; 1 more members than present_max are present; 3 not a member; 4 no such channel; 7 archived; 10 muted; 12 to 14 of a
--         thread, as threads_judge()
DROP FUNCTION IF EXISTS typing_send(bigint[], bigint[], bigint[], bigint[], bigint);
CREATE OR REPLACE FUNCTION typing_send(typists bigint[], in_channels bigint[], seqs bigint[], roots bigint[], judge bigint[], present_max bigint)
RETURNS TABLE (status int) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	crowded bigint[];
	found int[];
BEGIN
	SELECT coalesce(array_agg(j.id), '{}') INTO crowded
	FROM unnest(judge) AS j(id)
	WHERE (SELECT count(*) FROM (
		SELECT FROM members m JOIN presence p ON p.user_id = m.user_id AND p.state <> 'offline'
		WHERE m.channel_id = j.id LIMIT present_max + 1) t) > present_max;
	SELECT array_agg(CASE
		WHEN c.id IS NULL OR (m.user_id IS NULL AND (c.kind <> 'public' OR u.role = 'guest')) THEN 4
		WHEN m.user_id IS NULL THEN 3
		WHEN c.archived_at IS NOT NULL THEN 7
		WHEN greatest(m.muted_until, u.muted_until) > now() THEN 10
		WHEN i.root > 0 AND (r.seq IS NULL OR thread_hidden(i.channel, i.typist, i.root)) THEN 12
		WHEN r.thread IS NOT NULL THEN 13
		WHEN r.deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM threads h WHERE h.channel_id = i.channel AND h.root = i.root) THEN 14
		WHEN c.id = ANY (crowded) THEN 1
		ELSE 0 END ORDER BY i.ord)
	INTO found
	FROM unnest(typists, in_channels, roots) WITH ORDINALITY AS i(typist, channel, root, ord)
	LEFT JOIN channels c ON c.id = i.channel
	LEFT JOIN users u ON u.id = i.typist
	LEFT JOIN members m ON m.channel_id = i.channel AND m.user_id = i.typist
	LEFT JOIN messages r ON r.channel_id = i.channel AND r.seq = i.root;
	PERFORM pg_notify('pulsechat', string_agg('0 y ' || t.channel || ' ' || t.seq || ' ' || t.typist
		|| CASE WHEN t.root > 0 THEN ' {"thread":' || t.root || '}' ELSE ' {}' END, E'\n' ORDER BY t.ord))
	FROM unnest(typists, in_channels, seqs, roots, found) WITH ORDINALITY AS t(typist, channel, seq, root, status, ord)
	WHERE t.status = 0 GROUP BY (t.ord - 1) / 90; -- a payload's limit is 8000 bytes
	RETURN QUERY SELECT t.status FROM unnest(found) WITH ORDINALITY AS t(status, ord) ORDER BY t.ord;
END $$;
