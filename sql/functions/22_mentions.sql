-- Whom a message names: people by their ids, `channel`, `here`, and groups as `group:ID` (doc/protocol.md, section 9). Where it calls several, "call"
-- below: the id of a group, 0 the channel, -1 who is here.

-- Those whom a body names themselves.
CREATE OR REPLACE FUNCTION body_named(body jsonb) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN ARRAY(SELECT n.v::bigint FROM jsonb_array_elements(CASE jsonb_typeof(body->'mentions') WHEN 'array' THEN body->'mentions' ELSE '[]' END) n(v)
		WHERE jsonb_typeof(n.v) = 'number');
END $$;

-- Those who have a row in `mentions` by it: named themselves, or reached by a group or as somebody who was here. Each once.
CREATE OR REPLACE FUNCTION body_reached(body jsonb) RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
	RETURN ARRAY(SELECT unnest(body_named(body)) UNION
		SELECT p.v::bigint FROM jsonb_each(coalesce(body->'reached', '{}')) r, jsonb_array_elements(r.value) p(v) UNION
		SELECT (body->'reply_to'->>'sender')::bigint WHERE body ? 'reply_to');
END $$;

CREATE OR REPLACE FUNCTION body_wide(body jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(body->'mentions' ? 'channel', false)
$$;

CREATE OR REPLACE FUNCTION call_name(call bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE call WHEN 0 THEN 'channel' WHEN -1 THEN 'here' ELSE 'group:' || call END
$$;

-- How many a message reaches at most beside those that it names themselves and the channel: they stand in it.
CREATE OR REPLACE FUNCTION reach_max() RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT 500 $$;

-- Whom a group, or `here`, reaches in a channel now, without the sender: members both of the group and of the channel; members who are online, or
-- have been away for less than a quarter of an hour, as others see them: who is invisible is not here. One more than may be where they are too many.
CREATE OR REPLACE FUNCTION call_reach(channel bigint, sender bigint, call bigint) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF call > 0 THEN
		RETURN ARRAY(SELECT g.user_id FROM user_group_members g
			JOIN members m ON m.channel_id = channel AND m.user_id = g.user_id
			JOIN users u ON u.id = g.user_id AND u.deactivated_at IS NULL
			WHERE g.group_id = call AND g.user_id <> sender ORDER BY g.user_id);
	END IF;
	RETURN ARRAY(SELECT h.user_id FROM (
		SELECT p.user_id FROM presence p
		JOIN members m ON m.channel_id = channel AND m.user_id = p.user_id
		LEFT JOIN user_settings s ON s.user_id = p.user_id
		WHERE p.state <> 'offline' AND (p.state = 'online' OR p.last_active > now() - interval '15 minutes')
			AND s.invisible IS NOT TRUE AND p.user_id <> sender
		LIMIT reach_max() + 1) h ORDER BY h.user_id);
END $$;

-- Whether somebody may call so in a channel: ok, or 'call_forbidden' (a guest; in a channel where moderators alone do), 'call_direct' (there everybody hears
-- of everything), 'no_group'.
CREATE OR REPLACE FUNCTION call_judge(c channels, sender bigint, call bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE
		WHEN call <= 0 AND c.kind = 'direct' THEN 'call_direct'
		WHEN is_guest(sender) THEN 'call_forbidden'
		WHEN call <= 0 AND c.mention_all = 'moderators' AND NOT EXISTS (
			SELECT FROM members m JOIN users u ON u.id = m.user_id WHERE m.channel_id = c.id AND m.user_id = sender
				AND (m.role <> 'member' OR u.role IN ('owner', 'admin'))) THEN 'call_forbidden'
		WHEN call > 0 AND NOT EXISTS (SELECT FROM user_groups g WHERE g.id = call) THEN 'no_group'
		ELSE 'ok' END;
END $$;

-- For write_batch, of items that call: whether they may (15 no, 16 there is no such group, 17 too many, 18 not here: a direct channel, or a reply that
-- stands in its thread alone), whom they reach, as JSON, and those as rows of `mentions` to be; which of them name the channel.
CREATE OR REPLACE FUNCTION calls_judge(statuses int[], in_channels bigint[], in_room int[], in_sender bigint[], roots bigint[],
	in_calling int[], in_calls bigint[], OUT judged int[], OUT texts text[], OUT reaching int[], OUT reached bigint[], OUT wide int[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	r record;
	c channels;
	code text;
	people bigint[];
	own bigint[];
	lists jsonb;
BEGIN
	judged := statuses;
	texts := array_fill(NULL::text, ARRAY[cardinality(statuses)]);
	reaching := '{}';
	reached := '{}';
	wide := '{}';
	FOR r IN SELECT t.item, array_agg(t.call ORDER BY t.call) AS calls
		FROM unnest(in_calling, in_calls) AS t(item, call) GROUP BY t.item ORDER BY t.item LOOP
		CONTINUE WHEN judged[r.item] <> 0;
		SELECT * INTO c FROM channels h WHERE h.id = in_channels[in_room[r.item]];
		lists := '{}';
		own := '{}';
		FOR k IN 1 .. cardinality(r.calls) LOOP
			code := call_judge(c, in_sender[r.item], r.calls[k]);
			judged[r.item] := CASE
				WHEN code IN ('call_direct') OR (r.calls[k] <= 0 AND roots[r.item] > 0) THEN 18
				WHEN code = 'no_group' THEN 16
				WHEN code <> 'ok' THEN 15
				ELSE 0 END;
			EXIT WHEN judged[r.item] <> 0;
			IF r.calls[k] = 0 THEN
				wide := wide || r.item;
				CONTINUE;
			END IF;
			people := call_reach(c.id, in_sender[r.item], r.calls[k]);
			lists := lists || jsonb_build_object(call_name(r.calls[k]), people);
			own := own || people;
			IF cardinality(own) > reach_max() THEN
				judged[r.item] := 17;
				EXIT;
			END IF;
		END LOOP;
		IF judged[r.item] = 0 AND lists <> '{}' THEN
			texts[r.item] := lists::text;
			reaching := reaching || array_fill(r.item, ARRAY[cardinality(own)]);
			reached := reached || own;
		END IF;
	END LOOP;
END $$;

-- For message_edit: the lists of those reached as they are after it. What is named still reaches whom it did; a group that is named anew those whom it
-- reaches now; `channel` and `here` are for new messages alone. code: ok, or as of call_judge, 'call_added', 'too_many_reached'.
CREATE OR REPLACE FUNCTION calls_edited(c channels, actor bigint, wanted bigint, before jsonb, written jsonb, OUT code text, OUT lists jsonb)
LANGUAGE plpgsql STABLE AS $$
DECLARE
	name text;
	call bigint;
BEGIN
	code := 'ok';
	lists := '{}';
	FOR name IN SELECT n.v #>> '{}' FROM jsonb_array_elements(coalesce(written->'mentions', '[]')) n(v) WHERE jsonb_typeof(n.v) = 'string' LOOP
		IF before->'mentions' ? name THEN
			lists := lists || CASE WHEN before->'reached' ? name THEN jsonb_build_object(name, before->'reached'->name) ELSE '{}' END;
			CONTINUE;
		END IF;
		IF name IN ('channel', 'here') THEN
			code := 'call_added';
			RETURN;
		END IF;
		call := substr(name, 7)::bigint;
		code := call_judge(c, actor, call);
		EXIT WHEN code <> 'ok';
		-- of those who may see it
		lists := lists || jsonb_build_object(name, ARRAY(SELECT r FROM unnest(call_reach(c.id, actor, call)) WITH ORDINALITY AS v(r, ord)
			JOIN members m ON m.channel_id = c.id AND m.user_id = v.r AND m.first_seq <= wanted ORDER BY v.ord));
	END LOOP;
	IF code = 'ok' AND (SELECT sum(jsonb_array_length(l.value)) FROM jsonb_each(lists) l) > reach_max() THEN
		code := 'too_many_reached';
	END IF;
END $$;
