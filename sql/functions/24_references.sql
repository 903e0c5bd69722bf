-- Messages that quote others, and forwarded ones (doc/protocol.md, section 4): what write_batch does for batches that hold any, and what
-- becomes of forwarded files. Both stand in the body: "reply_to" tells which message and by whom, both of which never change; "forward" is a
-- copy of what was said, the forwarder's own from then on.

-- A list of Files, of which some are gone.
CREATE OR REPLACE FUNCTION files_without(list jsonb, gone bigint[]) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_agg(CASE WHEN (t.file->>'id')::bigint = ANY (gone) THEN jsonb_build_object('id', t.file->'id', 'erased', true)
		WHEN (t.file->'thumbnail'->>'id')::bigint = ANY (gone) THEN t.file || '{"thumbnail": null}'
		ELSE t.file END ORDER BY t.ord)
	FROM jsonb_array_elements(list) WITH ORDINALITY AS t(file, ord)
$$;

-- The files of such a list, and their thumbnails.
CREATE OR REPLACE FUNCTION files_listed(list jsonb) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(i.id ORDER BY i.id) FROM jsonb_array_elements(list) t(file),
		LATERAL (VALUES ((t.file->>'id')::bigint), ((t.file->'thumbnail'->>'id')::bigint)) AS i(id)
	WHERE i.id IS NOT NULL AND NOT t.file ? 'erased'
$$;

-- What a message is forwarded as; of one that was forwarded itself what that bears. Its files are held against being erased meanwhile.
CREATE OR REPLACE FUNCTION forward_json(o messages) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	told jsonb := coalesce(o.body->'forward', jsonb_build_object('channel', o.channel_id, 'seq', o.seq, 'sender', o.sender,
		'created_at', time_text(o.created_at), 'text', o.body->'text') ||
		CASE WHEN o.body ? 'files' THEN jsonb_build_object('files', o.body->'files') ELSE '{}' END);
	wanted bigint[];
	held bigint[];
BEGIN
	IF told ? 'files' THEN
		wanted := files_listed(told->'files');
		SELECT array_agg(h.id) INTO held FROM (
			SELECT f.id, f.state FROM files f WHERE f.id = ANY (wanted) ORDER BY f.id FOR SHARE) h WHERE h.state = 'attached';
		told := jsonb_set(told, '{files}', files_without(told->'files', ARRAY(
			SELECT w FROM unnest(wanted) w WHERE held IS NULL OR w <> ALL (held))));
	END IF;
	RETURN told;
END $$;

