-- What somebody wants of his channels, and how his side bar is arranged: for himself alone, the same on all his devices. Told by the log,
-- so that no change is missed; replay renders the rows as they are now.

-- Changes what the patch names; a member's own. section: one of his side bar, or null. code as those of 40_channels.sql, or 'no_section'.
CREATE OR REPLACE FUNCTION prefs_change(channel bigint, person bigint, patch jsonb, OUT code text, OUT prefs jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was channel_prefs;
	p channel_prefs;
	kind text := (SELECT c.kind FROM channels c WHERE c.id = channel);
BEGIN
	IF NOT EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = person) THEN
		code := CASE WHEN kind_for(kind, NULL, person) = 'public' THEN 'not_a_member' ELSE 'not_found' END;
		RETURN;
	END IF;
	IF patch->>'section' IS NOT NULL AND NOT EXISTS (SELECT FROM sidebars s, jsonb_array_elements(s.sections) e
		WHERE s.user_id = person AND e->>'id' = patch->>'section') THEN
		code := 'no_section';
		RETURN;
	END IF;
	INSERT INTO channel_prefs (user_id, channel_id) VALUES (person, channel) ON CONFLICT DO NOTHING;
	SELECT * INTO was FROM channel_prefs t WHERE t.user_id = person AND t.channel_id = channel FOR NO KEY UPDATE;
	p := was;
	IF patch ? 'notify' THEN
		p.notify := patch->>'notify';
	END IF;
	IF patch ? 'quiet_until' THEN
		p.quiet_until := CASE WHEN patch->>'quiet_until' = 'forever' THEN 'infinity'
			WHEN (patch->>'quiet_until')::timestamptz > now() THEN (patch->>'quiet_until')::timestamptz END;
	END IF;
	IF patch ? 'favourite' THEN
		p.favourite := (patch->>'favourite')::boolean;
	END IF;
	IF patch ? 'section' THEN
		p.section := (patch->>'section')::uuid;
	END IF;
	code := 'ok';
	IF p IS NOT DISTINCT FROM was THEN
		prefs := prefs_json(was);
		RETURN;
	END IF;
	UPDATE channel_prefs t SET version = t.version + 1, notify = p.notify, quiet_until = p.quiet_until, favourite = p.favourite,
		section = p.section
	WHERE t.user_id = person AND t.channel_id = channel RETURNING * INTO p;
	prefs := prefs_json(p);
	PERFORM emit_event('p', 'prefs.updated', 0, person, channel, jsonb_build_object('channel', channel, 'prefs', prefs));
END $$;

-- All sections in their order; wanted: the version that is meant, null for whichever. code: 'ok', or 'changed' where it is of another one.
CREATE OR REPLACE FUNCTION sidebar_set(person bigint, in_sections jsonb, wanted bigint, OUT code text, OUT sidebar jsonb)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	s sidebars;
BEGIN
	INSERT INTO sidebars (user_id, sections) VALUES (person, sidebar_json(NULL)->'sections') ON CONFLICT DO NOTHING;
	SELECT * INTO s FROM sidebars t WHERE t.user_id = person FOR NO KEY UPDATE;
	IF wanted IS NOT NULL AND wanted <> s.version THEN
		code := 'changed';
		RETURN;
	END IF;
	code := 'ok';
	IF s.sections <> in_sections THEN
		UPDATE sidebars t SET version = t.version + 1, sections = in_sections WHERE t.user_id = person RETURNING * INTO s;
		PERFORM emit_event('p', 'sidebar.updated', 0, person, person, jsonb_build_object('sidebar', sidebar_json(s)));
	END IF;
	sidebar := sidebar_json(s);
END $$;
