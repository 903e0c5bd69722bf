-- Channels and their members. Each change locks the channel's row first (FOR NO KEY UPDATE, in id order), judges under the
-- lock, and emits last, so that the order of the events is the truth (doc/events.md).
-- Each returns a code: 'ok', or an error's name as in doc/protocol.md, section 2.

-- Adds users to a channel that the caller has locked or made, with one event each. Those already in are left alone. What was said
-- before does not count as unread, and is not for them where the channel's history is for those who were there.
-- news: further events before the joins, as emit_events takes them.
CREATE OR REPLACE FUNCTION members_insert(channel bigint, users bigint[], roles text[], created boolean) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	head bigint := stream_head_locked(); -- now, since a member's `since` is the id of the join's event
	c channels;
	last_seq bigint := (SELECT channel_last_seq(l) FROM channels l WHERE l.id = channel);
	first_seq bigint := (SELECT CASE l.history WHEN 'joined' THEN last_seq + 1 ELSE 1 END FROM channels l WHERE l.id = channel);
	shift int := CASE WHEN created THEN 1 ELSE 0 END;
	kinds "char"[]; types text[]; subjects bigint[]; tails text[]; datas jsonb[];
BEGIN
	WITH added AS (
		INSERT INTO members (channel_id, user_id, role, since, first_seq, joined_at, last_read_seq, counted_seq, muted_until)
		SELECT channel, t.id, t.role, head + shift + t.ord, first_seq, date_trunc('milliseconds', clock_timestamp()), last_seq, last_seq,
			(SELECT r.until FROM restrictions r WHERE (r.channel_id, r.kind, r.user_id) = (channel, 'mute', t.id) AND r.until > now())
		FROM (
			SELECT w.id, w.role, row_number() OVER (ORDER BY w.ord) AS ord
			FROM unnest(users, roles) WITH ORDINALITY AS w(id, role, ord)
			WHERE NOT EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = w.id)
		) t
		RETURNING members.*
	)
	SELECT array_agg('j'::"char" ORDER BY a.since), array_agg('member.joined'::text ORDER BY a.since),
		array_agg(a.user_id ORDER BY a.since), array_agg(member_json(a) ORDER BY a.since)
	INTO kinds, types, subjects, datas FROM added a;
	IF kinds IS NULL AND NOT created THEN
		RETURN;
	END IF;
	IF created THEN
		SELECT * INTO STRICT c FROM channels WHERE id = channel;
		kinds := 'p'::"char" || kinds;
		types := 'channel.created'::text || types;
		subjects := 0::bigint || subjects;
		datas := jsonb_build_object('channel', channel_json(c)) || datas;
	END IF;
	SELECT array_agg(substr(d::text, 2) ORDER BY o) INTO tails FROM unnest(datas) WITH ORDINALITY AS t(d, o);
	PERFORM emit_events(kinds, types, array_fill(channel, ARRAY[cardinality(kinds)]),
		-- everyone may see that a public channel was made; its joins go to its members
		CASE WHEN created AND c.kind = 'public' THEN (-1)::bigint || array_fill(0::bigint, ARRAY[cardinality(kinds) - 1])
			ELSE array_fill(0::bigint, ARRAY[cardinality(kinds)]) END,
		subjects, CASE WHEN created THEN NULL::jsonb || datas[2:] ELSE datas END, tails);
END $$;

