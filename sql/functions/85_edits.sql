-- Editing messages (doc/protocol.md, sections 4 and 6).

-- What a message leaves elsewhere goes with it. Under the channel's lock.
CREATE OR REPLACE FUNCTION message_traces_erase(channel bigint, wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	DELETE FROM message_edits t WHERE t.channel_id = channel AND t.seq = wanted;
	DELETE FROM reactions t WHERE t.channel_id = channel AND t.seq = wanted;
	DELETE FROM message_reactions t WHERE t.channel_id = channel AND t.seq = wanted;
	PERFORM message_kept_erase(channel, wanted);
END $$;

-- Whether a member may write in a channel now: ok, archived, encrypted or muted (until_us: as of write_batch).
CREATE OR REPLACE FUNCTION may_write(c channels, actor bigint, OUT code text, OUT until_us bigint) LANGUAGE plpgsql STABLE AS $$
BEGIN
	code := CASE
		WHEN c.archived_at IS NOT NULL THEN 'archived'
		WHEN c.mls_epoch IS NOT NULL THEN 'encrypted'
		WHEN EXISTS (SELECT FROM members m JOIN users u ON u.id = m.user_id
			WHERE m.channel_id = c.id AND m.user_id = actor AND (m.muted_until > now() OR u.muted_until > now())) THEN 'muted'
		ELSE 'ok' END;
	IF code = 'muted' THEN
		until_us := muted_until_us(c.id, actor);
	END IF;
END $$;

-- Edits a message: by its sender, within the window (ms from its creation; 0: nobody edits), as he could write it now. Its files stay, and its
-- preview where the link does. link: the one that counts in the text (lib/preview/links), null: it has none.
-- blank: the text says nothing, which only one with files may. named: whom it names now, each once. expected: the version that he
-- means to edit, null: any. 'again': it says just this. Who is named anew has a mention more, who is not named any more one less, and
-- those are told; all others see from the event what it says. Groups as calls_edited() says.
DROP FUNCTION IF EXISTS message_edit(bigint, bigint, bigint, text, boolean, bigint[], bigint, bigint);
CREATE OR REPLACE FUNCTION message_edit(channel bigint, actor bigint, wanted bigint, in_body text, blank boolean, named bigint[],
	expected bigint, edit_window bigint, link text DEFAULT NULL, OUT code text, OUT until_us bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kept CONSTANT int := 100; -- former bodies of a message
	c channels;
	o messages;
	is_member boolean;
	written jsonb := in_body::jsonb;
	before bigint[];
	after bigint[];
	changed bigint[];
	calls record;
	followers thread_followers[];
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
		WHEN body_written(o.body) = written THEN 'again'
		ELSE 'ok' END;
	IF code = 'ok' THEN
		SELECT w.code, w.until_us INTO code, until_us FROM may_write(c, actor) w;
	END IF;
	IF code = 'ok' THEN
		code := CASE
			WHEN blank AND NOT o.body ?| '{files,forward}' THEN 'empty'
			WHEN edit_window = 0 THEN 'no_edits'
			WHEN o.created_at <= clock_timestamp() - edit_window * interval '1 ms' THEN 'too_late'
			-- it says something else by now: a preview, or a file that was erased, is no edit
			WHEN expected > o.version OR EXISTS (SELECT FROM message_edits t
				WHERE t.channel_id = channel AND t.seq = wanted AND t.version >= expected) THEN 'changed'
			ELSE 'ok' END;
	END IF;
	IF code = 'ok' THEN
		calls := calls_edited(c, actor, wanted, o.body, written);
		code := calls.code;
	END IF;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	IF body_wide(o.body) AND NOT body_wide(written) THEN -- all see it from the event
		DELETE FROM wide_mentions w WHERE w.channel_id = channel AND w.seq = wanted;
	END IF;

	before := body_reached(o.body);
	INSERT INTO message_edits (channel_id, seq, version, at, body)
	VALUES (channel, wanted, o.version, coalesce(o.edited_at, o.created_at), body_written(o.body));
	DELETE FROM message_edits t WHERE t.channel_id = channel AND t.seq = wanted AND t.version <= (
		SELECT e.version FROM message_edits e WHERE e.channel_id = channel AND e.seq = wanted ORDER BY e.version DESC OFFSET kept LIMIT 1);
	UPDATE messages t SET version = t.version + 1, edited_at = date_trunc('milliseconds', clock_timestamp()),
		body = written || CASE WHEN calls.lists <> '{}' THEN jsonb_build_object('reached', calls.lists) ELSE '{}' END || body_kept(o.body, link)
	WHERE t.channel_id = channel AND t.seq = wanted RETURNING * INTO o;
	after := body_reached(o.body);

	WITH fewer AS (
		DELETE FROM mentions n WHERE n.user_id = ANY (before) AND n.user_id <> ALL (after) AND n.channel_id = channel AND n.seq = wanted
		RETURNING n.user_id
	), more AS ( -- those who are members now
		INSERT INTO mentions (user_id, channel_id, seq)
		SELECT m.user_id, channel, wanted FROM members m
		WHERE m.channel_id = channel AND m.user_id = ANY (after) AND m.user_id <> ALL (before) AND m.user_id <> actor
			AND m.first_seq <= wanted
		ON CONFLICT DO NOTHING RETURNING user_id
	)
	SELECT array_agg(u.user_id), array_agg(u.user_id ORDER BY u.user_id) FILTER (WHERE u.anew) INTO changed, before
	FROM (SELECT user_id, false AS anew FROM fewer UNION ALL SELECT user_id, true FROM more) u;
	IF o.thread IS NOT NULL THEN
		-- a group follows nothing
		followers := thread_named(o, ARRAY(SELECT b FROM unnest(before) b WHERE b = ANY (named) ORDER BY b));
	END IF;
	PERFORM mentions_told(channel, wanted, changed, actor);
	PERFORM emit_event('r', 'message.updated', channel, 0, wanted, message_json(o));
	PERFORM threads_told('{}', followers);
END $$;
