-- write_batch: group commit's one statement. Arrays in, one row of numbers per item out, in the order given (doc/events.md).
--
-- status  0 stored; 1 again: stored before under this client id, with the first one's numbers; 2 client_id_reused;
--         3 not a member; 4 no such channel; 5 deferred: the channel is held by another transaction (only without in_wait);
--         6 busy: the same client id stands earlier in this batch; 7 archived; 8 unknown kind; 9 stale encryption epoch;
--         10 muted, at_us: until when, 0: until it is lifted; 11 a file that it names is not to be had;
--         12 to 14 as threads_judge(), 15 to 18 as calls_judge(), 19 to 21 as references_judge()
-- channels  each once, ascending. hints: of each, a seq that it has reached as far as the caller knows. It is believed by nobody:
--           only how soon the newest message is found hangs on it. null or 0: no idea. Below zero: minus a seq that was stored over
--           this very connection, so that it has been reached for certain, and is likely the newest. Where it is not, the unique
--           index finds it, and then all is done a second time, with a look: for a caller who hears of nobody else in the channel
-- room, nth of an item: the place of its channel in in_channels, and how manieth of that channel in this batch it is
-- tail    the line behind `"channel":…,"seq":…,"id":…,"created_at":…,`
-- ends    of each NOTIFY payload: the place of its last item
-- look    whether to look for earlier messages under these client ids before anything is stored. Without it the unique index finds
--         them, and then all is done a second time, with a look: for a caller who expects none
-- mentions  in_naming: the place of an item; in_named: a user whom it names, each once; null where no item names anyone
-- files     in_filing: the place of an item; in_files: a file that it bears, each once, in their order; null where no item bears any. The
--           Files as JSON go to the end of its body, and of the body that its tail ends with
-- replies   in_replying: the place of an item; in_roots: the seq of the root that it replies to, below 0 where it stands in the channel's
--           line too; null where no item is a reply
-- calls     in_calling: the place of an item; in_calls: the group that it calls, 0 its channel, -1 who is here (22_mentions.sql), each once; null where
--           no item calls anyone. Whom they reach goes to the end of its body, as files do
-- references  in_referring, in_referred: the place of an item and what it quotes or forwards, as references_judge() takes it; null where no item
--           does. What the line and the body tell of it goes to the body's end, too
DROP FUNCTION IF EXISTS write_batch("char"[], bigint[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[], boolean);
DROP FUNCTION IF EXISTS write_batch("char"[], bigint[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[], boolean, int[], bigint[]);
DROP FUNCTION IF EXISTS write_batch(bigint[], bigint[], "char"[], int[], int[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[],
	boolean, boolean, int[], bigint[]);
DROP FUNCTION IF EXISTS write_batch(bigint[], bigint[], "char"[], int[], int[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[],
	boolean, boolean, int[], bigint[], int[], bigint[]);
DROP FUNCTION IF EXISTS write_batch(bigint[], bigint[], "char"[], int[], int[], bigint[], uuid[], bytea[], bigint[], text[], text[], int[],
	boolean, boolean, int[], bigint[], int[], bigint[], int[], bigint[]);
CREATE OR REPLACE FUNCTION write_batch(in_channels bigint[], in_hints bigint[], in_kind "char"[], in_room int[], in_nth int[],
	in_sender bigint[], in_client uuid[], in_digest bytea[], in_epoch bigint[], in_body text[], in_tail text[], in_ends int[],
	in_look boolean, in_wait boolean, in_naming int[] DEFAULT NULL, in_named bigint[] DEFAULT NULL,
	in_filing int[] DEFAULT NULL, in_files bigint[] DEFAULT NULL,
	in_replying int[] DEFAULT NULL, in_roots bigint[] DEFAULT NULL,
	in_calling int[] DEFAULT NULL, in_calls bigint[] DEFAULT NULL, in_referring int[] DEFAULT NULL, in_referred bigint[] DEFAULT NULL)
RETURNS TABLE (status int, seq bigint, id bigint, event bigint, at_us bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	n int := cardinality(in_kind);
	looks boolean := in_look;
	gone boolean; -- some sender is, or is muted on the site
	-- of the channels
	locked bigint[];
	states int[];   -- what is told to a member: 0, 4, 5 or 7
	outsides int[]; -- what is told to anybody else
	epochs bigint[];
	floors bigint[];
	heads bigint[];
	sure boolean := true; -- of the hints that say so
	broken text;
	-- of the items
	statuses int[];
	olds int[];     -- 1, 2 and 6 as above, else 0; null: nobody has looked
	old_seqs bigint[];
	old_ids bigint[];
	nths int[] := in_nth;
	places int[];   -- among those that are stored; null: all are
	calls record;   -- of those that call
	added text[];   -- what the database adds to bodies: what they refer to, files, whom they reach; null: nothing to any
	roots bigint[]; -- of those that are replies; null: none is
	news record;    -- of their threads
	seqs bigint[];
	ids bigint[];
	head bigint;
	front text;
	middle text;
	now_at timestamptz;
	now_us bigint;
BEGIN
	-- 1. lock the channels, in id order
	IF in_wait THEN
		-- covers the sequencer below too: a writer that waits must not wait long
		PERFORM set_config('lock_timeout', '50ms', true);
		SELECT array_agg(c.id), array_agg(c.state), array_agg(c.outside), array_agg(c.mls_epoch), array_agg(c.seq_floor)
		INTO locked, states, outsides, epochs, floors FROM (
			SELECT c.id, CASE WHEN c.archived_at IS NULL THEN 0 ELSE 7 END AS state, CASE c.kind WHEN 'public' THEN 3 ELSE 4 END AS outside,
				c.mls_epoch, c.seq_floor
			FROM channels c WHERE c.id = ANY (in_channels) ORDER BY c.id FOR NO KEY UPDATE) c;
	ELSE
		SELECT array_agg(c.id), array_agg(c.state), array_agg(c.outside), array_agg(c.mls_epoch), array_agg(c.seq_floor)
		INTO locked, states, outsides, epochs, floors FROM (
			SELECT c.id, CASE WHEN c.archived_at IS NULL THEN 0 ELSE 7 END AS state, CASE c.kind WHEN 'public' THEN 3 ELSE 4 END AS outside,
				c.mls_epoch, c.seq_floor
			FROM channels c WHERE c.id = ANY (in_channels) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED) c;
	END IF;
	IF cardinality(locked) IS DISTINCT FROM cardinality(in_channels) THEN -- the others are held, or do not exist
		SELECT array_agg(coalesce(states[r.at], CASE WHEN EXISTS (SELECT FROM channels c WHERE c.id = r.id) THEN 5 ELSE 4 END)),
			array_agg(outsides[r.at]), array_agg(epochs[r.at]), array_agg(floors[r.at])
		INTO states, outsides, epochs, floors FROM (
			SELECT r.id, array_position(locked, r.id) AS at FROM unnest(in_channels) WITH ORDINALITY AS r(id, ord) ORDER BY r.ord) r;
	END IF;
	gone := EXISTS (SELECT FROM users u WHERE u.id = ANY (in_sender) AND (u.deactivated_at IS NOT NULL OR u.muted_until IS NOT NULL));

	LOOP
		IF looks THEN
			SELECT array_agg(CASE WHEN i.id IS NULL THEN CASE WHEN i.again THEN 6 ELSE 0 END
					WHEN i.old_digest IS NULL OR i.old_digest = i.digest THEN 1 ELSE 2 END),
				array_agg(i.seq), array_agg(i.id)
			INTO olds, old_seqs, old_ids FROM (
				SELECT i.digest, old.digest AS old_digest, old.seq, old.id,
					row_number() OVER (PARTITION BY i.room, i.sender, i.client ORDER BY i.ord) > 1 AS again
				FROM unnest(in_room, in_sender, in_client, in_digest) WITH ORDINALITY AS i(room, sender, client, digest, ord)
				LEFT JOIN messages old ON old.channel_id = in_channels[i.room] AND old.sender = i.sender AND old.client_id = i.client
				ORDER BY i.ord) i;
		END IF;

		-- 2. judge all items in one statement. What is rare is asked for the batch before it is asked for an item.
		SELECT array_agg(CASE
			WHEN i.kind <> 's' THEN 8
			WHEN states[i.room] IN (4, 5) THEN states[i.room]
			WHEN olds[i.ord] IN (1, 2) THEN olds[i.ord]
			WHEN m.user_id IS NULL THEN CASE WHEN is_guest(i.sender) THEN 4 ELSE outsides[i.room] END
			WHEN gone AND EXISTS (SELECT FROM users u WHERE u.id = i.sender AND u.deactivated_at IS NOT NULL) THEN 3
			WHEN states[i.room] <> 0 THEN states[i.room]
			WHEN m.muted_until > now() OR (gone AND EXISTS (SELECT FROM users u WHERE u.id = i.sender AND u.muted_until > now())) THEN 10
			WHEN epochs[i.room] IS DISTINCT FROM i.epoch THEN 9
			ELSE coalesce(olds[i.ord], 0)
			END ORDER BY i.ord)
		INTO statuses
		FROM unnest(in_kind, in_room, in_sender, in_epoch) WITH ORDINALITY AS i(kind, room, sender, epoch, ord)
		LEFT JOIN members m ON m.channel_id = in_channels[i.room] AND m.user_id = i.sender;
		IF in_replying IS NOT NULL THEN
			SELECT j.judged, j.roots INTO statuses, roots FROM threads_judge(statuses, in_channels, in_room, in_sender, in_replying, in_roots) j;
		END IF;
		added := NULL;
		IF in_referring IS NOT NULL THEN
			SELECT j.judged, j.added, j.naming, j.named INTO statuses, added, in_naming, in_named
			FROM references_judge(statuses, in_channels, in_room, in_sender, roots, in_referring, in_referred, in_naming, in_named) j;
		END IF;
		IF in_filing IS NOT NULL THEN
			SELECT j.judged, j.added INTO statuses, added
			FROM files_judge(statuses, in_channels, in_room, in_sender, in_filing, in_files, added) j;
		END IF;
		IF in_calling IS NOT NULL THEN
			SELECT * INTO calls FROM calls_judge(statuses, in_channels, in_room, in_sender, roots, in_calling, in_calls);
			statuses := calls.judged;
			SELECT array_agg(nullif(coalesce(',"reached":' || calls.texts[i], '') || coalesce(added[i], ''), '') ORDER BY i) INTO added
			FROM generate_series(1, n) i;
		END IF;
		IF 0 <> ANY (statuses) THEN
			IF NOT looks THEN -- a refused one may be a retry of what was welcome then
				looks := true;
				CONTINUE;
			END IF;
			SELECT array_agg(i.nth), array_agg(i.place) INTO nths, places FROM (
				SELECT count(*) FILTER (WHERE i.status = 0) OVER (PARTITION BY i.room ORDER BY i.ord ROWS UNBOUNDED PRECEDING) AS nth,
					count(*) FILTER (WHERE i.status = 0) OVER (ORDER BY i.ord ROWS UNBOUNDED PRECEDING) AS place
				FROM unnest(statuses, in_room) WITH ORDINALITY AS i(status, room, ord) ORDER BY i.ord) i;
		END IF;
		-- with a hint few entries of the index are read, without it a page full
		SELECT array_agg(CASE WHEN sure AND r.hint < 0 THEN greatest(-r.hint, r.floor) ELSE coalesce(
			(SELECT l.seq FROM messages l WHERE l.channel_id = r.id AND l.seq >= abs(r.hint) ORDER BY l.seq DESC LIMIT 1),
			(SELECT l.seq FROM messages l WHERE l.channel_id = r.id ORDER BY l.seq DESC LIMIT 1),
			r.floor) END ORDER BY r.ord)
		INTO heads FROM unnest(in_channels, in_hints, floors) WITH ORDINALITY AS r(id, hint, floor, ord);
		SELECT array_agg(CASE WHEN i.status = 0 THEN heads[i.room] + i.nth ELSE old_seqs[i.ord] END),
			array_agg(CASE WHEN i.status = 0 THEN nextval('message_ids') ELSE old_ids[i.ord] END)
		INTO seqs, ids FROM (
			SELECT * FROM unnest(statuses, in_room, nths) WITH ORDINALITY AS i(status, room, nth, ord) ORDER BY i.ord) i;
		EXIT WHEN 0 <> ALL (statuses);

		-- 3. store what was accepted
		now_at := date_trunc('milliseconds', clock_timestamp());
		BEGIN
			INSERT INTO messages (channel_id, seq, id, sender, client_id, digest, created_at, thread, aside, body)
			SELECT in_channels[in_room[i]], seqs[i], ids[i], in_sender[i], in_client[i], in_digest[i], now_at,
				abs(roots[i]), roots[i] > 0,
				CASE WHEN added[i] IS NULL THEN in_body[i] ELSE left(in_body[i], -1) || added[i] || '}' END::jsonb
			-- neighbours in the indices one after the other
			FROM (SELECT i FROM generate_series(1, n) i WHERE statuses[i] = 0 ORDER BY in_room[i], i OFFSET 0) o(i);
			EXIT;
		EXCEPTION WHEN unique_violation THEN
			GET STACKED DIAGNOSTICS broken = CONSTRAINT_NAME;
			IF broken = 'messages_pkey' AND sure THEN
				sure := false;
			ELSIF NOT looks THEN
				looks := true;
			ELSE
				RAISE;
			END IF;
		END;
	END LOOP;

	IF 0 = ANY (statuses) THEN
		IF in_naming IS NOT NULL THEN -- those who are members now; whoever names himself is not told
			INSERT INTO mentions (user_id, channel_id, seq)
			SELECT m.user_id, m.channel_id, seqs[n.item]
			FROM unnest(in_naming, in_named) AS n(item, named)
			JOIN members m ON m.channel_id = in_channels[in_room[n.item]] AND m.user_id = n.named
			WHERE statuses[n.item] = 0 AND n.named <> in_sender[n.item];
		END IF;
		IF in_calling IS NOT NULL THEN
			INSERT INTO mentions (user_id, channel_id, seq)
			SELECT r.who, in_channels[in_room[r.item]], seqs[r.item] FROM unnest(calls.reaching, calls.reached) AS r(item, who)
			WHERE statuses[r.item] = 0 ON CONFLICT DO NOTHING;
			INSERT INTO wide_mentions (channel_id, seq, sender)
			SELECT in_channels[in_room[w.item]], seqs[w.item], in_sender[w.item] FROM unnest(calls.wide) AS w(item) WHERE statuses[w.item] = 0;
		END IF;

		IF in_filing IS NOT NULL THEN
			PERFORM files_attach(statuses, seqs, in_filing, in_files);
		END IF;
		IF in_referring IS NOT NULL THEN
			PERFORM copies_add(statuses, in_channels, in_room, seqs, in_referring);
		END IF;
		IF in_replying IS NOT NULL THEN
			SELECT * INTO news FROM threads_replied(statuses, in_channels, in_room, in_sender, roots, seqs, ids, now_at, in_naming, in_named);
		END IF;

		-- 4. emit it, as emit_events does
		SELECT ' {"type":"message","cursor":"' || s.mark || '.' INTO STRICT front FROM stream s;
		middle := ',"created_at":"' || time_text(now_at) || '",';
		now_us := extract(epoch FROM now_at) * 1000000;
		head := stream_head_locked();
		INSERT INTO events (id, kind, type, channel_id, audience, subject)
		SELECT head + coalesce(places[i], i), 'm', 'message', in_channels[in_room[i]], 0, seqs[i]
		FROM generate_series(1, n) i WHERE statuses[i] = 0;
		PERFORM pg_notify('pulsechat', stream_payload(p.whole))
		FROM unnest(in_ends) WITH ORDINALITY AS e(last, ord), LATERAL (
			SELECT string_agg(i.event || ' m ' || i.channel || ' 0 ' || i.seq || front || i.event || '","channel":' || i.channel ||
				',"seq":' || i.seq || ',"id":' || i.id || middle || i.tail, E'\n') AS whole
			FROM (
				SELECT (head + coalesce(places[i], i))::text AS event, in_channels[in_room[i]]::text AS channel, seqs[i]::text AS seq,
					ids[i]::text AS id,
					CASE WHEN added[i] IS NULL THEN in_tail[i] ELSE left(in_tail[i], -2) || added[i] || '}}' END AS tail
				FROM generate_series(coalesce(in_ends[e.ord - 1], 0) + 1, e.last) i WHERE statuses[i] = 0
				OFFSET 0) i) p -- OFFSET: a number becomes text once
		WHERE p.whole IS NOT NULL;
		IF in_replying IS NOT NULL THEN
			PERFORM threads_told(news.changed, news.followers);
		END IF;
	END IF;
	RETURN QUERY SELECT statuses[i], seqs[i], ids[i], CASE WHEN statuses[i] = 0 THEN head + coalesce(places[i], i) END,
		CASE statuses[i] WHEN 0 THEN now_us WHEN 10 THEN muted_until_us(in_channels[in_room[i]], in_sender[i]) END
	FROM generate_series(1, n) i;
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