-- The seq of the first message that is not older than t; of the last one where all are, 0 where there is none. By halves over the seqs,
-- which times follow but for clocks that were set.
CREATE OR REPLACE FUNCTION seq_at(channel bigint, t timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	low bigint := (SELECT m.seq FROM messages m WHERE m.channel_id = channel ORDER BY m.seq LIMIT 1);
	high bigint := (SELECT m.seq FROM messages m WHERE m.channel_id = channel ORDER BY m.seq DESC LIMIT 1);
	half bigint;
BEGIN
	WHILE low < high LOOP
		half := (low + high) / 2;
		IF (SELECT m.created_at FROM messages m WHERE m.channel_id = channel AND m.seq >= half ORDER BY m.seq LIMIT 1) < t THEN
			low := half + 1;
		ELSE
			high := half;
		END IF;
	END LOOP;
	RETURN coalesce(low, 0);
END $$;

-- A public or private channel with its maker as owner, and the invited.
CREATE OR REPLACE FUNCTION channel_create(maker bigint, in_kind text, in_name text, in_topic text, invited bigint[],
	OUT code text, OUT channel bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	guests bigint[];
BEGIN
	SELECT coalesce(array_agg(w.id ORDER BY w.ord), '{}') INTO guests FROM (
		SELECT i.id, min(i.ord) AS ord FROM unnest(invited) WITH ORDINALITY AS i(id, ord)
		WHERE i.id <> maker GROUP BY i.id) w;
	IF (SELECT count(*) FROM users u WHERE u.id = ANY (guests) AND u.deactivated_at IS NULL) <> cardinality(guests) THEN
		code := 'unknown_member';
		RETURN;
	END IF;
	INSERT INTO channels (kind, name, topic, created_by) VALUES (in_kind, in_name, in_topic, maker)
	ON CONFLICT (lower(name)) WHERE name IS NOT NULL DO NOTHING RETURNING id INTO channel;
	IF channel IS NULL THEN
		code := 'conflict';
		RETURN;
	END IF;
	code := 'ok';
	PERFORM members_insert(channel, maker || guests,
		'owner'::text || array_fill('member'::text, ARRAY[cardinality(guests)]), true);
END $$;

-- The direct channel of two people (or of one with himself); made where there is none.
CREATE OR REPLACE FUNCTION channel_direct(maker bigint, other bigint, OUT code text, OUT channel bigint, OUT created boolean)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	created := false;
	IF NOT EXISTS (SELECT FROM users u WHERE u.id = other AND u.deactivated_at IS NULL) OR
		(is_guest(maker) AND maker <> other AND NOT share_channel(maker, other)) THEN -- of strangers a guest knows nothing
		code := 'unknown_member';
		RETURN;
	END IF;
	code := 'ok';
	SELECT c.id INTO channel FROM channels c
	WHERE c.kind = 'direct' AND c.direct_low = least(maker, other) AND c.direct_high = greatest(maker, other);
	IF channel IS NOT NULL THEN
		RETURN;
	END IF;
	INSERT INTO channels (kind, direct_low, direct_high, created_by)
	VALUES ('direct', least(maker, other), greatest(maker, other), maker)
	ON CONFLICT (direct_low, direct_high) WHERE kind = 'direct' DO NOTHING RETURNING id INTO channel;
	IF channel IS NULL THEN -- made by another transaction meanwhile
		SELECT c.id INTO STRICT channel FROM channels c
		WHERE c.kind = 'direct' AND c.direct_low = least(maker, other) AND c.direct_high = greatest(maker, other);
		RETURN;
	END IF;
	created := true;
	PERFORM members_insert(channel, CASE WHEN maker = other THEN ARRAY[maker] ELSE ARRAY[maker, other] END,
		CASE WHEN maker = other THEN ARRAY['member'] ELSE ARRAY['member', 'member'] END, true);
END $$;

-- The direct channel of several: of the maker and others (at most eight), one for each set of people; made where there is none. Of two it is
-- that of channel_direct().
CREATE OR REPLACE FUNCTION channel_group(maker bigint, others bigint[], OUT code text, OUT channel bigint, OUT created boolean)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	people bigint[] := ARRAY(SELECT DISTINCT p FROM unnest(maker || others) p ORDER BY p);
	other bigint;
BEGIN
	created := false;
	IF cardinality(people) <= 2 THEN
		SELECT d.code, d.channel, d.created INTO code, channel, created
		FROM channel_direct(maker, coalesce((SELECT p FROM unnest(people) p WHERE p <> maker), maker)) d;
		RETURN;
	END IF;
	code := 'unknown_member';
	IF (SELECT count(*) FROM users u WHERE u.id = ANY (people) AND u.deactivated_at IS NULL) <> cardinality(people) THEN
		RETURN;
	END IF;
	IF is_guest(maker) THEN -- of strangers he knows nothing
		FOREACH other IN ARRAY people LOOP
			IF other <> maker AND NOT share_channel(maker, other) THEN
				RETURN;
			END IF;
		END LOOP;
	END IF;
	code := 'ok';
	SELECT c.id INTO channel FROM channels c WHERE c.direct_people = people;
	IF channel IS NOT NULL THEN
		RETURN;
	END IF;
	INSERT INTO channels (kind, direct_people, created_by) VALUES ('direct', people, maker)
	ON CONFLICT (direct_people) WHERE direct_people IS NOT NULL DO NOTHING RETURNING id INTO channel;
	IF channel IS NULL THEN -- made by another transaction meanwhile
		SELECT c.id INTO STRICT channel FROM channels c WHERE c.direct_people = people;
		RETURN;
	END IF;
	created := true;
	PERFORM members_insert(channel, people, array_fill('member'::text, ARRAY[cardinality(people)]), true);
END $$;

-- What is the same for all who bring a member in, under the channel's lock. himself: he comes by himself.
CREATE OR REPLACE FUNCTION member_let_in(c channels, newcomer bigint, himself boolean, member_limit bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF c.kind = 'direct' OR c.archived_at IS NOT NULL THEN
		RETURN 'unprocessable';
	END IF;
	IF NOT EXISTS (SELECT FROM users u WHERE u.id = newcomer AND u.deactivated_at IS NULL) THEN
		RETURN 'unknown_member';
	END IF;
	IF EXISTS (SELECT FROM restrictions r WHERE (r.channel_id, r.kind, r.user_id) = (c.id, 'ban', newcomer) AND r.until > now()) THEN
		RETURN CASE WHEN himself THEN 'banned' ELSE 'banned_member' END;
	END IF;
	IF (SELECT count(*) FROM members m WHERE m.channel_id = c.id) >= member_limit THEN
		RETURN 'full';
	END IF;
	PERFORM members_insert(c.id, ARRAY[newcomer], ARRAY['member'], false);
	RETURN 'ok';
END $$;

-- Adds one member: himself to a public channel, or by an invitation of a member. code 'again' where he is in already.
CREATE OR REPLACE FUNCTION member_add(channel bigint, actor bigint, newcomer bigint, member_limit bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	IF c.id IS NULL THEN
		RETURN 'not_found';
	END IF;
	IF NOT EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = actor) AND
		(c.kind <> 'public' OR actor <> newcomer OR is_guest(actor)) THEN
		RETURN CASE WHEN kind_for(c.kind, NULL, actor) = 'public' THEN 'not_a_member' ELSE 'not_found' END;
	END IF;
	IF actor <> newcomer AND is_guest(actor) THEN
		RETURN 'guest';
	END IF;
	IF EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = newcomer) THEN
		RETURN 'again';
	END IF;
	RETURN member_let_in(c, newcomer, actor = newcomer, member_limit);
END $$;

-- By a link: who has its code comes in, a guest too. code as member_add(), or 'no_invite' where it is no good (any more). One who is in
-- uses nothing up.
CREATE OR REPLACE FUNCTION channel_invite_use(person bigint, hash bytea, member_limit bigint, OUT code text, OUT channel bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	i channel_invites;
	c channels;
BEGIN
	SELECT v.channel_id INTO channel FROM channel_invites v WHERE v.code_hash = hash;
	SELECT * INTO c FROM channels t WHERE t.id = channel FOR NO KEY UPDATE;
	SELECT * INTO i FROM channel_invites v WHERE v.code_hash = hash FOR NO KEY UPDATE;
	code := 'again';
	IF EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = person) THEN
		RETURN;
	END IF;
	code := CASE WHEN channel_invite_state(i) = 'open' THEN member_let_in(c, person, true, member_limit) ELSE 'no_invite' END;
	IF code = 'ok' THEN
		UPDATE channel_invites v SET uses = v.uses + 1 WHERE v.id = i.id;
	END IF;
END $$;

-- What is the same for all who take a member out, under the channel's lock.
CREATE OR REPLACE FUNCTION member_leaves(channel bigint, leaver bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	DELETE FROM members m WHERE m.channel_id = channel AND m.user_id = leaver;
	PERFORM emit_event('l', 'member.left', channel, 0, leaver,
		jsonb_build_object('channel', channel, 'user', leaver), jsonb_build_object('channel', channel, 'user', leaver));
END $$;

DROP FUNCTION IF EXISTS member_remove(bigint, bigint, bigint);

-- Ends a membership: by the member himself, or by the channel's owner or moderator, or an admin. 'again': he is not in.
CREATE OR REPLACE FUNCTION member_remove(channel bigint, actor bigint, leaver bigint, who acting DEFAULT NULL, reason text DEFAULT '')
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	actor_role text;
	leaver_role text;
	is_admin boolean;
BEGIN
	who := coalesce(who, ROW(actor, true, NULL, NULL)::acting);
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	SELECT m.role INTO actor_role FROM members m WHERE m.channel_id = channel AND m.user_id = actor;
	SELECT m.role INTO leaver_role FROM members m WHERE m.channel_id = channel AND m.user_id = leaver;
	is_admin := acting_rank(who) > 0;
	IF c.id IS NULL OR (kind_for(c.kind, actor_role, actor) <> 'public' AND actor_role IS NULL AND NOT is_admin) THEN
		RETURN 'not_found';
	END IF;
	IF c.kind = 'direct' THEN
		RETURN 'unprocessable';
	END IF;
	IF actor <> leaver AND NOT is_admin AND (actor_role IS NULL OR actor_role = 'member' OR
		(actor_role = 'moderator' AND leaver_role IN ('owner', 'moderator'))) THEN
		RETURN CASE WHEN actor_role IS NULL THEN 'not_a_member' ELSE 'forbidden' END;
	END IF;
	IF leaver_role IS NULL THEN
		RETURN 'again';
	END IF;
	IF actor <> leaver THEN
		PERFORM audit_add(who, 'member.removed', leaver, channel, jsonb_build_object('reason', nullif(reason, '')));
	END IF;
	PERFORM member_leaves(channel, leaver);
	IF actor <> leaver AND reason <> '' THEN
		PERFORM moderated(leaver, 'removed', channel, NULL, reason);
	END IF;
	RETURN 'ok';
END $$;
