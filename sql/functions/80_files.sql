-- Files (doc/files.md). Each step of a file is one statement that names the state it comes from. Locks in this order: the channel, the
-- file's row, the log's sequencer. No lock is held while the store is asked.

-- A file's thumbnail is the newest one that was ready when it was sent.
CREATE OR REPLACE FUNCTION file_json(f files) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF f.state = 'erased' THEN
		RETURN jsonb_build_object('id', f.id, 'erased', true);
	END IF;
	RETURN jsonb_build_object('id', f.id, 'name', f.name, 'size', f.size, 'type', f.type, 'width', f.width, 'height', f.height,
		'duration', f.duration, 'thumbnail', (
			SELECT jsonb_build_object('id', t.id, 'width', t.width, 'height', t.height) FROM files t
			WHERE t.thumbnail_of = f.id AND t.state = CASE f.state WHEN 'attached' THEN 'attached' ELSE 'ready' END
			ORDER BY t.id DESC LIMIT 1));
END $$;

-- Pictures that the site shows by themselves: of an emoji, or of a person. They are in no message, nor in their owner's list, and
-- count for no quota; each goes with what it is the picture of.
CREATE OR REPLACE FUNCTION file_is_picture(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT state IN ('emoji', 'profile')
$$;

-- Makes one of them (as_state) of a file that in_owner has uploaded and sent nowhere, or says why not.
CREATE OR REPLACE FUNCTION picture_take(in_owner bigint, in_file bigint, bytes_max bigint, as_state text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f files;
BEGIN
	SELECT * INTO f FROM files t WHERE t.id = in_file FOR NO KEY UPDATE;
	IF f.id IS NULL OR f.owner <> in_owner OR f.state <> 'ready' OR f.thumbnail_of IS NOT NULL THEN
		RETURN 'not_a_loose_file';
	ELSIF f.type NOT IN ('image/png', 'image/gif', 'image/webp', 'image/jpeg') THEN
		RETURN 'picture_type';
	ELSIF f.size > bytes_max THEN
		RETURN 'picture_size';
	END IF;
	UPDATE files t SET state = as_state WHERE t.id = in_file;
	RETURN 'ok';
END $$;

-- ---- uploads

-- Begins an upload, or finds it begun. The lock of the owner's row makes one after the other of what he asks at once, so that two
-- cannot pass a quota together. quota_user, quota_day: bytes, 0: any amount. retry_s: when the day's quota has room again.
CREATE OR REPLACE FUNCTION upload_begin(in_owner bigint, in_client uuid, in_channel bigint, in_thumbnail_of bigint, in_name text,
	in_size bigint, in_type text, in_sha256 bytea, in_width int, in_height int, in_duration double precision, in_key text,
	in_part_size bigint, quota_user bigint, quota_day bigint, put_ms bigint, OUT code text, OUT upload bigint, OUT retry_s bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f files;
	c channels;
	is_member boolean;
	leaves timestamptz;
BEGIN
	PERFORM FROM users u WHERE u.id = in_owner FOR NO KEY UPDATE;
	SELECT * INTO f FROM files o WHERE o.owner = in_owner AND o.client_id = in_client;
	IF f.id IS NOT NULL THEN
		upload := f.id;
		code := CASE WHEN (f.channel_id, f.name, f.size, f.declared_type) = (in_channel, in_name, in_size, in_type)
			AND (f.thumbnail_of, f.sha256, f.width, f.height, f.duration) IS NOT DISTINCT FROM
				(nullif(in_thumbnail_of, 0), in_sha256, in_width, in_height, in_duration) THEN 'again' ELSE 'client_id_reused' END;
		RETURN;
	END IF;
	SELECT * INTO c FROM channels h WHERE h.id = in_channel;
	is_member := EXISTS (SELECT FROM members m WHERE m.channel_id = in_channel AND m.user_id = in_owner);
	code := CASE
		WHEN c.id IS NULL THEN 'not_found'
		WHEN NOT is_member THEN CASE WHEN kind_for(c.kind, NULL, in_owner) = 'public' THEN 'not_a_member' ELSE 'not_found' END
		WHEN c.archived_at IS NOT NULL THEN 'unprocessable'
		WHEN in_thumbnail_of <> 0 AND NOT EXISTS (SELECT FROM files o WHERE o.id = in_thumbnail_of AND o.owner = in_owner
			AND o.channel_id = in_channel AND o.thumbnail_of IS NULL AND o.state IN ('pending', 'checking', 'ready')) THEN 'bad_thumbnail'
		WHEN quota_user > 0 AND in_size + (SELECT coalesce(sum(o.size), 0) FROM files o
			WHERE o.owner = in_owner AND o.state <> 'erased' AND NOT file_is_picture(o.state)) > quota_user THEN 'quota_user'
		ELSE 'ok' END;
	IF code = 'ok' AND quota_day > 0 THEN -- what was erased meanwhile counts too
		SELECT w.created_at INTO leaves FROM (
			SELECT o.created_at, sum(o.size) OVER (ORDER BY o.created_at DESC, o.id DESC) AS since FROM files o
			WHERE o.owner = in_owner AND o.created_at > clock_timestamp() - interval '24 hours') w
		WHERE w.since + in_size > quota_day ORDER BY w.created_at DESC LIMIT 1;
		IF in_size > quota_day OR leaves IS NOT NULL THEN
			code := 'quota_day';
			retry_s := CASE WHEN in_size <= quota_day THEN
				greatest(ceil(extract(epoch FROM leaves + interval '24 hours' - clock_timestamp())), 1) END;
		END IF;
	END IF;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	INSERT INTO files (owner, client_id, channel_id, thumbnail_of, name, size, declared_type, type, sha256, width, height, duration, key,
		part_size, put_until)
	VALUES (in_owner, in_client, in_channel, nullif(in_thumbnail_of, 0), in_name, in_size, in_type, in_type, in_sha256, in_width, in_height,
		in_duration, in_key, in_part_size, clock_timestamp() + put_ms * interval '1 millisecond')
	RETURNING id INTO upload;
END $$;

-- Parts whose addresses are asked for. Another checksum for the same number takes the place of the former.
CREATE OR REPLACE FUNCTION upload_parts(in_owner bigint, in_file bigint, numbers bigint[], sizes bigint[], hashes text[]) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM FROM files f WHERE f.id = in_file AND f.owner = in_owner AND f.state = 'pending' AND f.part_size IS NOT NULL FOR NO KEY UPDATE;
	IF NOT FOUND THEN
		RETURN 'unprocessable';
	END IF;
	INSERT INTO file_parts AS p (file_id, number, size, sha256)
	SELECT in_file, n, s, decode(h, 'hex') FROM unnest(numbers, sizes, hashes) AS t(n, s, h)
	ON CONFLICT (file_id, number) DO UPDATE SET sha256 = excluded.sha256 WHERE p.sha256 <> excluded.sha256;
	RETURN 'ok';
END $$;

-- Takes an upload to be checked: 'check'. Else how it stands: 'done', 'checking' (by somebody whose lease holds), why it was refused, or
-- 'no_upload'. checks: to be told with the outcome.
CREATE OR REPLACE FUNCTION upload_check_begin(in_owner bigint, in_file bigint, lease_ms bigint, OUT code text, OUT checks int)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	f files;
BEGIN
	UPDATE files o SET state = 'checking', checks = o.checks + 1, check_until = clock_timestamp() + lease_ms * interval '1 millisecond'
	WHERE o.id = in_file AND o.owner = in_owner
		AND (o.state = 'pending' OR (o.state = 'checking' AND o.check_until < clock_timestamp()))
	RETURNING * INTO f;
	IF f.id IS NOT NULL THEN
		code := 'check';
		checks := f.checks;
		RETURN;
	END IF;
	SELECT * INTO f FROM files o WHERE o.id = in_file AND o.owner = in_owner;
	code := CASE WHEN f.state IN ('ready', 'attached') OR file_is_picture(f.state) THEN 'done' WHEN f.state = 'checking' THEN 'checking'
		WHEN f.differs IS NOT NULL THEN 'differs_' || f.differs ELSE 'no_upload' END;
END $$;

-- The outcome of a check: 'ready', 'pending' (nothing is known, or it is not all there yet), or 'erased' because something differs. False
-- where it is not this check's any more.
CREATE OR REPLACE FUNCTION upload_check_end(in_file bigint, in_checks int, in_state text, in_type text, in_differs text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	moment timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
	UPDATE files f SET state = in_state, type = coalesce(in_type, f.type), differs = in_differs, check_until = NULL,
		completed_at = CASE WHEN in_state = 'ready' THEN moment END,
		erased_at = CASE WHEN in_state = 'erased' THEN moment END, erase_at = CASE WHEN in_state = 'erased' THEN moment END
	WHERE f.id = in_file AND f.state = 'checking' AND f.checks = in_checks;
	RETURN FOUND;
END $$;

-- ---- in messages

-- For write_batch: which items get all their files, each `ready`, the sender's own, of the channel, no thumbnail and in no message; the
-- first item that asks for one gets it. judged: statuses, with 11 for those that do not; added: to the bodies of those that do.
DROP FUNCTION IF EXISTS files_judge(int[], bigint[], int[], bigint[], int[], bigint[]);
CREATE OR REPLACE FUNCTION files_judge(statuses int[], in_channels bigint[], in_room int[], in_sender bigint[], in_filing int[],
	in_files bigint[], INOUT added text[], OUT judged int[]) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	i record;
	taken bigint[] := '{}';
	n int;
	told text;
BEGIN
	judged := statuses;
	added := coalesce(added, array_fill(NULL::text, ARRAY[cardinality(statuses)]));
	PERFORM FROM files f WHERE f.id IN (
		SELECT unnest(in_files) UNION SELECT t.id FROM files t WHERE t.thumbnail_of = ANY (in_files)) ORDER BY f.id FOR NO KEY UPDATE;
	FOR i IN SELECT t.item, array_agg(t.file ORDER BY t.ord) AS wanted FROM unnest(in_filing, in_files) WITH ORDINALITY AS t(item, file, ord)
		GROUP BY t.item ORDER BY t.item LOOP
		CONTINUE WHEN judged[i.item] <> 0;
		SELECT count(*), '[' || string_agg(file_json(f)::text, ',' ORDER BY array_position(i.wanted, f.id)) || ']' INTO n, told
		FROM files f WHERE f.id = ANY (i.wanted) AND f.state = 'ready' AND f.owner = in_sender[i.item]
			AND f.channel_id = in_channels[in_room[i.item]] AND f.thumbnail_of IS NULL AND NOT f.id = ANY (taken);
		IF n = cardinality(i.wanted) THEN
			taken := taken || i.wanted;
			added[i.item] := coalesce(added[i.item], '') || ',"files":' || told;
		ELSE
			judged[i.item] := 11;
		END IF;
	END LOOP;
END $$;

-- For write_batch: they are in their messages now, and their thumbnails with them.
DROP FUNCTION IF EXISTS files_attach(text[], bigint[], int[], bigint[]);
CREATE OR REPLACE FUNCTION files_attach(statuses int[], seqs bigint[], in_filing int[], in_files bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	UPDATE files f SET state = 'attached', seq = seqs[t.item] FROM unnest(in_filing, in_files) AS t(item, file)
	WHERE f.id = t.file AND statuses[t.item] = 0;
	UPDATE files f SET state = 'attached', seq = seqs[t.item] FROM unnest(in_filing, in_files) AS t(item, file)
	WHERE f.thumbnail_of = t.file AND f.state = 'ready' AND statuses[t.item] = 0;
END $$;

-- The messages of a channel, from `lowest` on, that bear files of these kinds (pictures, others) below a seq, the newest first, `most` of them: by
-- the indices, each read from its end. One whose files are forwarded ones that were erased a moment ago is still among them, as it still says.
CREATE OR REPLACE FUNCTION files_borne(channel bigint, lowest bigint, below bigint, most bigint, kinds boolean[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE ROWS 50
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashagg = off
AS $$
BEGIN
	RETURN QUERY SELECT DISTINCT p.seq FROM (
		(SELECT DISTINCT f.seq FROM files f WHERE true = ANY (kinds) AND f.channel_id = channel AND f.picture
			AND f.seq >= lowest AND f.seq < below AND f.state = 'attached' AND f.thumbnail_of IS NULL ORDER BY f.seq DESC LIMIT most)
		UNION ALL (SELECT DISTINCT f.seq FROM files f WHERE false = ANY (kinds) AND f.channel_id = channel AND NOT f.picture
			AND f.seq >= lowest AND f.seq < below AND f.state = 'attached' AND f.thumbnail_of IS NULL ORDER BY f.seq DESC LIMIT most)
		UNION ALL (SELECT DISTINCT c.seq FROM file_copies c WHERE c.channel_id = channel AND c.seq >= lowest AND c.seq < below
			AND (SELECT f.thumbnail_of IS NULL AND f.picture = ANY (kinds) FROM files f WHERE f.id = c.file_id) -- one by one
			ORDER BY c.seq DESC LIMIT most)) p
	ORDER BY p.seq DESC LIMIT most;
END $$;

-- A page of a channel's files: those of `most` messages below a seq, each message's in their order, as the messages say. next: what to go on
-- below, null: that was all.
CREATE OR REPLACE FUNCTION channel_files(channel bigint, lowest bigint, below bigint, most bigint, kinds boolean[], OUT files text, OUT next bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	seqs bigint[] := ARRAY(SELECT files_borne(channel, lowest, below, most + 1, kinds));
BEGIN
	IF cardinality(seqs) > most THEN
		seqs := seqs[:most];
		next := seqs[most];
	END IF;
	SELECT '[' || coalesce(string_agg(jsonb_build_object('file', t.file, 'seq', m.seq, 'version', m.version, 'sender', m.sender,
		'created_at', time_text(m.created_at), 'thread', m.thread)::text, ',' ORDER BY m.seq DESC, t.ord), '') || ']' INTO files
	FROM unnest(seqs) AS s(seq) JOIN messages m ON m.channel_id = channel AND m.seq = s.seq AND m.deleted_at IS NULL
	CROSS JOIN LATERAL jsonb_array_elements(coalesce(m.body->'files', m.body->'forward'->'files')) WITH ORDINALITY AS t(file, ord)
	JOIN files f ON f.id = (t.file->>'id')::bigint AND f.picture = ANY (kinds)
	WHERE NOT t.file ? 'erased';
END $$;

-- ---- erasing

-- Erases files, with their thumbnails; the caller has locked the channels that they are of. Their objects go by and by (files_due). Messages
-- that bear them say so, by an event each that takes the place of the message's former lines; forwarded ones a moment later
-- (copies_settle). Returns how many went.
CREATE OR REPLACE FUNCTION files_erase(wanted bigint[]) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	moment timestamptz := date_trunc('milliseconds', clock_timestamp());
	gone bigint[];
	place record;
	o messages;
	channels bigint[] := '{}';
	seqs bigint[] := '{}';
	tails text[] := '{}';
BEGIN
	PERFORM FROM files f WHERE f.id IN (
		SELECT unnest(wanted) UNION SELECT t.id FROM files t WHERE t.thumbnail_of = ANY (wanted)) ORDER BY f.id FOR NO KEY UPDATE;
	WITH e AS (
		UPDATE files f SET state = 'erased', erased_at = moment, erase_at = moment, check_until = NULL
		WHERE (f.id = ANY (wanted) OR f.thumbnail_of = ANY (wanted)) AND f.state <> 'erased' RETURNING f.id
	)
	SELECT array_agg(e.id) INTO gone FROM e;
	UPDATE file_copies c SET erased = true WHERE c.file_id = ANY (gone);
	FOR place IN SELECT DISTINCT f.channel_id, f.seq FROM files f WHERE f.id = ANY (gone) AND f.seq IS NOT NULL ORDER BY 1, 2 LOOP
		UPDATE messages m SET version = m.version + 1, body = jsonb_set(m.body, '{files}', files_without(m.body->'files', gone))
		WHERE m.channel_id = place.channel_id AND m.seq = place.seq AND m.deleted_at IS NULL RETURNING * INTO o;
		IF FOUND THEN
			channels := channels || o.channel_id;
			seqs := seqs || o.seq;
			tails := tails || substr(message_json(o)::text, 2);
		END IF;
	END LOOP;
	PERFORM emit_replaced('message.updated', channels, seqs, tails);
	RETURN coalesce(cardinality(gone), 0);
END $$;

-- For message_delete: the files of a message that is deleted go with it, and no event tells of them beside its own.
CREATE OR REPLACE FUNCTION files_erase_with(channel bigint, in_seq bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	moment timestamptz := date_trunc('milliseconds', clock_timestamp());
BEGIN
	PERFORM FROM files f WHERE f.channel_id = channel AND f.seq = in_seq ORDER BY f.id FOR NO KEY UPDATE;
	WITH e AS (
		UPDATE files f SET state = 'erased', erased_at = moment, erase_at = moment
		WHERE f.channel_id = channel AND f.seq = in_seq AND f.state <> 'erased' RETURNING f.id
	)
	UPDATE file_copies c SET erased = true FROM e WHERE c.file_id = e.id;
END $$;

-- Erases one file: one's own, or in a message by who may delete that. loose: only where it is in no message. Behind the code the
-- message that bears it, null where it is in none, or in one that he may not see.
CREATE OR REPLACE FUNCTION file_erase(who acting, wanted bigint, loose boolean)
RETURNS TABLE (code text, channel_id bigint, seq bigint, id bigint, sender bigint, client_id uuid, created_us bigint, version bigint,
	body jsonb, edited_us bigint, deleted_by bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	f files;
	actor_role text;
	is_admin boolean := acting_rank(who) > 0;
BEGIN
	SELECT * INTO f FROM files t WHERE t.id = wanted;
	PERFORM FROM channels c WHERE c.id = f.channel_id FOR NO KEY UPDATE;
	SELECT * INTO f FROM files t WHERE t.id = wanted FOR NO KEY UPDATE; -- in a message now, or a picture, or not before we are done
	SELECT m.role INTO actor_role FROM members m WHERE m.channel_id = f.channel_id AND m.user_id = who.user_id;
	code := CASE
		WHEN f.id IS NULL THEN 'no_file'
		WHEN f.owner = who.user_id AND f.state = 'emoji' AND NOT loose THEN 'an_emoji'
		WHEN f.owner = who.user_id AND f.state = 'profile' AND NOT loose THEN 'a_picture'
		WHEN f.owner = who.user_id THEN 'ok'
		WHEN loose OR f.seq IS NULL OR (NOT is_admin AND (actor_role IS NULL OR f.seq < visible_from(f.channel_id, who.user_id))) THEN 'no_file'
		WHEN NOT is_admin AND actor_role = 'member' THEN 'forbidden'
		ELSE 'ok' END;
	IF code <> 'ok' OR (loose AND (f.seq IS NOT NULL OR file_is_picture(f.state))) THEN
		RETURN QUERY SELECT code, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint, NULL::uuid, NULL::bigint, NULL::bigint,
			NULL::jsonb, NULL::bigint, NULL::bigint;
		RETURN;
	END IF;
	IF f.state <> 'erased' THEN
		IF f.owner <> who.user_id THEN
			PERFORM audit_add(who, 'file.erased', f.owner, f.channel_id, jsonb_build_object('file', f.id, 'seq', f.seq));
		END IF;
		PERFORM files_erase(ARRAY[wanted]);
	END IF;
	RETURN QUERY SELECT code, m.channel_id, m.seq, m.id, m.sender, m.client_id, (extract(epoch FROM m.created_at) * 1000000)::bigint,
		m.version, m.body, (extract(epoch FROM m.edited_at) * 1000000)::bigint,
		CASE WHEN m.deleted_at IS NOT NULL THEN coalesce(m.deleted_by, 0) END
	FROM (SELECT) one LEFT JOIN messages m ON m.channel_id = f.channel_id AND m.seq = f.seq AND m.seq >= visible_from(f.channel_id, who.user_id);
END $$;

-- Erases some of a person's files, `most` of them; how many went: 0, there are no more. His own picture goes with them;
-- those of emoji are the site's.
CREATE OR REPLACE FUNCTION files_erase_some(who acting, person bigint, most int, OUT code text, OUT erased int)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	batch bigint[];
BEGIN
	SELECT * INTO u FROM users WHERE id = person;
	code := CASE WHEN who.user_id = person THEN 'ok' ELSE judge_person(who, u, true) END;
	erased := 0;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	SELECT array_agg(t.id) INTO batch FROM (
		SELECT f.id FROM files f WHERE f.owner = person AND f.state NOT IN ('emoji', 'erased') ORDER BY f.channel_id, f.id LIMIT most) t;
	IF batch IS NULL THEN
		RETURN;
	END IF;
	PERFORM FROM channels c WHERE c.id IN (SELECT f.channel_id FROM files f WHERE f.id = ANY (batch)) ORDER BY c.id FOR NO KEY UPDATE;
	PERFORM FROM users t WHERE t.id = person FOR NO KEY UPDATE; -- one of them may become his picture meanwhile
	IF who.user_id IS DISTINCT FROM person THEN
		PERFORM audit_add(who, 'user.files_erased', person, NULL, jsonb_build_object('files', cardinality(batch)));
	END IF;
	erased := files_erase(batch);
	UPDATE users t SET own_picture = NULL, version = t.version + 1 WHERE t.id = person AND t.own_picture = ANY (batch) RETURNING * INTO u;
	IF FOUND THEN
		PERFORM people_told('p', 'user.updated', u);
	END IF;
END $$;

-- ---- care

-- Erases what is in no message and no draft after so long. An attach holds the rows that it takes, and those are passed over.
CREATE OR REPLACE FUNCTION files_collect(unattached_ms bigint, most int) RETURNS int LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	moment timestamptz := date_trunc('milliseconds', clock_timestamp());
	cutoff timestamptz := clock_timestamp() - unattached_ms * interval '1 millisecond';
	n int;
BEGIN
	UPDATE files f SET state = 'erased', erased_at = moment, erase_at = moment, check_until = NULL
	WHERE f.id IN (
		SELECT o.id FROM files o
		WHERE o.state IN ('pending', 'checking', 'ready') AND o.created_at < cutoff AND coalesce(o.completed_at, o.created_at) < cutoff
			AND (o.state <> 'pending' OR o.put_until < moment) AND (o.state <> 'checking' OR o.check_until < moment)
			AND NOT EXISTS (SELECT FROM drafts d WHERE d.user_id = o.owner AND d.channel_id = o.channel_id AND o.id = ANY (d.files))
		ORDER BY o.created_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED);
	GET DIAGNOSTICS n = ROW_COUNT;
	RETURN n;
END $$;

-- Takes erased files whose objects are to be deleted now. Where nothing is heard of one it is due again after a pause that doubles each time,
-- up to an hour.
CREATE OR REPLACE FUNCTION files_due(pause_ms bigint, most int) RETURNS TABLE (file bigint, key text, upload_id text)
LANGUAGE sql VOLATILE AS $$
	UPDATE files f SET erase_tries = f.erase_tries + 1, erase_at = clock_timestamp() +
		least(pause_ms * power(2, least(f.erase_tries, 20)), 3600000) * interval '1 millisecond'
	WHERE f.id IN (SELECT o.id FROM files o WHERE o.erase_at <= clock_timestamp() ORDER BY o.erase_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED)
	RETURNING f.id, f.key, f.upload_id
$$;

-- The store has deleted it. While an address might still be used to upload it again, it is deleted once more after that.
CREATE OR REPLACE FUNCTION files_deleted(file bigint) RETURNS void LANGUAGE sql VOLATILE AS $$
	UPDATE files f SET erase_tries = 0,
		erase_at = CASE WHEN f.put_until + interval '15 minutes' > clock_timestamp() THEN f.put_until + interval '15 minutes' END
	WHERE f.id = file AND f.state = 'erased'
$$;

-- What counts for nobody's quota any more.
CREATE OR REPLACE FUNCTION files_forget() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	WITH gone AS (
		DELETE FROM files f WHERE f.state = 'erased' AND f.erase_at IS NULL AND f.created_at < clock_timestamp() - interval '24 hours'
			AND NOT EXISTS (SELECT FROM file_copies c WHERE c.file_id = f.id) RETURNING 1
	)
	SELECT count(*) FROM gone
$$;
