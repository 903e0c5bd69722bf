-- Previews of links (doc/previews.md).

-- What its author wrote of a body.
CREATE OR REPLACE FUNCTION body_written(body jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT body - '{files,preview,reached,reply_to,forward}'::text[]
$$;

-- What an edit leaves of a body as it was: its files, what it refers to, and its preview as long as that is of the link which counts in the new text
-- (lib/preview/links; null: it has none). A part of another link is no link.
DROP FUNCTION IF EXISTS body_kept(jsonb, jsonb);
CREATE OR REPLACE FUNCTION body_kept(body jsonb, link text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN (SELECT coalesce(jsonb_object_agg(k, body->k), '{}') FROM unnest('{files,reply_to,forward}'::text[]) k WHERE body ? k) ||
		CASE WHEN body->'preview' = 'null' OR body->'preview'->>'url' = link
			THEN jsonb_build_object('preview', body->'preview') ELSE '{}' END;
END $$;

-- Takes note of messages that have links, new ones and those that were edited. Called by the search index, which reads each message once.
-- tries 0 where one waits already: what looks at it just now may have read what it said before.
CREATE OR REPLACE FUNCTION previews_wanted(channels bigint[], seqs bigint[]) RETURNS void LANGUAGE sql VOLATILE AS $$
	INSERT INTO preview_jobs (channel_id, seq)
	SELECT m.channel_id, m.seq FROM unnest(channels, seqs) AS t(channel, seq)
	JOIN messages m ON m.channel_id = t.channel AND m.seq = t.seq
	WHERE m.deleted_at IS NULL AND NOT m.body ? 'preview' AND coalesce(m.edited_at, m.created_at) > now() - interval '1 day'
	ON CONFLICT (channel_id, seq) DO UPDATE SET tries = 0
$$;

-- The next message to look at, for as long as it may take; no row: there is none. text null: there is nothing to do for it.
CREATE OR REPLACE FUNCTION preview_claim() RETURNS TABLE (channel bigint, seq bigint, sender bigint, said text) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH next AS (
		SELECT j.channel_id, j.seq FROM preview_jobs j WHERE j.claimed_until < now() ORDER BY j.at LIMIT 1 FOR UPDATE SKIP LOCKED
	), claimed AS (
		UPDATE preview_jobs j SET claimed_until = now() + interval '1 minute', tries = j.tries + 1 FROM next
		WHERE (j.channel_id, j.seq) = (next.channel_id, next.seq) RETURNING j.channel_id, j.seq, j.tries
	)
	SELECT c.channel_id, c.seq, coalesce(m.sender, 0), CASE WHEN c.tries <= 3 AND NOT m.body ? 'preview' THEN m.body->>'text' END
	FROM claimed c LEFT JOIN messages m ON m.channel_id = c.channel_id AND m.seq = c.seq AND m.deleted_at IS NULL;
END $$;

-- What is known of a page: 'known' with its preview (null: nothing to show); 'limited': so many have been fetched of this host, or
-- for this person, within a minute; 'ask'.
CREATE OR REPLACE FUNCTION preview_page(in_hash bytea, in_host text, who bigint, per_host bigint, per_user bigint,
	OUT state text, OUT preview jsonb) LANGUAGE plpgsql STABLE AS $$
BEGIN
	SELECT 'known', p.preview INTO state, preview FROM preview_pages p WHERE p.url_hash = in_hash AND p.expires_at > now();
	IF state IS NULL THEN
		state := CASE
			WHEN (SELECT count(*) FROM preview_pages p WHERE p.host = in_host AND p.fetched_at > now() - interval '1 minute') >= per_host
				OR (SELECT count(*) FROM preview_pages p WHERE p.asked_by = who AND p.fetched_at > now() - interval '1 minute') >= per_user
			THEN 'limited' ELSE 'ask' END;
	END IF;
END $$;

-- Keeps what a page said, or that it said nothing.
CREATE OR REPLACE FUNCTION preview_page_keep(in_hash bytea, in_host text, who bigint, in_preview jsonb, ms bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
	INSERT INTO preview_pages AS p (url_hash, host, asked_by, fetched_at, expires_at, preview)
	VALUES (in_hash, in_host, who, now(), now() + ms * interval '1 ms', in_preview)
	ON CONFLICT (url_hash) DO UPDATE SET host = excluded.host, asked_by = excluded.asked_by, fetched_at = excluded.fetched_at,
		expires_at = excluded.expires_at, preview = excluded.preview
$$;

-- Ends a job; where the message was edited since it was claimed it waits again. in_preview: what the message gets, where it still says what was read of
-- it and has no preview; null: nothing.
DROP FUNCTION IF EXISTS preview_set(bigint, bigint, jsonb);
CREATE OR REPLACE FUNCTION preview_set(channel bigint, wanted bigint, in_preview jsonb, said text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	o messages;
BEGIN
	PERFORM FROM channels c WHERE c.id = channel FOR NO KEY UPDATE;
	DELETE FROM preview_jobs j WHERE j.channel_id = channel AND j.seq = wanted AND j.tries > 0;
	UPDATE preview_jobs j SET claimed_until = '-infinity' WHERE j.channel_id = channel AND j.seq = wanted;
	UPDATE messages m SET version = m.version + 1, body = m.body || jsonb_build_object('preview', in_preview)
	WHERE m.channel_id = channel AND m.seq = wanted AND m.deleted_at IS NULL AND NOT m.body ? 'preview'
		AND m.body->>'text' = said AND in_preview IS NOT NULL
	RETURNING * INTO o;
	IF o.id IS NULL THEN
		RETURN false;
	END IF;
	PERFORM emit_event('r', 'message.updated', channel, 0, wanted, message_json(o));
	RETURN true;
END $$;

-- Takes the preview of one's own message away, for good. 'again': it has none any more.
CREATE OR REPLACE FUNCTION preview_remove(channel bigint, actor bigint, wanted bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	is_member boolean;
	code text;
BEGIN
	SELECT * INTO c FROM channels WHERE channels.id = channel FOR NO KEY UPDATE;
	is_member := EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = actor);
	SELECT * INTO o FROM messages t WHERE t.channel_id = channel AND t.seq = wanted AND t.seq >= visible_from(channel, actor);
	code := CASE
		WHEN c.id IS NULL OR (NOT is_member AND kind_for(c.kind, NULL, actor) <> 'public') THEN 'not_found'
		WHEN NOT is_member THEN 'not_a_member'
		WHEN o.id IS NULL THEN 'no_message'
		WHEN o.sender <> actor THEN 'not_yours'
		WHEN o.deleted_at IS NOT NULL THEN 'gone'
		WHEN o.body->'preview' = 'null' THEN 'again'
		ELSE 'ok' END;
	IF code <> 'ok' THEN
		RETURN code;
	END IF;
	UPDATE messages t SET version = t.version + 1, body = t.body || '{"preview":null}'
	WHERE t.channel_id = channel AND t.seq = wanted RETURNING * INTO o;
	PERFORM emit_event('r', 'message.updated', channel, 0, wanted, message_json(o));
	RETURN 'ok';
END $$;

-- Pages that have expired, and messages that nobody has looked at for a day. Returns how many.
CREATE OR REPLACE FUNCTION previews_sweep() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	WITH jobs AS (DELETE FROM preview_jobs j WHERE j.at < now() - interval '1 day' RETURNING 1),
		pages AS (DELETE FROM preview_pages p WHERE p.expires_at < now() RETURNING 1)
	SELECT (SELECT count(*) FROM jobs) + (SELECT count(*) FROM pages)
$$;