-- For write_batch: whether there is what items refer to. in_referred: in pairs, a channel and a seq; channel 0: it is quoted, and stands where
-- the message itself is to stand. 19 where there is no such message to quote, 20 none to forward, 21 it is deleted. added: what their bodies
-- end with, for those that get it. Whoever is quoted is named.
CREATE OR REPLACE FUNCTION references_judge(statuses int[], in_channels bigint[], in_room int[], in_sender bigint[], roots bigint[],
	in_referring int[], in_referred bigint[], INOUT naming int[], INOUT named bigint[], OUT judged int[], OUT added text[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	item int;
	place bigint;
	root bigint;
	o messages;
BEGIN
	judged := statuses;
	added := array_fill(NULL::text, ARRAY[cardinality(statuses)]);
	FOR k IN 1 .. cardinality(in_referring) BY 2 LOOP
		item := in_referring[k];
		place := in_referred[k];
		root := abs(roots[item]);
		CONTINUE WHEN judged[item] <> 0;
		SELECT * INTO o FROM messages m
		WHERE m.channel_id = CASE place WHEN 0 THEN in_channels[in_room[item]] ELSE place END AND m.seq = in_referred[k + 1]
			AND m.seq >= visible_from(m.channel_id, in_sender[item]);
		IF place = 0 THEN
			judged[item] := CASE
				WHEN o.id IS NULL OR o.deleted_at IS NOT NULL THEN 19
				WHEN root IS NULL AND o.aside THEN 19
				WHEN root IS NOT NULL AND o.seq <> root AND o.thread IS DISTINCT FROM root THEN 19
				ELSE 0 END;
			CONTINUE WHEN judged[item] <> 0;
			added[item] := coalesce(added[item], '') || ',"reply_to":{"seq":' || o.seq || ',"sender":' || o.sender || '}';
			IF NOT EXISTS (SELECT FROM unnest(naming, named) AS n(at, who) WHERE n.at = item AND n.who = o.sender) THEN
				naming := naming || item;
				named := named || o.sender;
			END IF;
		ELSE
			judged[item] := CASE
				WHEN o.id IS NULL OR NOT EXISTS (SELECT FROM members m WHERE m.channel_id = place AND m.user_id = in_sender[item])
					OR EXISTS (SELECT FROM channels c WHERE c.id = place AND c.mls_epoch IS NOT NULL) THEN 20
				WHEN o.deleted_at IS NOT NULL THEN 21
				ELSE 0 END;
			CONTINUE WHEN judged[item] <> 0;
			added[item] := coalesce(added[item], '') || ',"forward":' || forward_json(o);
		END IF;
	END LOOP;
END $$;

-- For write_batch, once they are stored: the readers of forwarded messages may have their files.
CREATE OR REPLACE FUNCTION copies_add(statuses int[], in_channels bigint[], in_room int[], seqs bigint[], in_referring int[]) RETURNS void
LANGUAGE sql VOLATILE AS $$
	INSERT INTO file_copies (file_id, channel_id, seq)
	SELECT w.id, m.channel_id, m.seq
	FROM (SELECT DISTINCT i FROM unnest(in_referring) i WHERE statuses[i] = 0) t
	JOIN messages m ON m.channel_id = in_channels[in_room[t.i]] AND m.seq = seqs[t.i]
	CROSS JOIN LATERAL unnest(files_listed(m.body->'forward'->'files')) AS w(id)
$$;

-- Forwarded messages whose files were erased say so, some of them at a time; an event each takes the place of their former lines. Returns how
-- many there were; 0: there is nothing to do.
CREATE OR REPLACE FUNCTION copies_settle(most int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	place record;
	held bigint[];
	o messages;
	rooms bigint[] := '{}';
	seqs bigint[] := '{}';
	tails text[] := '{}';
	n int := 0;
BEGIN
	SELECT array_agg(h.id) INTO held FROM (SELECT c.id FROM channels c WHERE c.id IN (
		SELECT t.channel_id FROM file_copies t WHERE t.erased ORDER BY t.channel_id, t.seq LIMIT most) ORDER BY c.id FOR NO KEY UPDATE) h;
	FOR place IN WITH done AS (
			DELETE FROM file_copies c USING (
				SELECT t.channel_id, t.seq FROM file_copies t
				WHERE t.erased AND t.channel_id = ANY (held) ORDER BY t.channel_id, t.seq LIMIT most) d
			WHERE c.channel_id = d.channel_id AND c.seq = d.seq AND c.erased RETURNING c.channel_id, c.seq, c.file_id)
		SELECT d.channel_id, d.seq, array_agg(d.file_id) AS gone FROM done d GROUP BY 1, 2 ORDER BY 1, 2 LOOP
		n := n + 1;
		UPDATE messages m SET version = m.version + 1,
			body = jsonb_set(m.body, '{forward,files}', files_without(m.body->'forward'->'files', place.gone))
		WHERE m.channel_id = place.channel_id AND m.seq = place.seq AND m.deleted_at IS NULL RETURNING * INTO o;
		IF FOUND THEN
			rooms := rooms || o.channel_id;
			seqs := seqs || o.seq;
			tails := tails || substr(message_json(o)::text, 2);
		END IF;
	END LOOP;
	PERFORM emit_replaced('message.updated', rooms, seqs, tails);
	RETURN n;
END $$;
