-- Search (doc/search.md): the index is filled by search_index_store(), read by search_find(). What a word is, is lib/search's matter.

-- The part of the index that a message stands in: 32768 ids each. Its lexemes begin with the part's mark, so that one part can be asked
-- without the others: the newest first, until there are enough.
CREATE OR REPLACE FUNCTION search_part(id bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT id >> 15
$$;

CREATE OR REPLACE FUNCTION search_mark(part bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT to_hex(part)
$$;

-- Stores what a batch of messages says, for all that are still as they were read (version), and takes the others out of the index where
-- they are deleted; moves the state from one place to the next. False: it stands elsewhere, another process was at it.
-- vectors: texts of tsvectors with '%' where the mark goes; '': the message is deleted.
CREATE OR REPLACE FUNCTION search_index_store(from_event bigint, from_walking boolean, from_channel bigint, from_seq bigint,
	to_event bigint, to_walking boolean, to_channel bigint, to_seq bigint,
	channels bigint[], seqs bigint[], versions bigint[], vectors text[]) RETURNS boolean LANGUAGE plpgsql VOLATILE
-- by the indices, whatever the statistics were when the statements were planned
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
BEGIN
	-- what a crash loses is done again
	PERFORM set_config('synchronous_commit', 'off', true);
	UPDATE search_state s SET event = to_event, walking = to_walking, channel_id = to_channel, seq = to_seq
	WHERE (s.event, s.walking, s.channel_id, s.seq) = (from_event, from_walking, from_channel, from_seq);
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	IF '' = ANY (vectors) THEN
		DELETE FROM message_index i USING unnest(channels, seqs, vectors) AS t(channel, seq, vector), messages m
		WHERE t.vector = '' AND m.channel_id = t.channel AND m.seq = t.seq AND i.id = m.id;
	END IF;
	WITH put AS (
		INSERT INTO message_index AS i (id, channel_id, seq, created_at, words)
		SELECT m.id, m.channel_id, m.seq, m.created_at, replace(t.vector, '%', search_mark(search_part(m.id)))::tsvector
		FROM unnest(channels, seqs, versions, vectors) AS t(channel, seq, version, vector)
		JOIN messages m ON m.channel_id = t.channel AND m.seq = t.seq
		WHERE t.vector <> '' AND m.version = t.version AND m.deleted_at IS NULL
		ON CONFLICT (id) DO UPDATE SET words = excluded.words WHERE i.words <> excluded.words
		RETURNING i.id, i.created_at)
	INSERT INTO search_parts AS p (part, first_at, last_at)
	SELECT search_part(m.id), min(m.created_at), max(m.created_at) FROM put m GROUP BY 1
	ON CONFLICT (part) DO UPDATE SET first_at = least(p.first_at, excluded.first_at), last_at = greatest(p.last_at, excluded.last_at)
	WHERE p.first_at > excluded.first_at OR p.last_at < excluded.last_at;
	PERFORM previews_wanted(array_agg(t.channel), array_agg(t.seq)) FROM unnest(channels, seqs, vectors) AS t(channel, seq, vector)
	WHERE starts_with(t.vector, $q$'%hlink'$q$) HAVING count(*) > 0;
	PERFORM gin_clean_pending_list(to_regclass('message_index_words_idx')); -- null while it is built anew, after a bulk load
	RETURN true;
END $$;

-- Messages that the log tells of above one event and up to another, each once, as they are now; body null: deleted.
DROP FUNCTION IF EXISTS search_log(bigint, bigint);
CREATE OR REPLACE FUNCTION search_log(above bigint, upto bigint)
RETURNS TABLE (channel_id bigint, seq bigint, sender bigint, version bigint, body jsonb, thread bigint) LANGUAGE sql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
	SELECT m.channel_id, m.seq, m.sender, m.version, CASE WHEN m.deleted_at IS NULL THEN m.body END, m.thread
	FROM (SELECT DISTINCT e.channel_id, e.subject FROM events e
		WHERE e.id > above AND e.id <= upto AND e.type IN ('message', 'message.updated', 'message.deleted')) e
	JOIN messages m ON m.channel_id = e.channel_id AND m.seq = e.subject
$$;

-- What a search is about: whom and where its filters name, where the reader may look, how far the index has come. All that is read
-- afterwards stands in the same snapshot.
-- rooms: the channels to look in, all of his where he names none; few_rooms: the index is asked by them, else by
-- who is where; whole: what the index lacks is in the log above `event`.
DROP FUNCTION IF EXISTS search_scope(bigint, text[], text[], text, text);
CREATE OR REPLACE FUNCTION search_scope(reader bigint, in_from text[], in_rooms text[], in_before text, in_after text)
RETURNS TABLE (cursor text, senders bigint[], no_sender text, rooms bigint[], no_room text, few_rooms boolean, before_at timestamptz,
	after_at timestamptz, event bigint, head bigint, whole boolean) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
	zone text := coalesce((SELECT u.time_zone FROM users u WHERE u.id = reader), 'UTC');
	wish text;
	one bigint;
	named bigint[] := '{}';
BEGIN
	cursor := stream_cursor();
	senders := '{}';
	FOREACH wish IN ARRAY in_from LOOP
		SELECT u.id INTO one FROM users u
		WHERE CASE WHEN wish = 'me' THEN u.id = reader ELSE u.handle = lower(wish) AND knows_person(reader, u.id) END;
		IF one IS NULL THEN
			no_sender := coalesce(no_sender, wish);
		ELSE
			senders := senders || one;
		END IF;
	END LOOP;
	FOREACH wish IN ARRAY in_rooms LOOP
		SELECT c.id INTO one FROM channels c JOIN members m ON m.channel_id = c.id AND m.user_id = reader
		WHERE CASE WHEN wish LIKE '@_%' THEN c.kind = 'direct' AND EXISTS (SELECT FROM users u
				WHERE u.handle = lower(substr(wish, 2))
					AND (c.direct_low, c.direct_high) = (least(u.id, reader), greatest(u.id, reader)))
			ELSE c.kind <> 'direct' AND lower(c.name) = lower(wish) END;
		IF one IS NULL THEN
			no_room := coalesce(no_room, wish);
		ELSE
			named := named || one;
		END IF;
	END LOOP;
	IF cardinality(in_rooms) > 0 THEN
		rooms := named;
	ELSE
		rooms := ARRAY(SELECT m.channel_id FROM members m WHERE m.user_id = reader ORDER BY m.channel_id);
	END IF;
	few_rooms := cardinality(in_rooms) > 0 OR cardinality(rooms) <= 16;
	before_at := CASE WHEN in_before <> '' THEN in_before::timestamp AT TIME ZONE zone ELSE 'infinity' END;
	after_at := CASE WHEN in_after <> '' THEN in_after::timestamp AT TIME ZONE zone ELSE '-infinity' END;
	head := stream_head();
	SELECT s.event, NOT s.walking AND (s.event = head OR EXISTS (SELECT FROM events e WHERE e.id = s.event + 1)) INTO event, whole
	FROM search_state s;
	RETURN NEXT;
END $$;

-- Messages that the index proposes, newest first, below an id, as they are now; a part of the index after the other until there are
-- `want`, or `budget` milliseconds have gone: then a last row with a null seq says by its id from where on it has not looked.
-- template: of a tsquery, with '%' where a part's mark goes; '': any message of the reader's channels.
DROP FUNCTION IF EXISTS search_find(bigint, text, timestamptz, timestamptz, bigint, int, int);
CREATE OR REPLACE FUNCTION search_find(reader bigint, template text, before_at timestamptz, after_at timestamptz, below bigint,
	want int, budget int)
RETURNS TABLE (channel_id bigint, seq bigint, id bigint, sender bigint, created_us bigint, version bigint, body jsonb, edited_us bigint,
	thread bigint)
LANGUAGE plpgsql STABLE
-- One plan for all: the words by their index, sorted; then message after message, until there are enough. Whose channel it is is looked
-- up once for each channel (Memoize).
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
	until timestamptz := clock_timestamp() + budget * interval '1 millisecond';
	p bigint;
	got int := 0;
	n int;
BEGIN
	FOR p IN SELECT s.part FROM search_parts s
		WHERE s.part <= search_part(below - 1) AND s.first_at < before_at AND s.last_at >= after_at ORDER BY s.part DESC LOOP
		IF clock_timestamp() > until THEN
			id := (p + 1) << 15;
			RETURN NEXT;
			RETURN;
		END IF;
		IF template <> '' THEN
			RETURN QUERY
			SELECT m.channel_id, m.seq, m.id, m.sender, (extract(epoch FROM m.created_at) * 1000000)::int8, m.version, m.body,
				(extract(epoch FROM m.edited_at) * 1000000)::int8, m.thread
			FROM (SELECT i.id, i.channel_id, i.seq FROM message_index i
				WHERE i.words @@ replace(template, '%', search_mark(p))::tsquery AND i.id + 0 < below -- + 0: by the words' index alone
					AND i.created_at < before_at AND i.created_at >= after_at
				ORDER BY i.id DESC OFFSET 0) i
			JOIN members r ON r.channel_id = i.channel_id AND r.user_id = reader
			JOIN messages m ON m.channel_id = i.channel_id AND m.seq = i.seq AND m.seq >= r.first_seq AND m.deleted_at IS NULL
			ORDER BY i.id DESC LIMIT want - got;
		ELSE
			RETURN QUERY
			SELECT m.channel_id, m.seq, m.id, m.sender, (extract(epoch FROM m.created_at) * 1000000)::int8, m.version, m.body,
				(extract(epoch FROM m.edited_at) * 1000000)::int8, m.thread
			FROM (SELECT i.id, i.channel_id, i.seq FROM message_index i
				WHERE i.id < least(below, (p + 1) << 15) AND i.id >= p << 15 AND i.created_at < before_at AND i.created_at >= after_at
				ORDER BY i.id DESC OFFSET 0) i
			JOIN members r ON r.channel_id = i.channel_id AND r.user_id = reader
			JOIN messages m ON m.channel_id = i.channel_id AND m.seq = i.seq AND m.seq >= r.first_seq AND m.deleted_at IS NULL
			ORDER BY i.id DESC LIMIT want - got;
		END IF;
		GET DIAGNOSTICS n = ROW_COUNT;
		got := got + n;
		EXIT WHEN got >= want;
	END LOOP;
END $$;
