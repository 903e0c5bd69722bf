-- write_batch: group commit's one statement. Arrays in, one row of numbers per item out, in the order given (doc/events.md).
--
-- status  0 stored; 1 again: stored before under this client id, with the first one's numbers; 2 client_id_reused;
--         3 not a member; 4 no such channel; 5 deferred: the channel is held by another transaction (only without in_wait);
--         6 busy: the same client id stands earlier in this batch; 7 archived; 8 unknown kind; 9 stale encryption epoch
-- tails   the line behind `"channel":…,"seq":…,"id":…,"created_at":…,`
-- mentions  in_naming: the place of an item; in_named: a user whom it names, each once; null where no item names anyone
DROP FUNCTION IF EXISTS write_batch("char"[], bigint[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[], boolean);
CREATE OR REPLACE FUNCTION write_batch(in_kind "char"[], in_channel bigint[], in_sender bigint[], in_client uuid[],
	in_digest bytea[], in_epoch bigint[], in_body text[], in_tail text[], in_piece int[], in_wait boolean,
	in_naming int[] DEFAULT NULL, in_named bigint[] DEFAULT NULL)
RETURNS TABLE (status int, seq bigint, id bigint, event bigint, at_us bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	locked bigint[];
	statuses int[];
	seqs bigint[];
	ids bigint[];
	held boolean;  -- some channel is, by another transaction, or does not exist
	alike boolean; -- some client ids are
	first_event bigint;
	now_at timestamptz;
	now_text text;
BEGIN
	-- 1. lock the channels, in id order
	IF in_wait THEN
		-- covers the sequencer below too: a writer that waits must not wait long
		PERFORM set_config('lock_timeout', '50ms', true);
		SELECT array_agg(c.id) INTO locked FROM (
			SELECT c.id FROM channels c WHERE c.id = ANY (in_channel) ORDER BY c.id FOR NO KEY UPDATE) c;
	ELSE
		SELECT array_agg(c.id) INTO locked FROM (
			SELECT c.id FROM channels c WHERE c.id = ANY (in_channel) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED) c;
	END IF;

	-- 2. judge all items in one statement. What is rare is asked for the batch before it is asked for an item.
	held := (SELECT count(DISTINCT t.channel) FROM unnest(in_channel) t(channel)) IS DISTINCT FROM cardinality(locked);
	alike := (SELECT count(DISTINCT t.client) FROM unnest(in_client) t(client)) < cardinality(in_client);
	WITH item AS (
		SELECT * FROM unnest(in_kind, in_channel, in_sender, in_client, in_digest, in_epoch) WITH ORDINALITY
			AS t(kind, channel, sender, client, digest, epoch, ord)
	), judged AS (
		SELECT i.ord, i.channel, old.seq AS old_seq, old.id AS old_id, c.seq_floor,
			CASE
			WHEN i.kind <> 's' THEN 8
			WHEN c.id IS NULL THEN 4
			WHEN held AND (locked IS NULL OR i.channel <> ALL (locked)) THEN 5
			WHEN old.id IS NOT NULL AND (old.digest IS NULL OR old.digest = i.digest) THEN 1
			WHEN old.id IS NOT NULL THEN 2
			WHEN m.user_id IS NULL THEN CASE WHEN c.kind = 'public' THEN 3 ELSE 4 END
			WHEN u.deactivated_at IS NOT NULL THEN 3
			WHEN c.archived_at IS NOT NULL THEN 7
			WHEN c.mls_epoch IS DISTINCT FROM i.epoch THEN 9
			WHEN alike AND EXISTS (SELECT FROM item e
				WHERE e.ord < i.ord AND (e.channel, e.sender, e.client) = (i.channel, i.sender, i.client)) THEN 6
			ELSE 0
			END AS status
		FROM item i
		LEFT JOIN channels c ON c.id = i.channel
		LEFT JOIN members m ON m.channel_id = i.channel AND m.user_id = i.sender
		LEFT JOIN users u ON u.id = i.sender
		LEFT JOIN messages old ON old.channel_id = i.channel AND old.sender = i.sender AND old.client_id = i.client
	), placed AS (
		SELECT j.*, count(*) FILTER (WHERE j.status = 0) OVER (PARTITION BY j.channel ORDER BY j.ord) AS nth FROM judged j
	)
	SELECT array_agg(p.status), array_agg(p.seq), array_agg(p.id) INTO statuses, seqs, ids
	FROM (
		SELECT p.status, CASE WHEN p.status = 0 THEN nextval('message_ids') ELSE p.old_id END AS id,
			CASE WHEN p.status = 0 THEN p.nth + coalesce(
				(SELECT l.seq FROM messages l WHERE l.channel_id = p.channel ORDER BY l.seq DESC LIMIT 1), p.seq_floor)
			ELSE p.old_seq END AS seq
		FROM placed p ORDER BY p.ord
	) p;

	-- 3. store what was accepted, 4. emit it
	IF 0 = ANY (statuses) THEN
		now_at := date_trunc('milliseconds', clock_timestamp());
		now_text := time_text(now_at);
		INSERT INTO messages (channel_id, seq, id, sender, client_id, digest, created_at, body)
		SELECT t.channel, t.seq, t.id, t.sender, t.client, t.digest, now_at, t.body::jsonb
		FROM unnest(statuses, in_channel, seqs, ids, in_sender, in_client, in_digest, in_body)
			AS t(status, channel, seq, id, sender, client, digest, body)
		WHERE t.status = 0;
		IF in_naming IS NOT NULL THEN -- those who are members now; whoever names himself is not told
			INSERT INTO mentions (user_id, channel_id, seq)
			SELECT m.user_id, m.channel_id, seqs[n.item]
			FROM unnest(in_naming, in_named) AS n(item, named)
			JOIN members m ON m.channel_id = in_channel[n.item] AND m.user_id = n.named
			WHERE statuses[n.item] = 0 AND n.named <> in_sender[n.item];
		END IF;
		SELECT emit_events(array_agg('m'::"char"), array_agg('message'::text), array_agg(t.channel), array_agg(0::bigint),
			array_agg(t.seq), array_agg(NULL::jsonb),
			array_agg('"channel":' || t.channel || ',"seq":' || t.seq || ',"id":' || t.id || ',"created_at":"' || now_text || '",' ||
				t.tail), array_agg(t.piece))
		INTO first_event
		FROM (
			SELECT * FROM unnest(statuses, in_channel, seqs, ids, in_tail, in_piece) WITH ORDINALITY
				AS t(status, channel, seq, id, tail, piece, ord)
			WHERE t.status = 0 ORDER BY t.ord
		) t;
	END IF;
	RETURN QUERY SELECT t.status, t.seq, t.id,
		CASE WHEN t.status = 0 THEN first_event - 1 + count(*) FILTER (WHERE t.status = 0) OVER (ORDER BY t.ord) END,
		CASE WHEN t.status = 0 THEN (extract(epoch FROM now_at) * 1000000)::bigint END
	FROM unnest(statuses, seqs, ids) WITH ORDINALITY AS t(status, seq, id, ord) ORDER BY t.ord;
END $$;

-- The transactions that hold a channel's row. Its xmax is the one locker, or a set of them (a multixact: a foreign key's check
-- beside the holder), whose members that hold up nobody ('keysh') do not count. Nothing on the row tells the two apart: what is no
-- multixact, or one of long ago, names nobody who is still there.
CREATE OR REPLACE FUNCTION channel_holders(held bigint[]) RETURNS SETOF xid LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	locker xid;
BEGIN
	FOR locker IN SELECT c.xmax FROM channels c WHERE c.id = ANY (held) AND c.xmax <> '0' LOOP
		RETURN NEXT locker;
		BEGIN
			RETURN QUERY SELECT m.xid FROM pg_get_multixact_members(locker) m WHERE m.mode <> 'keysh';
		EXCEPTION WHEN OTHERS THEN
			NULL; -- not a multixact
		END;
	END LOOP;
END $$;

-- Ends the transactions that have held one of these channels, or the sequencer, for over two seconds: a stuck or stopped
-- holder must not stop a channel. Returns how many were ended.
CREATE OR REPLACE FUNCTION end_holders(held bigint[]) RETURNS int LANGUAGE sql VOLATILE AS $$
	SELECT count(pg_terminate_backend(a.pid))::int
	FROM pg_stat_activity a
	WHERE a.pid IN (
			SELECT l.pid FROM channel_holders(held) h JOIN pg_locks l ON l.locktype = 'transactionid' AND l.transactionid = h AND l.granted
			-- numbers of transactions and of multixacts may meet: only who has locked rows of channels at all
			WHERE EXISTS (SELECT FROM pg_locks t WHERE t.pid = l.pid AND t.relation = 'channels'::regclass AND t.granted
				AND t.mode IN ('RowShareLock', 'RowExclusiveLock'))
			UNION ALL
			SELECT l.pid FROM pg_locks l
			WHERE l.locktype = 'advisory' AND l.granted AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
				AND (l.classid::bigint << 32) + l.objid::bigint = 8020600001)
		AND a.pid <> pg_backend_pid() AND a.xact_start < clock_timestamp() - interval '2 seconds'
$$;
