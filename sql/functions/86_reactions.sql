-- Reactions (doc/protocol.md, section 4). What is told of them is the whole list of a message with a version of its own.

-- Adds a reaction (wish), or takes it away. Of each emoji the list holds how many there are and the users_max first of them. 'again': it is
-- so already. Who may write may add one; who is in may take his own away. `:name:` is a custom emoji's, which may be gone when it is taken away.
CREATE OR REPLACE FUNCTION reaction_set(channel bigint, actor bigint, wanted bigint, in_emoji text, wish boolean, emoji_max int, users_max int,
	OUT code text, OUT until_us bigint, OUT state jsonb) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	r message_reactions;
	is_member boolean;
	there boolean;
	entry jsonb;
	n int;
	users jsonb;
BEGIN
	SELECT * INTO c FROM channels WHERE channels.id = channel FOR NO KEY UPDATE;
	is_member := EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = actor);
	SELECT * INTO o FROM messages t WHERE t.channel_id = channel AND t.seq = wanted AND t.seq >= visible_from(channel, actor);
	SELECT * INTO r FROM message_reactions t WHERE t.channel_id = channel AND t.seq = wanted;
	there := EXISTS (SELECT FROM reactions t WHERE t.channel_id = channel AND t.seq = wanted AND t.user_id = actor AND t.emoji = in_emoji);
	r.list := coalesce(r.list, '[]');
	r.version := coalesce(r.version, 0) + 1;
	SELECT l.value INTO entry FROM jsonb_array_elements(r.list) l WHERE l.value->>'emoji' = in_emoji;
	code := CASE
		WHEN c.id IS NULL OR (NOT is_member AND kind_for(c.kind, NULL, actor) <> 'public') THEN 'not_found'
		WHEN NOT is_member THEN 'not_a_member'
		WHEN o.id IS NULL THEN 'no_message'
		WHEN o.deleted_at IS NOT NULL THEN 'gone'
		WHEN there = wish THEN 'again'
		WHEN wish AND in_emoji LIKE ':%' AND NOT EXISTS (SELECT FROM custom_emoji t WHERE t.name = btrim(in_emoji, ':')) THEN 'no_emoji'
		ELSE 'ok' END;
	IF code = 'ok' AND wish THEN
		SELECT w.code, w.until_us INTO code, until_us FROM may_write(c, actor) w;
		IF code = 'ok' AND entry IS NULL AND jsonb_array_length(r.list) >= emoji_max THEN
			code := 'too_many';
		END IF;
	END IF;
	IF code = 'again' THEN
		state := reactions_json(channel, wanted);
	END IF;
	IF code <> 'ok' THEN
		RETURN;
	END IF;

	n := coalesce((entry->>'count')::int, 0) + CASE WHEN wish THEN 1 ELSE -1 END;
	users := coalesce(entry->'users', '[]');
	IF wish THEN
		INSERT INTO reactions (channel_id, seq, user_id, emoji, nth) VALUES (channel, wanted, actor, in_emoji, r.version);
		IF n <= users_max THEN
			users := users || to_jsonb(actor);
		END IF;
	ELSE
		DELETE FROM reactions t WHERE t.channel_id = channel AND t.seq = wanted AND t.user_id = actor AND t.emoji = in_emoji;
		IF users @> to_jsonb(actor) THEN -- another one moves up
			users := coalesce((SELECT jsonb_agg(f.user_id ORDER BY f.nth) FROM (
				SELECT t.user_id, t.nth FROM reactions t
				WHERE t.channel_id = channel AND t.seq = wanted AND t.emoji = in_emoji ORDER BY t.nth LIMIT users_max) f), '[]');
		END IF;
	END IF;
	IF entry IS NULL THEN
		r.list := r.list || jsonb_build_object('emoji', in_emoji, 'count', n, 'users', users);
	ELSE
		r.list := coalesce((SELECT jsonb_agg(CASE WHEN l.value = entry THEN entry || jsonb_build_object('count', n, 'users', users)
				ELSE l.value END ORDER BY l.ord)
			FROM jsonb_array_elements(r.list) WITH ORDINALITY AS l(value, ord) WHERE n > 0 OR l.value <> entry), '[]');
	END IF;
	INSERT INTO message_reactions AS t (channel_id, seq, version, list) VALUES (channel, wanted, r.version, r.list)
	ON CONFLICT (channel_id, seq) DO UPDATE SET version = excluded.version, list = excluded.list;
	state := reactions_json(channel, wanted);
	PERFORM emit_event('a', 'reactions.updated', channel, 0, wanted, state || jsonb_build_object('user', actor), jsonb_build_object('user', actor));
END $$;
