-- Threads (doc/protocol.md, section 7): what becomes of a root by its replies, and who follows it. Replies themselves are messages, which
-- write_batch stores; all that is here is done for batches that hold replies.

-- Whether a thread is none of somebody's business: he may not see its root, nor has there been a reply that he may see, nor has it been his.
CREATE OR REPLACE FUNCTION thread_hidden(channel bigint, who bigint, wanted bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
	lowest bigint := visible_from(channel, who);
BEGIN
	RETURN wanted < lowest
		AND NOT EXISTS (SELECT FROM messages m WHERE m.channel_id = channel AND m.thread = wanted AND m.seq >= lowest)
		AND NOT EXISTS (SELECT FROM thread_followers f WHERE (f.user_id, f.channel_id, f.root) = (who, channel, wanted));
END $$;

-- Whether replies may go where they are to: 12 where there is no such root, 13 where that is a reply itself, 14 where it is deleted and has
-- no thread. roots: of each item, below 0 in the channel's line too, null: it is no reply.
DROP FUNCTION IF EXISTS threads_judge(int[], bigint[], int[], int[], bigint[]);
CREATE OR REPLACE FUNCTION threads_judge(statuses int[], in_channels bigint[], in_room int[], in_sender bigint[], in_replying int[], in_roots bigint[],
	OUT judged int[], OUT roots bigint[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	r record;
BEGIN
	judged := statuses;
	roots := array_fill(NULL::bigint, ARRAY[cardinality(statuses)]);
	FOR r IN SELECT t.item, t.root, m.seq, m.thread, m.deleted_at IS NOT NULL AND NOT EXISTS (SELECT FROM threads h
			WHERE h.channel_id = m.channel_id AND h.root = m.seq) AS gone
		FROM unnest(in_replying, in_roots) AS t(item, root)
		LEFT JOIN messages m ON m.channel_id = in_channels[in_room[t.item]] AND m.seq = abs(t.root)
			AND NOT thread_hidden(m.channel_id, in_sender[t.item], m.seq) LOOP
		IF judged[r.item] = 0 THEN
			judged[r.item] := CASE WHEN r.seq IS NULL THEN 12 WHEN r.thread IS NOT NULL THEN 13 WHEN r.gone THEN 14 ELSE 0 END;
		END IF;
		roots[r.item] := r.root;
	END LOOP;
END $$;

-- The first who replied, as `users` tells them.
CREATE OR REPLACE FUNCTION thread_users(channel bigint, wanted bigint) RETURNS bigint[] LANGUAGE sql STABLE AS $$
	SELECT coalesce(array_agg(u.sender ORDER BY u.first), '{}') FROM (
		SELECT m.sender, min(m.seq) AS first FROM messages m
		WHERE m.channel_id = channel AND m.thread = wanted AND m.deleted_at IS NULL GROUP BY m.sender ORDER BY 2 LIMIT 5) u
$$;

-- Follows or lets go of a thread, and moves the marker; null: as it is. Tells own instances, as do all who change such a row; without a
-- change nothing. fresh: where the marker of one begins who has none.
CREATE OR REPLACE FUNCTION thread_follower_set(who bigint, channel bigint, wanted bigint, follow boolean, upto bigint, fresh bigint)
RETURNS thread_followers LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f thread_followers;
BEGIN
	INSERT INTO thread_followers AS t (user_id, channel_id, root, following, read_seq)
	VALUES (who, channel, wanted, coalesce(follow, false), greatest(upto, fresh))
	ON CONFLICT (user_id, channel_id, root) DO UPDATE SET following = coalesce(follow, t.following), read_seq = greatest(t.read_seq, upto),
		version = t.version + 1
	WHERE coalesce(follow, t.following) <> t.following OR upto > t.read_seq
	RETURNING * INTO f;
	RETURN f;
END $$;

-- What is emitted of a thread: of its root to all, and of those of its followers' rows that have changed to themselves.
CREATE OR REPLACE FUNCTION threads_told(roots threads[], followers thread_followers[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM emit_events(array_agg('p'::"char"), array_agg(e.type ORDER BY e.ord, e.channel, e.root, e.who),
		array_agg(e.channel ORDER BY e.ord, e.channel, e.root, e.who), array_agg(e.who ORDER BY e.ord, e.channel, e.root, e.who),
		array_agg(e.root ORDER BY e.ord, e.channel, e.root, e.who), array_agg(NULL::jsonb),
		array_agg(substr(e.tail::text, 2) ORDER BY e.ord, e.channel, e.root, e.who))
	FROM (
		SELECT 1 AS ord, 'thread.updated' AS type, t.channel_id AS channel, t.root, 0::bigint AS who,
			jsonb_build_object('channel', t.channel_id, 'seq', t.root, 'replies', replies_json(t)) AS tail
		FROM unnest(roots) t
		UNION ALL
		SELECT 2, 'thread.state', f.channel_id, f.root, f.user_id, thread_state_json(f) FROM unnest(followers) f
	) e HAVING count(*) > 0;
END $$;

-- For write_batch, once the replies are stored: counts them, and sees to their followers: who has written the root, by the first reply; who
-- replies, who has then read up to there; who is named. Returns what threads_told() is to tell.
CREATE OR REPLACE FUNCTION threads_replied(statuses int[], in_channels bigint[], in_room int[], in_sender bigint[], roots bigint[], seqs bigint[],
	ids bigint[], now_at timestamptz, in_naming int[], in_named bigint[], OUT changed threads[], OUT followers thread_followers[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	r record;
	t threads;
	f thread_followers;
	before bigint;
	author bigint;
BEGIN
	changed := '{}';
	followers := '{}';
	FOR r IN SELECT in_channels[in_room[i]] AS channel, abs(roots[i]) AS root, count(*) AS n, max(seqs[i]) AS last_seq,
			array_agg(i ORDER BY seqs[i]) AS items, (array_agg(ids[i] ORDER BY seqs[i] DESC))[1] AS last_id
		FROM generate_subscripts(statuses, 1) i WHERE statuses[i] = 0 AND roots[i] IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2 LOOP
		SELECT * INTO t FROM threads h WHERE h.channel_id = r.channel AND h.root = r.root;
		before := coalesce(nullif(t.last_seq, 0), r.root);
		t.users := coalesce(t.users, '{}');
		FOR k IN 1 .. cardinality(r.items) LOOP
			IF cardinality(t.users) < 5 AND NOT in_sender[r.items[k]] = ANY (t.users) THEN
				t.users := t.users || in_sender[r.items[k]];
			END IF;
		END LOOP;
		INSERT INTO threads AS h (channel_id, root, version, replies, last_seq, last_at, last_id, users)
		VALUES (r.channel, r.root, 1, r.n, r.last_seq, now_at, r.last_id, t.users)
		ON CONFLICT (channel_id, root) DO UPDATE SET version = h.version + 1, replies = h.replies + r.n, last_seq = r.last_seq, last_at = now_at,
			last_id = r.last_id, users = t.users
		RETURNING * INTO t;
		changed := changed || t;
		IF t.version = 1 THEN
			SELECT m.sender INTO author FROM messages m JOIN members o ON o.channel_id = m.channel_id AND o.user_id = m.sender
			WHERE m.channel_id = r.channel AND m.seq = r.root;
		ELSE
			author := NULL;
		END IF;
		-- each once, in the order of everybody else. upto: who replies has read what was there
		FOR f IN SELECT s.* FROM (
				SELECT w.who, max(w.upto) AS upto, min(w.fresh) AS fresh FROM (
					SELECT in_sender[i] AS who, seqs[i] AS upto, before AS fresh FROM unnest(r.items) i
					UNION ALL SELECT author, 0, r.root WHERE author IS NOT NULL
					UNION ALL SELECT m.user_id, 0, before FROM unnest(in_naming, in_named) AS n(item, named)
						JOIN members m ON m.channel_id = r.channel AND m.user_id = n.named
						WHERE n.item = ANY (r.items) AND n.named <> in_sender[n.item]
				) w GROUP BY w.who ORDER BY w.who) w
			CROSS JOIN LATERAL thread_follower_set(w.who, r.channel, r.root, true, w.upto, w.fresh) s WHERE s.user_id IS NOT NULL LOOP
			followers := followers || f;
		END LOOP;
		-- There was none, or none any more: no list had the thread, so those who follow it already may not know.
		IF t.replies = r.n THEN
			followers := followers || ARRAY(SELECT w FROM thread_followers w JOIN members m ON m.channel_id = w.channel_id AND m.user_id = w.user_id
				WHERE w.channel_id = r.channel AND w.root = r.root AND w.following AND NOT EXISTS (SELECT FROM unnest(followers) g
					WHERE g.channel_id = w.channel_id AND g.root = w.root AND g.user_id = w.user_id) ORDER BY w.user_id);
		END IF;
	END LOOP;
END $$;

-- For message_delete: a reply that is deleted already does not count any more.
CREATE OR REPLACE FUNCTION thread_uncounted(channel bigint, wanted bigint) RETURNS threads LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	t threads;
	l messages;
BEGIN
	SELECT * INTO l FROM messages m WHERE m.channel_id = channel AND m.thread = wanted AND m.deleted_at IS NULL ORDER BY m.seq DESC LIMIT 1;
	UPDATE threads h SET version = h.version + 1, replies = h.replies - 1, last_seq = coalesce(l.seq, 0), last_at = l.created_at,
		last_id = coalesce(l.id, 0), users = thread_users(channel, wanted)
	WHERE h.channel_id = channel AND h.root = wanted RETURNING * INTO t;
	RETURN t;
END $$;

-- For message_edit: who is named anew in a reply follows its thread.
CREATE OR REPLACE FUNCTION thread_named(o messages, named bigint[]) RETURNS thread_followers[] LANGUAGE sql VOLATILE AS $$
	SELECT coalesce(array_agg(s), '{}') FROM unnest(named) AS n(who)
	CROSS JOIN LATERAL thread_follower_set(n.who, o.channel_id, o.thread, true, 0, o.seq - 1) s WHERE s.user_id IS NOT NULL
$$;

-- What one does oneself: follow or let go (follow), read up to a seq (upto; clamped). A marker is kept of who follows, or has followed. Who
-- begins to follow has read what is there. Returns a code as those of 40_channels.sql, and the state.
CREATE OR REPLACE FUNCTION thread_mark(channel bigint, reader bigint, wanted bigint, follow boolean, upto bigint, OUT code text, OUT state jsonb)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	o messages;
	f thread_followers;
	is_member boolean := EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = reader);
	last_seq bigint := coalesce((SELECT m.seq FROM messages m WHERE m.channel_id = channel AND m.thread = wanted ORDER BY m.seq DESC LIMIT 1),
		wanted);
BEGIN
	SELECT * INTO o FROM messages m WHERE m.channel_id = channel AND m.seq = wanted;
	code := CASE
		WHEN NOT is_member THEN CASE WHEN kind_for((SELECT c.kind FROM channels c WHERE c.id = channel), NULL, reader) = 'public' THEN 'not_a_member'
			ELSE 'not_found' END
		WHEN o.id IS NULL OR thread_hidden(channel, reader, wanted) THEN 'no_message'
		WHEN o.thread IS NOT NULL THEN 'a_reply'
		ELSE 'ok' END;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	IF follow OR EXISTS (SELECT FROM thread_followers t WHERE (t.user_id, t.channel_id, t.root) = (reader, channel, wanted)) THEN
		f := thread_follower_set(reader, channel, wanted, follow, CASE WHEN upto IS NOT NULL THEN least(upto, last_seq) END, last_seq);
		IF f.user_id IS NOT NULL THEN
			PERFORM threads_told('{}', ARRAY[f]);
		END IF;
	END IF;
	state := thread_state_of(channel, reader, wanted);
END $$;
