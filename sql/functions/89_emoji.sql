-- Custom emoji (doc/protocol.md, section 3). Locks in this order: the list, the file's row, the log's sequencer.

CREATE OR REPLACE FUNCTION custom_emoji_json(e custom_emoji) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('name', e.name, 'file', e.file_id, 'by', e.creator, 'at', time_text(e.at), 'version', e.version)
$$;

-- Tells everybody, guests too, that one is there, or (null) is there no more. The line keeps what it said: a later one says otherwise.
CREATE OR REPLACE FUNCTION custom_emoji_told(in_name text, emoji jsonb) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	line jsonb;
	n bigint;
BEGIN
	UPDATE custom_emoji_list l SET version = l.version + 1 RETURNING l.version INTO n;
	line := jsonb_build_object('name', in_name, 'emoji', emoji, 'version', n);
	PERFORM emit_event('p', 'emoji.updated', 0, -2, n, line, line);
END $$;

-- Adds one: of a picture that one has uploaded and sent nowhere. everyone: whoever is no guest may, else owners and admins alone.
-- 'again': it is so already.
CREATE OR REPLACE FUNCTION custom_emoji_add(who acting, in_name text, in_file bigint, everyone boolean, emoji_max bigint, bytes_max bigint,
	OUT code text, OUT until_us bigint, OUT state jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	e custom_emoji;
	n bigint;
BEGIN
	SELECT l.version + 1 INTO n FROM custom_emoji_list l FOR NO KEY UPDATE;
	SELECT * INTO u FROM users t WHERE t.id = who.user_id;
	SELECT * INTO e FROM custom_emoji t WHERE t.name = in_name;
	code := CASE
		WHEN NOT everyone AND acting_rank(who) < 2 THEN 'admins_only'
		WHEN u.role = 'guest' THEN 'guest_emoji'
		WHEN u.muted_until > now() THEN 'muted'
		WHEN e.file_id = in_file AND e.creator = u.id THEN 'again'
		WHEN e.name IS NOT NULL THEN 'emoji_taken'
		WHEN (SELECT count(*) FROM custom_emoji) >= emoji_max THEN 'too_many_emoji'
		ELSE picture_take(u.id, in_file, bytes_max, 'emoji') END;
	IF code = 'muted' AND u.muted_until <> 'infinity' THEN
		until_us := (extract(epoch FROM u.muted_until) * 1000000)::bigint;
	END IF;
	IF code = 'ok' THEN
		INSERT INTO custom_emoji (name, file_id, creator, version, at)
		VALUES (in_name, in_file, u.id, n, date_trunc('milliseconds', clock_timestamp())) RETURNING * INTO e;
	END IF;
	IF code IN ('ok', 'again') THEN
		state := custom_emoji_json(e);
	END IF;
	IF code = 'ok' THEN
		PERFORM custom_emoji_told(in_name, state);
	END IF;
END $$;

-- Removes one, with its picture: one's own, or anybody's as an owner or admin. Texts and reactions keep its name. 'again': there is none.
CREATE OR REPLACE FUNCTION custom_emoji_remove(who acting, in_name text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	e custom_emoji;
BEGIN
	PERFORM FROM custom_emoji_list FOR NO KEY UPDATE;
	SELECT * INTO e FROM custom_emoji t WHERE t.name = in_name;
	IF e.name IS NULL THEN
		RETURN 'again';
	ELSIF e.creator IS DISTINCT FROM who.user_id AND acting_rank(who) < 2 THEN
		RETURN 'not_your_emoji';
	END IF;
	DELETE FROM custom_emoji t WHERE t.name = in_name;
	IF e.creator IS DISTINCT FROM who.user_id THEN
		PERFORM audit_add(who, 'emoji.removed', e.creator, NULL, jsonb_build_object('name', in_name, 'file', e.file_id));
	END IF;
	PERFORM files_erase(ARRAY[e.file_id]);
	PERFORM custom_emoji_told(in_name, NULL);
	RETURN 'ok';
END $$;
