-- Pinned messages, and those that people have saved for themselves (doc/protocol.md, section 4).

-- Sets the list, and tells the members. Under the channel's lock.
CREATE OR REPLACE FUNCTION pins_put(channel bigint, wanted bigint, in_list jsonb) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO pins AS t (channel_id, version, list) VALUES (channel, 1, in_list)
	ON CONFLICT (channel_id) DO UPDATE SET version = t.version + 1, list = excluded.list;
	PERFORM emit_event('p', 'pins.updated', channel, 0, wanted, pins_json(channel));
END $$;

CREATE OR REPLACE FUNCTION pins_without(channel bigint, wanted bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT jsonb_agg(l.value ORDER BY l.ord) FROM pins p, jsonb_array_elements(p.list) WITH ORDINALITY AS l(value, ord)
		WHERE p.channel_id = channel AND (l.value->>'seq')::bigint <> wanted), '[]')
$$;

-- Pins a message (wish), or takes it down. 'again': it is so already. In a direct channel both may; else who has a say in the channel.
CREATE OR REPLACE FUNCTION pin_set(channel bigint, who acting, wanted bigint, wish boolean, pins_max int,
	OUT code text, OUT until_us bigint, OUT state jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	actor_role text;
	is_admin boolean := acting_rank(who) > 0;
	held jsonb;
	there boolean;
BEGIN
	SELECT * INTO c FROM channels h WHERE h.id = channel FOR NO KEY UPDATE;
	SELECT m.role INTO actor_role FROM members m WHERE m.channel_id = channel AND m.user_id = who.user_id;
	is_admin := is_admin AND c.kind <> 'direct';
	SELECT * INTO o FROM messages t WHERE t.channel_id = channel AND t.seq = wanted AND (is_admin OR t.seq >= visible_from(channel, who.user_id));
	SELECT p.list INTO held FROM pins p WHERE p.channel_id = channel;
	there := coalesce(held @> jsonb_build_array(jsonb_build_object('seq', wanted)), false);
	code := CASE
		WHEN c.id IS NULL OR (actor_role IS NULL AND NOT is_admin AND kind_for(c.kind, NULL, who.user_id) <> 'public') THEN 'not_found'
		WHEN actor_role IS NULL AND NOT is_admin THEN 'not_a_member'
		WHEN o.id IS NULL THEN 'no_message'
		WHEN c.kind <> 'direct' AND NOT is_admin AND actor_role = 'member' THEN 'forbidden'
		WHEN wish AND o.deleted_at IS NOT NULL THEN 'gone'
		WHEN there = wish THEN 'again'
		ELSE 'ok' END;
	IF code = 'ok' AND wish THEN
		SELECT w.code, w.until_us INTO code, until_us FROM may_write(c, who.user_id) w;
		IF code = 'ok' AND jsonb_array_length(held) >= pins_max THEN
			code := 'too_many_pins';
		END IF;
	END IF;
	IF code = 'ok' THEN
		PERFORM pins_put(channel, wanted, CASE WHEN wish THEN coalesce(held, '[]') || jsonb_build_object('seq', wanted, 'by', who.user_id,
			'at', time_text(clock_timestamp())) ELSE pins_without(channel, wanted) END);
	END IF;
	IF code IN ('ok', 'again') THEN
		state := pins_json(channel);
	END IF;
END $$;

-- A message that goes is pinned and saved no more. Who saved it sees that from its deletion. Under the channel's lock.
CREATE OR REPLACE FUNCTION message_kept_erase(channel bigint, wanted bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	DELETE FROM saves s WHERE s.channel_id = channel AND s.seq = wanted;
	IF EXISTS (SELECT FROM pins p WHERE p.channel_id = channel AND p.list @> jsonb_build_array(jsonb_build_object('seq', wanted))) THEN
		PERFORM pins_put(channel, wanted, pins_without(channel, wanted));
	END IF;
END $$;

-- Saves a message for oneself (wish), or forgets it. 'again': it is so already. Told to one's own instances. The message's row is held
-- against a deletion, so that nothing is saved behind it.
CREATE OR REPLACE FUNCTION save_set(channel bigint, actor bigint, wanted bigint, wish boolean, saves_max int,
	OUT code text, OUT state jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	s saves;
	is_member boolean;
	there boolean;
	n bigint;
BEGIN
	SELECT * INTO c FROM channels h WHERE h.id = channel;
	INSERT INTO save_lists (user_id, version) VALUES (actor, 0) ON CONFLICT DO NOTHING;
	SELECT l.version INTO n FROM save_lists l WHERE l.user_id = actor FOR NO KEY UPDATE;
	is_member := EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = actor);
	SELECT * INTO o FROM messages t WHERE t.channel_id = channel AND t.seq = wanted AND t.seq >= visible_from(channel, actor) FOR SHARE;
	SELECT * INTO s FROM saves t WHERE t.user_id = actor AND t.channel_id = channel AND t.seq = wanted;
	there := s.user_id IS NOT NULL;
	code := CASE
		WHEN c.id IS NULL OR (NOT is_member AND kind_for(c.kind, NULL, actor) <> 'public') THEN 'not_found'
		WHEN NOT is_member THEN 'not_a_member'
		WHEN o.id IS NULL THEN 'no_message'
		WHEN wish AND o.deleted_at IS NOT NULL THEN 'gone'
		WHEN there = wish THEN 'again'
		WHEN wish AND (SELECT count(*) FROM saves t WHERE t.user_id = actor) >= saves_max THEN 'too_many_saves'
		ELSE 'ok' END;
	IF code = 'ok' THEN
		n := n + 1;
		UPDATE save_lists l SET version = n WHERE l.user_id = actor;
		IF wish THEN
			INSERT INTO saves (user_id, channel_id, seq, nth, at)
			VALUES (actor, channel, wanted, n, date_trunc('milliseconds', clock_timestamp())) RETURNING * INTO s;
		ELSE
			DELETE FROM saves t WHERE t.user_id = actor AND t.channel_id = channel AND t.seq = wanted;
		END IF;
	END IF;
	IF code IN ('ok', 'again') THEN
		state := jsonb_build_object('channel', channel, 'seq', wanted, 'saved', wish, 'at', CASE WHEN wish THEN time_text(s.at) END, 'version', n);
	END IF;
	IF code = 'ok' THEN
		PERFORM emit_event('p', 'saved.updated', channel, actor, wanted, state, state);
	END IF;
END $$;
