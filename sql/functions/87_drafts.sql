-- Drafts (doc/protocol.md, sections 4 and 8): one of each person and channel, and of each thread in it, told to his own instances alone and never logged.

CREATE OR REPLACE FUNCTION draft_json(d drafts) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('channel', d.channel_id, 'thread', nullif(d.thread, 0), 'text', d.text, 'files', to_jsonb(d.files), 'reply_to', d.reply_to,
		'version', d.version, 'edited_at', time_text(d.edited_at))
$$;

-- What `drafts=` sums up. Of a thread only a draft that says something counts: it is forgotten some time after it does no more, and its
-- versions begin with the time, so that no two sums agree by chance.
CREATE OR REPLACE FUNCTION draft_counts(d drafts) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT d.thread = 0 OR d.text <> '' OR d.files <> '{}' OR d.reply_to IS NOT NULL
$$;

-- The line. A long one bears no text: a notification would not hold it.
CREATE OR REPLACE FUNCTION draft_line(d drafts) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	line jsonb := jsonb_build_object('type', 'draft') || draft_json(d);
BEGIN
	RETURN CASE WHEN octet_length(line::text) <= 7000 THEN line ELSE line - 'text' - 'files' - 'reply_to' - 'edited_at' END;
END $$;

-- Sets a draft, or takes it away (no text, no files and nothing that it answers), where it still is of the version that it is based on (null: of
-- whichever): so what was written before a message was sent does not come back behind it. 'again': it is so already, by another request. What is taken
-- away though there was nothing gets a version all the same, for what is still on its way.
DROP FUNCTION IF EXISTS draft_set(bigint, bigint, text, bigint[], bigint);
DROP FUNCTION IF EXISTS draft_set(bigint, bigint, bigint, text, bigint[], bigint);
CREATE OR REPLACE FUNCTION draft_set(channel bigint, writer bigint, root bigint, in_text text, in_files bigint[], in_reply_to bigint,
	based bigint,
	OUT code text, OUT state jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	d drafts;
	above messages;
	is_member boolean := EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = writer);
	blank boolean := in_text = '' AND in_files = '{}' AND in_reply_to IS NULL;
BEGIN
	SELECT * INTO c FROM channels h WHERE h.id = channel;
	IF root > 0 THEN
		SELECT * INTO above FROM messages t WHERE t.channel_id = channel AND t.seq = root;
	END IF;
	code := CASE
		WHEN c.id IS NULL OR (NOT is_member AND kind_for(c.kind, NULL, writer) <> 'public') THEN 'not_found'
		WHEN NOT is_member THEN 'not_a_member'
		WHEN root > 0 AND (above.id IS NULL OR thread_hidden(channel, writer, root)) THEN 'no_root'
		WHEN above.thread IS NOT NULL THEN 'root_is_reply'
		WHEN cardinality(in_files) > (SELECT count(*) FROM files f WHERE f.id = ANY (in_files) AND f.owner = writer AND f.channel_id = channel
			AND f.thumbnail_of IS NULL AND f.state IN ('pending', 'checking', 'ready')) THEN 'not_attachable'
		ELSE 'ok' END;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	LOOP
		SELECT * INTO d FROM drafts t WHERE t.user_id = writer AND t.channel_id = channel AND t.thread = root FOR NO KEY UPDATE;
		d.version := coalesce(d.version, 0);
		code := CASE
			WHEN d.version > 0 AND d.text = in_text AND d.files = in_files AND d.reply_to IS NOT DISTINCT FROM in_reply_to
				AND NOT (blank AND based IS NOT DISTINCT FROM d.version) THEN 'again'
			WHEN based <> d.version THEN 'draft_changed'
			ELSE 'ok' END;
		IF code = 'again' THEN
			state := draft_json(d);
		END IF;
		IF code <> 'ok' THEN
			RETURN;
		END IF;
		INSERT INTO drafts AS t (user_id, channel_id, thread, version, text, files, reply_to, edited_at)
		VALUES (writer, channel, root, CASE WHEN root > 0 AND d.version = 0 THEN (extract(epoch FROM clock_timestamp()) * 1000)::bigint
			ELSE d.version + 1 END, in_text, in_files, in_reply_to, date_trunc('milliseconds', clock_timestamp()))
		ON CONFLICT (user_id, channel_id, thread) DO UPDATE
			SET version = excluded.version, text = excluded.text, files = excluded.files, reply_to = excluded.reply_to,
				edited_at = excluded.edited_at
			WHERE t.version = d.version
		RETURNING * INTO d;
		EXIT WHEN FOUND; -- else another one was first to make it
	END LOOP;
	state := draft_json(d);
	PERFORM notify_state(writer, draft_line(d));
END $$;

-- Forgets drafts of threads that say nothing any more, when no client goes on from a log as old as that.
CREATE OR REPLACE FUNCTION drafts_forget(retention_ms bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	WITH gone AS (
		DELETE FROM drafts d WHERE NOT draft_counts(d) AND d.edited_at < clock_timestamp() - retention_ms * interval '1 millisecond' RETURNING 1
	)
	SELECT count(*) FROM gone
$$;
