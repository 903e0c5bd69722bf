-- Read markers and what follows from them: unread counts, receipts. Markers belong to the member alone: no channel lock. A member's
-- row is locked first, and counted in a later statement, so that a higher read_version is always of a later snapshot. That needs
-- read committed.

DROP FUNCTION IF EXISTS read_mark(bigint, bigint, bigint);

-- Lines `KIND CHANNEL AUDIENCE SUBJECT JSON` of state events: no id, not stored, the latest wins. As few notifications as fit.
CREATE OR REPLACE FUNCTION notify_states(lines text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM pg_notify('pulsechat', string_agg('0 ' || l.line, E'\n' ORDER BY l.ord))
	FROM (
		-- of at most 7,900 bytes: a line that reaches over the edge of its piece has at most a thousand
		SELECT t.line, t.ord, sum(octet_length(t.line) + 3) OVER (ORDER BY t.ord) / 6500 AS piece
		FROM unnest(lines) WITH ORDINALITY AS t(line, ord)
	) l GROUP BY l.piece ORDER BY l.piece;
END $$;

-- His own instances are told where he stands.
CREATE OR REPLACE FUNCTION read_line(m members) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN 's 0 ' || m.user_id || ' 0 ' || (jsonb_build_object('type', 'read') || read_state_json(m))::text;
END $$;

-- The others are, where the channel is small enough and he shares it; else null.
CREATE OR REPLACE FUNCTION read_mark_line(m members, receipts_max bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	direct boolean := (SELECT c.kind = 'direct' FROM channels c WHERE c.id = m.channel_id);
BEGIN
	IF NOT shares_reads(m) OR NOT tells_reads(m.channel_id, receipts_max) THEN
		RETURN NULL;
	END IF;
	RETURN 'k ' || m.channel_id || ' 0 ' || m.user_id || ' ' || read_mark_json(m, direct)::text;
END $$;

-- What takes it away again.
CREATE OR REPLACE FUNCTION read_mark_gone(channel bigint, reader bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT 'k ' || channel || ' 0 ' || reader || ' ' || jsonb_build_object('user', reader, 'seq', NULL)
$$;

-- The same in all his small channels, when he changes it for all of them.
CREATE OR REPLACE FUNCTION read_marks_share(reader bigint, share boolean, receipts_max bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	lines text[];
BEGIN
	SELECT array_agg(l.line) INTO lines FROM (
		SELECT CASE WHEN share THEN read_mark_line(m, receipts_max) ELSE read_mark_gone(m.channel_id, reader) END AS line
		FROM members m WHERE m.user_id = reader AND m.read_receipts AND tells_reads(m.channel_id, receipts_max)) l
	WHERE l.line IS NOT NULL;
	IF lines IS NOT NULL THEN
		PERFORM notify_states(lines);
	END IF;
END $$;

-- The marker, and the place of "mark as unread" (since; null: none), after he has read up to a seq, then marked as unread from another
-- on, then read up to a third; 0 is none of it.
CREATE OR REPLACE FUNCTION read_after(m members, last_seq bigint, reads bigint, unreads bigint, rereads bigint, OUT marker bigint, OUT since bigint)
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	marker := m.last_read_seq;
	since := m.unread_from;
	reads := least(reads, last_seq);
	IF reads >= since THEN
		since := CASE WHEN reads < marker THEN reads + 1 END;
	END IF;
	marker := greatest(marker, reads);
	IF unreads > 0 THEN
		unreads := greatest(unreads, m.first_seq);
		since := CASE WHEN unreads <= marker THEN unreads END;
	END IF;
	rereads := least(rereads, last_seq);
	IF rereads >= since THEN
		since := CASE WHEN rereads < marker THEN rereads + 1 END;
	END IF;
	marker := greatest(marker, rereads);
END $$;

-- Moves markers: many (channel, user) in one statement, each once. in_read, in_unread, in_reread as of read_after(); in_delivered: in
-- direct channels, what has come to one of his instances. Forward only and clamped to the channel's last seq, but for in_unread. Tells
-- own instances and others of what has changed, once.
-- code: 'ok', 'not_found' or 'not_a_member'. first_unread: above the marker, or where he marked as unread. delivered: null in a channel
-- that is not direct. state: a ReadState, where in_states says so.
CREATE OR REPLACE FUNCTION read_marks(in_channel bigint[], in_user bigint[], in_read bigint[], in_unread bigint[], in_reread bigint[],
	in_delivered bigint[], receipts_max bigint, in_states boolean)
RETURNS TABLE (code text, seq bigint, first_unread bigint, delivered bigint, state text) LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$ -- as the writer's
#variable_conflict use_column
DECLARE
	held bigint[];
	own bigint[];
	others bigint[];
	lines text[];
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'markers move under read committed only' USING ERRCODE = 'invalid_transaction_state';
	END IF;

	-- 1. lock the rows that change, in the order of everybody else; what has been read stays read, so the others need no lock
	SELECT array_agg(l.ord) INTO held FROM (
		SELECT i.ord
		FROM unnest(in_channel, in_user, in_read, in_unread, in_reread, in_delivered) WITH ORDINALITY
			AS i(channel, reader, reads, unreads, rereads, arrived, ord)
		JOIN members m ON m.channel_id = i.channel AND m.user_id = i.reader
		JOIN channels c ON c.id = i.channel
		CROSS JOIN LATERAL (SELECT channel_last_seq(c) AS seq OFFSET 0) l
		CROSS JOIN LATERAL read_after(m, l.seq, i.reads, i.unreads, i.rereads) n
		WHERE (m.last_read_seq, m.unread_from) IS DISTINCT FROM (n.marker, n.since)
			OR (c.kind = 'direct' AND m.delivered_seq < least(i.arrived, l.seq))
		ORDER BY m.channel_id, m.user_id FOR NO KEY UPDATE OF m
	) l;

	IF held IS NOT NULL THEN
		-- 2. move those, by what is there under the locks; no others, for they may be moved by somebody else meanwhile
		WITH moved AS (
			UPDATE members m SET last_read_seq = t.marker, unread_from = t.since, delivered_seq = t.arrived,
				counted_seq = t.last_seq, counted_own = t.own_n,
				read_version = m.read_version + CASE WHEN t.own THEN 1 ELSE 0 END
			FROM (
				SELECT i.ord, o.channel_id, o.user_id, n.marker, n.since, d.arrived, l.seq AS last_seq,
					CASE WHEN c.seq_floor > least(read_marker(o), b.base) THEN sent_between(o.channel_id, o.user_id, b.base, l.seq)
						ELSE own_above(o, b.base, l.seq) END AS own_n,
					(o.last_read_seq, o.unread_from) IS DISTINCT FROM (n.marker, n.since) AS own,
					o.last_read_seq <> n.marker OR greatest(o.delivered_seq, o.last_read_seq) <> greatest(d.arrived, n.marker) AS others
				FROM unnest(in_channel, in_user, in_read, in_unread, in_reread, in_delivered) WITH ORDINALITY
					AS i(channel, reader, reads, unreads, rereads, arrived, ord)
				JOIN members o ON o.channel_id = i.channel AND o.user_id = i.reader
				JOIN channels c ON c.id = i.channel
				CROSS JOIN LATERAL (SELECT channel_last_seq(c) AS seq OFFSET 0) l
				CROSS JOIN LATERAL read_after(o, l.seq, i.reads, i.unreads, i.rereads) n
				CROSS JOIN LATERAL (SELECT coalesce(n.since - 1, n.marker) AS base) b
				CROSS JOIN LATERAL (
					SELECT CASE WHEN c.kind = 'direct' THEN greatest(o.delivered_seq, least(i.arrived, l.seq))
						ELSE o.delivered_seq END AS arrived
				) d
				WHERE i.ord = ANY (held)
			) t
			WHERE m.channel_id = t.channel_id AND m.user_id = t.user_id
				AND (m.last_read_seq, m.unread_from, m.delivered_seq) IS DISTINCT FROM (t.marker, t.since, t.arrived)
			RETURNING t.ord, t.own, t.others
		)
		SELECT array_agg(v.ord) FILTER (WHERE v.own), array_agg(v.ord) FILTER (WHERE v.others) INTO own, others FROM moved v;

		-- 3. count, in one snapshot that shows the moves, and tell
		SELECT array_agg(l.line) INTO lines
		FROM unnest(in_channel, in_user) WITH ORDINALITY AS i(channel, reader, ord)
		JOIN members m ON m.channel_id = i.channel AND m.user_id = i.reader
		CROSS JOIN LATERAL (
			SELECT read_line(m) AS line WHERE i.ord = ANY (own)
			UNION ALL SELECT read_mark_line(m, receipts_max) WHERE i.ord = ANY (others)
		) l
		WHERE i.ord = ANY (held) AND l.line IS NOT NULL;
		IF lines IS NOT NULL THEN
			PERFORM notify_states(lines);
		END IF;
	END IF;

	RETURN QUERY SELECT CASE
			WHEN m.user_id IS NOT NULL THEN 'ok'
			WHEN kind_for(c.kind, NULL, i.reader) = 'public' THEN 'not_a_member'
			ELSE 'not_found' END,
		m.last_read_seq, coalesce(m.unread_from, m.last_read_seq + 1),
		CASE WHEN c.kind = 'direct' THEN greatest(m.delivered_seq, m.last_read_seq) END,
		CASE WHEN in_states AND m.user_id IS NOT NULL THEN read_state_json(m)::text END
	FROM unnest(in_channel, in_user) WITH ORDINALITY AS i(channel, reader, ord)
	LEFT JOIN channels c ON c.id = i.channel
	LEFT JOIN members m ON m.channel_id = i.channel AND m.user_id = i.reader
	ORDER BY i.ord;
END $$;

-- Keeps how many own messages stand above his markers, where over a thousand messages have come since it was last counted: who never
-- reads would have them looked at each time. Nothing is told. Rows that somebody else is moving are left to him.
CREATE OR REPLACE FUNCTION unread_advance(reader bigint) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	held bigint[];
	moved int;
BEGIN
	SELECT array_agg(l.channel_id) INTO held FROM (
		SELECT m.channel_id FROM members m JOIN channels c ON c.id = m.channel_id
		WHERE m.user_id = reader AND channel_last_seq(c) - greatest(m.counted_seq, read_marker(m)) > 1000
		ORDER BY m.channel_id FOR NO KEY UPDATE OF m SKIP LOCKED
	) l;
	UPDATE members m SET counted_seq = t.seq, counted_own = t.n
	FROM (
		SELECT o.channel_id, l.seq, own_above(o, read_marker(o), l.seq) AS n
		FROM members o JOIN channels c ON c.id = o.channel_id CROSS JOIN LATERAL (SELECT channel_last_seq(c) AS seq OFFSET 0) l
		WHERE o.user_id = reader AND o.channel_id = ANY (held)
	) t WHERE m.channel_id = t.channel_id AND m.user_id = reader;
	GET DIAGNOSTICS moved = ROW_COUNT;
	RETURN moved;
END $$;

-- Switches a member's receipts in one channel. Returns a code as those of 40_channels.sql.
CREATE OR REPLACE FUNCTION read_receipts_set(channel bigint, reader bigint, share boolean, receipts_max bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	m members;
	kind text := (SELECT c.kind FROM channels c WHERE c.id = channel);
BEGIN
	UPDATE members SET read_receipts = share, read_version = members.read_version + 1
	WHERE members.channel_id = channel AND members.user_id = reader AND members.read_receipts <> share RETURNING * INTO m;
	IF m.user_id IS NOT NULL THEN
		-- those who look at the channel let go of a mark that he shows no more
		PERFORM notify_states(array_remove(ARRAY[read_line(m),
			CASE WHEN share THEN read_mark_line(m, receipts_max) ELSE read_mark_gone(channel, reader) END], NULL));
		RETURN 'ok';
	END IF;
	IF EXISTS (SELECT FROM members WHERE members.channel_id = channel AND members.user_id = reader) THEN
		RETURN 'again';
	END IF;
	RETURN CASE WHEN kind_for(kind, NULL, reader) = 'public' THEN 'not_a_member' ELSE 'not_found' END;
END $$;

-- The members' marks in a channel, of those who share them; none where it is too large for telling them.
CREATE OR REPLACE FUNCTION channel_reads(channel bigint, receipts_max bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT coalesce(jsonb_agg(read_mark_json(m, c.kind = 'direct') ORDER BY m.user_id), '[]')
	FROM channels c JOIN members m ON m.channel_id = c.id
	WHERE c.id = channel AND shares_reads(m) AND tells_reads(c.id, receipts_max)
$$;

-- The counts of one member by a look at each message: what unread_counts() must come to. Whom a message names counts only where he was a
-- member then: later than his join, or there is a row, for the two may fall into one millisecond. The channel as such names all who have not read it.
CREATE OR REPLACE FUNCTION unread_scan(m members) RETURNS TABLE (unread bigint, mentions bigint) LANGUAGE sql STABLE AS $$
	SELECT count(*) FILTER (WHERE s.aside IS NOT TRUE),
		count(*) FILTER (WHERE body_wide(s.body) OR (m.user_id = ANY (body_reached(s.body)) AND (s.created_at > m.joined_at OR EXISTS (
		SELECT FROM mentions n WHERE n.user_id = m.user_id AND n.channel_id = m.channel_id AND n.seq = s.seq))))
	FROM messages s
	WHERE s.channel_id = m.channel_id AND s.seq > read_marker(m) AND s.sender <> m.user_id AND s.deleted_at IS NULL
$$;

-- Those whose mention by a message has come or gone, where it stands above their markers, hold another base from here on and are told it. The
-- message's row and their rows of mentions are as they will be; its sender is not told.
CREATE OR REPLACE FUNCTION mentions_told(channel bigint, wanted bigint, named bigint[], sender bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	told bigint[];
	lines text[];
BEGIN
	PERFORM FROM members m WHERE m.channel_id = channel AND m.user_id = ANY (named) ORDER BY m.user_id FOR NO KEY UPDATE;
	WITH changed AS (
		UPDATE members m SET read_version = m.read_version + 1
		WHERE m.channel_id = channel AND m.user_id = ANY (named) AND m.user_id <> sender AND read_marker(m) < wanted
		RETURNING m.user_id
	)
	SELECT array_agg(f.user_id) INTO told FROM changed f;
	SELECT array_agg(read_line(m)) INTO lines FROM members m WHERE m.channel_id = channel AND m.user_id = ANY (told);
	IF lines IS NOT NULL THEN
		PERFORM notify_states(lines);
	END IF;
END $$;

-- What is the same for all that deletes a message, under the channel's lock: its text, its digest, whom it names, its files, former texts
-- and reactions go. actor null: nobody did it. Returns the row as it is then; the event is the caller's.
CREATE OR REPLACE FUNCTION message_erase(o messages, actor bigint) RETURNS messages LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	named bigint[] := body_reached(o.body);
BEGIN
	IF body_wide(o.body) THEN -- all see it from the event
		DELETE FROM wide_mentions w WHERE w.channel_id = o.channel_id AND w.seq = o.seq;
	END IF;
	IF o.body ? 'files' THEN
		PERFORM files_erase_with(o.channel_id, o.seq);
	END IF;
	IF o.body ? 'forward' THEN
		DELETE FROM file_copies c WHERE c.channel_id = o.channel_id AND c.seq = o.seq;
	END IF;
	UPDATE messages t SET body = NULL, digest = NULL, version = t.version + 1, deleted_by = actor,
		deleted_at = date_trunc('milliseconds', clock_timestamp())
	WHERE t.channel_id = o.channel_id AND t.seq = o.seq RETURNING * INTO o;
	IF cardinality(named) > 0 THEN
		DELETE FROM mentions n WHERE n.user_id = ANY (named) AND n.channel_id = o.channel_id AND n.seq = o.seq;
		PERFORM mentions_told(o.channel_id, o.seq, named, o.sender);
	END IF;
	PERFORM message_traces_erase(o.channel_id, o.seq);
	RETURN o;
END $$;

-- A deleted Message, for a live line; lib/chat/message.c renders the same from its row.
CREATE OR REPLACE FUNCTION tombstone_json(o messages) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('channel', o.channel_id, 'seq', o.seq, 'id', o.id, 'created_at', time_text(o.created_at),
		'sender', o.sender, 'version', o.version, 'deleted', true, 'deleted_by', o.deleted_by)) || message_thread_json(o)
$$;

-- Erases messages that are older than their channel keeps them, as deletions do: of one channel, most of them at a time, in their order. One
-- that somebody else is at is left for the next time. Returns how many messages were gone through; 0: there is nothing to do.
CREATE OR REPLACE FUNCTION retention_sweep(most int) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	before timestamptz;
	upto bigint;
	seqs bigint[] := '{}';
	tails text[] := '{}';
	thread threads;
	told threads[] := '{}';
BEGIN
	SELECT * INTO c FROM channels h WHERE h.keep_days IS NOT NULL AND (
		SELECT m.created_at FROM messages m WHERE m.channel_id = h.id AND m.seq > h.swept_seq ORDER BY m.seq LIMIT 1
	) < now() - make_interval(days => h.keep_days) ORDER BY h.id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
	IF c.id IS NULL THEN
		RETURN 0;
	END IF;
	before := now() - make_interval(days => c.keep_days);
	-- up to the first that is to stay: times follow the seqs
	SELECT coalesce(min(m.seq) FILTER (WHERE m.created_at >= before) - 1, max(m.seq)) INTO upto FROM (
		SELECT t.seq, t.created_at FROM messages t WHERE t.channel_id = c.id AND t.seq > c.swept_seq ORDER BY t.seq LIMIT most) m;
	FOR o IN SELECT * FROM messages t WHERE t.channel_id = c.id AND t.seq > c.swept_seq AND t.seq <= upto AND t.deleted_at IS NULL ORDER BY t.seq LOOP
		o := message_erase(o, NULL);
		seqs := seqs || o.seq;
		tails := tails || substr(tombstone_json(o)::text, 2);
		IF o.thread IS NOT NULL THEN
			-- told once, as it is in the end
			thread := thread_uncounted(c.id, o.thread);
			told := ARRAY(SELECT h FROM unnest(told) h WHERE h.root <> o.thread) || thread;
		END IF;
	END LOOP;
	UPDATE channels h SET swept_seq = upto WHERE h.id = c.id;
	PERFORM emit_replaced('message.deleted', array_fill(c.id, ARRAY[cardinality(seqs)]), seqs, tails);
	IF cardinality(told) > 0 THEN
		PERFORM threads_told(told, '{}');
	END IF;
	RETURN (SELECT count(*) FROM messages t WHERE t.channel_id = c.id AND t.seq > c.swept_seq AND t.seq <= upto);
END $$;

-- Deletes a message: its text, its digest, whom it names and its files go, its row stays for its seq. By its sender, the channel's owner or
-- moderator, or an admin. 'again': it is deleted already. Those whom it named have a mention less and are told; all others see from the
-- event that it does not count any more.
DROP FUNCTION IF EXISTS message_delete(bigint, bigint, bigint);
CREATE OR REPLACE FUNCTION message_delete(channel bigint, actor bigint, wanted bigint, who acting DEFAULT NULL)
RETURNS TABLE (code text, channel_id bigint, seq bigint, id bigint, sender bigint, client_id uuid, created_us bigint, version bigint,
	body jsonb, edited_us bigint, deleted_by bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	c channels;
	o messages;
	actor_role text;
	is_admin boolean;
	thread threads;
BEGIN
	who := coalesce(who, ROW(actor, true, NULL, NULL)::acting);
	SELECT * INTO c FROM channels WHERE channels.id = channel FOR NO KEY UPDATE;
	SELECT m.role INTO actor_role FROM members m WHERE m.channel_id = channel AND m.user_id = actor;
	is_admin := acting_rank(who) > 0;
	SELECT * INTO o FROM messages t WHERE t.channel_id = channel AND t.seq = wanted AND (is_admin OR t.seq >= visible_from(channel, actor));
	code := CASE
		WHEN c.id IS NULL OR (kind_for(c.kind, actor_role, actor) <> 'public' AND actor_role IS NULL AND NOT is_admin) THEN 'not_found'
		WHEN actor_role IS NULL AND NOT is_admin THEN 'not_a_member'
		WHEN o.id IS NULL THEN 'no_message'
		WHEN NOT is_admin AND o.sender <> actor AND actor_role = 'member' THEN 'forbidden'
		WHEN o.deleted_at IS NOT NULL THEN 'again'
		ELSE 'ok' END;
	IF code = 'ok' THEN
		IF o.sender <> actor THEN
			PERFORM audit_add(who, 'message.deleted', o.sender, channel, jsonb_build_object('seq', wanted));
		END IF;
		o := message_erase(o, actor);
		IF o.thread IS NOT NULL THEN
			thread := thread_uncounted(channel, o.thread);
		END IF;
		PERFORM emit_event('r', 'message.deleted', channel, 0, wanted, tombstone_json(o));
		IF thread.root IS NOT NULL THEN
			PERFORM threads_told(ARRAY[thread], '{}');
		END IF;
	END IF;
	IF code IN ('ok', 'again') THEN
		RETURN QUERY SELECT code, o.channel_id, o.seq, o.id, o.sender, o.client_id, (extract(epoch FROM o.created_at) * 1000000)::bigint,
			o.version, NULL::jsonb, NULL::bigint, coalesce(o.deleted_by, 0);
	ELSE
		RETURN QUERY SELECT code, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::uuid, NULL::bigint, NULL::bigint,
			NULL::jsonb, NULL::bigint, NULL::bigint;
	END IF;
END $$;
