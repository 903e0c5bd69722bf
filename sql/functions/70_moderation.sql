-- What owners, admins, channel owners and moderators do (doc/roles.md says who may). Each returns a code as those of
-- 40_channels.sql, writes the audit log in its own transaction, and takes locks in this order: what guards the site's roles, the
-- rows of channels by id, then users, then the log's sequencer by the first event.

-- Guards the roles of the site, so that two cannot take the last owner away from both sides.
CREATE OR REPLACE FUNCTION roles_lock() RETURNS void LANGUAGE sql VOLATILE AS $$
	SELECT pg_advisory_xact_lock(8020600005)
$$;

-- All channels of a person, and one more: what he sends then comes wholly before or after.
CREATE OR REPLACE FUNCTION channels_lock(person bigint, channel bigint DEFAULT 0) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM FROM channels c WHERE c.id = channel OR c.id IN (SELECT m.channel_id FROM members m WHERE m.user_id = person)
	ORDER BY c.id FOR NO KEY UPDATE;
END $$;

-- Tells a person what was done to him, and why.
CREATE OR REPLACE FUNCTION moderated(person bigint, action text, channel bigint, until timestamptz, reason text) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	line jsonb := jsonb_build_object('action', action, 'channel', channel, 'until', until_text(until), 'reason', reason);
BEGIN
	PERFORM emit_event('p', 'moderated', 0, person, person, line, line);
END $$;

-- Microseconds since 1970 of the end of a mute, 0: until it is lifted. For write_batch, of who is muted.
CREATE OR REPLACE FUNCTION muted_until_us(channel bigint, person bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	until timestamptz := greatest((SELECT m.muted_until FROM members m WHERE m.channel_id = channel AND m.user_id = person),
		(SELECT u.muted_until FROM users u WHERE u.id = person));
BEGIN
	RETURN CASE WHEN until < 'infinity' THEN ceil(extract(epoch FROM until) * 1000000) ELSE 0 END;
END $$;

-- Keeps or lifts a mute or ban; until null lifts it. False: there was none to lift.
CREATE OR REPLACE FUNCTION restrict_person(who acting, in_channel bigint, person bigint, in_kind text, in_until timestamptz, in_reason text)
RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF in_until IS NULL THEN
		DELETE FROM restrictions r WHERE (r.channel_id, r.kind, r.user_id) = (in_channel, in_kind, person);
		RETURN FOUND;
	END IF;
	INSERT INTO restrictions AS r (channel_id, user_id, kind, until, reason, by_user, at)
	VALUES (in_channel, person, in_kind, in_until, in_reason, who.user_id, clock_timestamp())
	ON CONFLICT (channel_id, kind, user_id) DO UPDATE
	SET until = excluded.until, reason = excluded.reason, by_user = excluded.by_user, at = excluded.at;
	RETURN true;
END $$;

-- ---- people

-- May he act on this person? Owners on all, an admin on those below him. own: also on himself.
CREATE OR REPLACE FUNCTION judge_person(who acting, u users, own boolean) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	rank int := acting_rank(who);
BEGIN
	RETURN CASE
		WHEN rank = 0 THEN 'admins_only'
		WHEN u.id IS NULL THEN 'no_user'
		WHEN u.id = who.user_id THEN CASE WHEN own THEN 'ok' ELSE 'yourself' END
		WHEN rank = 3 OR role_rank(u.role) < rank THEN 'ok'
		ELSE 'above' END;
END $$;

CREATE OR REPLACE FUNCTION is_last_owner(u users) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT u.role = 'owner' AND u.deactivated_at IS NULL AND NOT EXISTS (
		SELECT FROM users o WHERE o.role = 'owner' AND o.deactivated_at IS NULL AND o.id <> u.id)
$$;

-- Another role for a person, once it is settled that he gets it; the caller holds roles_lock() since before it read `was`. how: what
-- the audit log says besides.
CREATE OR REPLACE FUNCTION role_change(who acting, was users, new_role text, how jsonb DEFAULT '{}') RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	m members;
BEGIN
	IF new_role = 'guest' THEN
		PERFORM channels_lock(was.id);
	END IF;
	UPDATE users SET role = new_role, version = version + 1 WHERE id = was.id RETURNING * INTO u;
	PERFORM audit_add(who, 'user.role', was.id, NULL, jsonb_build_object('from', was.role, 'to', new_role) || how);
	IF new_role = 'guest' THEN -- who has no say in a channel
		FOR m IN UPDATE members SET role = 'member' WHERE user_id = was.id AND role <> 'member' RETURNING * LOOP
			PERFORM member_told(m);
		END LOOP;
	END IF;
	PERFORM people_told((CASE WHEN new_role = 'guest' THEN 'g' WHEN was.role = 'guest' THEN 'n' ELSE 'p' END)::"char", 'user.updated', u);
END $$;

CREATE OR REPLACE FUNCTION user_set_role(who acting, person bigint, new_role text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	code text;
BEGIN
	PERFORM roles_lock();
	SELECT * INTO u FROM users WHERE id = person;
	code := judge_person(who, u, true);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF role_rank(new_role) > acting_rank(who) THEN
		RETURN 'above_self';
	ELSIF u.role = new_role THEN
		RETURN 'again';
	ELSIF is_last_owner(u) THEN
		RETURN 'last_owner';
	END IF;
	PERFORM role_change(who, u, new_role);
	RETURN 'ok';
END $$;

-- until null: lifts it.
CREATE OR REPLACE FUNCTION user_mute(who acting, person bigint, in_until timestamptz, reason text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	code text;
BEGIN
	SELECT * INTO u FROM users WHERE id = person;
	code := judge_person(who, u, false);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF in_until <= clock_timestamp() THEN
		RETURN 'past';
	END IF;
	PERFORM channels_lock(person);
	IF NOT restrict_person(who, 0, person, 'mute', in_until, reason) THEN
		RETURN 'again';
	END IF;
	UPDATE users SET muted_until = in_until, version = version + 1 WHERE id = person RETURNING * INTO u;
	PERFORM audit_add(who, CASE WHEN in_until IS NULL THEN 'user.unmuted' ELSE 'user.muted' END, person, NULL,
		jsonb_build_object('until', until_text(in_until), 'reason', nullif(reason, '')));
	PERFORM people_told('p', 'user.updated', u);
	PERFORM moderated(person, CASE WHEN in_until IS NULL THEN 'unmuted' ELSE 'muted' END, NULL, in_until, reason);
	RETURN 'ok';
END $$;

-- Closes an account by the power of a role; see user_deactivate().
CREATE OR REPLACE FUNCTION user_close(who acting, person bigint, reason text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	code text;
BEGIN
	PERFORM roles_lock();
	SELECT * INTO u FROM users WHERE id = person;
	code := judge_person(who, u, false);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF is_last_owner(u) THEN
		RETURN 'last_owner';
	ELSIF u.deactivated_at IS NOT NULL THEN
		RETURN 'again';
	END IF;
	PERFORM audit_add(who, 'user.deactivated', person, NULL, jsonb_build_object('reason', nullif(reason, '')));
	PERFORM user_deactivate(person);
	RETURN 'ok';
END $$;

-- The account is open again; sessions and tokens that ended stay ended.
CREATE OR REPLACE FUNCTION user_reopen(who acting, person bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	code text;
BEGIN
	PERFORM roles_lock();
	SELECT * INTO u FROM users WHERE id = person;
	code := judge_person(who, u, false);
	IF code <> 'ok' THEN
		RETURN code;
	END IF;
	UPDATE users SET deactivated_at = NULL, version = version + 1 WHERE id = person AND deactivated_at IS NOT NULL RETURNING * INTO u;
	IF u.id IS NULL THEN
		RETURN 'again';
	END IF;
	PERFORM audit_add(who, 'user.reactivated', person, NULL);
	PERFORM people_told('p', 'user.updated', u);
	RETURN 'ok';
END $$;

-- ---- channels

-- A channel as it is now, told to those who may know of it. Guests in a public one hear of it as its members.
CREATE OR REPLACE FUNCTION channel_told(c channels) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	tail text := substr(jsonb_build_object('channel', channel_json(c))::text, 2);
	to_all boolean := c.kind = 'public';
	to_members boolean := NOT to_all OR EXISTS (
		SELECT FROM users g JOIN members m ON m.user_id = g.id AND m.channel_id = c.id WHERE g.role = 'guest');
	audiences bigint[] := CASE WHEN to_all THEN ARRAY[-1] ELSE '{}' END || CASE WHEN to_members THEN ARRAY[0] ELSE '{}' END;
	n int := cardinality(audiences);
BEGIN
	PERFORM emit_events(array_fill('p'::"char", ARRAY[n]), array_fill('channel.updated'::text, ARRAY[n]), array_fill(c.id, ARRAY[n]),
		audiences, array_fill(0::bigint, ARRAY[n]), array_fill(NULL::jsonb, ARRAY[n]), array_fill(tail, ARRAY[n]));
END $$;

-- A member as he is now, told to the channel.
CREATE OR REPLACE FUNCTION member_told(m members) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM emit_event('p', 'member.updated', m.channel_id, 0, m.user_id, member_json(m), member_json(m));
END $$;

-- What somebody is in a channel: 3 an admin, 2 its owner, 1 a moderator, 0 a member. code: 'ok', or why the channel is none of his.
CREATE OR REPLACE FUNCTION judge_channel(who acting, c channels, OUT code text, OUT rank int) LANGUAGE plpgsql STABLE AS $$
DECLARE
	own text := (SELECT m.role FROM members m WHERE m.channel_id = c.id AND m.user_id = who.user_id);
BEGIN
	rank := CASE WHEN acting_rank(who) > 0 THEN 3 WHEN own = 'owner' THEN 2 WHEN own = 'moderator' THEN 1 ELSE 0 END;
	code := CASE
		WHEN c.id IS NULL THEN 'not_found'
		WHEN own IS NULL AND (c.kind = 'direct' OR rank < 3) THEN
			CASE WHEN kind_for(c.kind, own, who.user_id) = 'public' THEN 'not_a_member' ELSE 'not_found' END
		WHEN c.kind = 'direct' THEN 'unprocessable'
		ELSE 'ok' END;
END $$;

-- May he mute or ban this person there? Those above a moderator not, nor an admin of the site, but by who stands above him.
CREATE OR REPLACE FUNCTION judge_member(who acting, c channels, person bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
	judged record := judge_channel(who, c);
	u users;
BEGIN
	SELECT * INTO u FROM users WHERE id = person;
	RETURN CASE
		WHEN judged.code <> 'ok' THEN judged.code
		WHEN judged.rank = 0 THEN 'forbidden'
		WHEN u.id IS NULL OR NOT knows_person(who.user_id, person) THEN 'unknown_member'
		WHEN person = who.user_id THEN 'yourself'
		WHEN role_rank(u.role) >= 2 AND acting_rank(who) < 3 AND acting_rank(who) <= role_rank(u.role) THEN 'above'
		WHEN judged.rank = 1 AND EXISTS (SELECT FROM members m
			WHERE m.channel_id = c.id AND m.user_id = person AND m.role <> 'member') THEN 'above'
		ELSE 'ok' END;
END $$;

-- Name, topic, what of the history those see who come from now on, archived, for how many days messages are kept (0: for ever); null leaves
-- one as it is. Archived and the days by owners, the others by moderators too.
DROP FUNCTION IF EXISTS channel_change(acting, bigint, text, text, boolean);
DROP FUNCTION IF EXISTS channel_change(acting, bigint, text, text, boolean, int);
CREATE OR REPLACE FUNCTION channel_change(who acting, channel bigint, new_name text, new_topic text, archive boolean, keep int DEFAULT NULL,
	new_history text DEFAULT NULL, may_call text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	judged record;
	was jsonb;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	judged := judge_channel(who, c);
	IF judged.code <> 'ok' THEN
		RETURN judged.code;
	ELSIF judged.rank < (CASE WHEN archive IS NULL AND keep IS NULL THEN 1 ELSE 2 END) THEN
		RETURN CASE WHEN archive IS NULL AND keep IS NULL THEN 'forbidden' ELSE 'owners_only' END;
	ELSIF c.archived_at IS NOT NULL AND archive IS DISTINCT FROM false AND num_nonnulls(new_name, new_topic, new_history) > 0 THEN
		RETURN 'unprocessable';
	ELSIF c.kind = 'public' AND new_history <> 'all' THEN
		RETURN 'public_history';
	END IF;
	new_name := coalesce(new_name, c.name);
	new_topic := coalesce(new_topic, c.topic);
	archive := coalesce(archive, c.archived_at IS NOT NULL);
	keep := coalesce(keep, c.keep_days, 0);
	new_history := coalesce(new_history, c.history);
	may_call := coalesce(may_call, c.mention_all);
	IF (new_name, new_topic, archive, keep, new_history, may_call)
		= (c.name, c.topic, c.archived_at IS NOT NULL, coalesce(c.keep_days, 0), c.history, c.mention_all) THEN
		RETURN 'again';
	ELSIF EXISTS (SELECT FROM channels o WHERE lower(o.name) = lower(new_name) AND o.id <> channel) THEN
		RETURN 'conflict';
	END IF;
	was := jsonb_build_object('name', CASE WHEN new_name <> c.name THEN jsonb_build_object('from', c.name, 'to', new_name) END,
		'topic', CASE WHEN new_topic <> c.topic THEN true END,
		'archived', CASE WHEN archive <> (c.archived_at IS NOT NULL) THEN archive END,
		'keep_days', CASE WHEN keep <> coalesce(c.keep_days, 0) THEN jsonb_build_object('from', c.keep_days, 'to', nullif(keep, 0)) END,
		'history', CASE WHEN new_history <> c.history THEN jsonb_build_object('from', c.history, 'to', new_history) END,
		'mention_all', CASE WHEN may_call <> c.mention_all THEN jsonb_build_object('from', c.mention_all, 'to', may_call) END);
	BEGIN
		UPDATE channels SET name = new_name, topic = new_topic, version = version + 1,
			archived_at = CASE WHEN archive THEN coalesce(archived_at, clock_timestamp()) END, keep_days = nullif(keep, 0),
			history = new_history, mention_all = may_call
		WHERE id = channel RETURNING * INTO c;
	EXCEPTION WHEN unique_violation THEN -- another took the name just now
		RETURN 'conflict';
	END;
	PERFORM audit_add(who, 'channel.updated', NULL, channel, was);
	PERFORM channel_told(c);
	RETURN 'ok';
END $$;

-- By the channel's owner or an admin. Its last owner stays, but for an admin.
CREATE OR REPLACE FUNCTION member_set_role(who acting, channel bigint, person bigint, new_role text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	m members;
	judged record;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	judged := judge_channel(who, c);
	IF judged.code <> 'ok' THEN
		RETURN judged.code;
	ELSIF judged.rank < 2 THEN
		RETURN 'owners_only';
	END IF;
	SELECT * INTO m FROM members WHERE channel_id = channel AND user_id = person;
	IF m.user_id IS NULL THEN
		RETURN 'no_member';
	ELSIF m.role = new_role THEN
		RETURN 'again';
	ELSIF new_role <> 'member' AND is_guest(person) THEN
		RETURN 'guest_role';
	ELSIF m.role = 'owner' AND judged.rank < 3 AND NOT EXISTS (SELECT FROM members o
		WHERE o.channel_id = channel AND o.role = 'owner' AND o.user_id <> person) THEN
		RETURN 'last_channel_owner';
	END IF;
	PERFORM audit_add(who, 'member.role', person, channel, jsonb_build_object('from', m.role, 'to', new_role));
	UPDATE members SET role = new_role WHERE channel_id = channel AND user_id = person RETURNING * INTO m;
	PERFORM member_told(m);
	RETURN 'ok';
END $$;

-- The channel is another member's: who owned it, and hands it over, is a moderator then.
CREATE OR REPLACE FUNCTION channel_hand_over(who acting, channel bigint, person bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	code text;
BEGIN
	code := member_set_role(who, channel, person, 'owner');
	IF code NOT IN ('ok', 'again') OR person = who.user_id THEN
		RETURN code;
	END IF;
	IF EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = who.user_id AND m.role = 'owner') THEN
		RETURN member_set_role(who, channel, who.user_id, 'moderator');
	END IF;
	RETURN code;
END $$;

-- until null: lifts it. One who is out may be muted or banned too, it holds when he comes.
CREATE OR REPLACE FUNCTION member_mute(who acting, channel bigint, person bigint, in_until timestamptz, reason text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	m members;
	code text;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	code := judge_member(who, c, person);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF in_until <= clock_timestamp() THEN
		RETURN 'past';
	ELSIF NOT restrict_person(who, channel, person, 'mute', in_until, reason) THEN
		RETURN 'again';
	END IF;
	PERFORM audit_add(who, CASE WHEN in_until IS NULL THEN 'member.unmuted' ELSE 'member.muted' END, person, channel,
		jsonb_build_object('until', until_text(in_until), 'reason', nullif(reason, '')));
	UPDATE members SET muted_until = in_until WHERE channel_id = channel AND user_id = person RETURNING * INTO m;
	IF m.user_id IS NOT NULL THEN
		PERFORM member_told(m);
		PERFORM moderated(person, CASE WHEN in_until IS NULL THEN 'unmuted' ELSE 'muted' END, channel, in_until, reason);
	END IF;
	RETURN 'ok';
END $$;

CREATE OR REPLACE FUNCTION member_ban(who acting, channel bigint, person bigint, in_until timestamptz, reason text) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	code text;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE;
	code := judge_member(who, c, person);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF in_until <= clock_timestamp() THEN
		RETURN 'past';
	ELSIF NOT restrict_person(who, channel, person, 'ban', in_until, reason) THEN
		RETURN 'again';
	END IF;
	PERFORM audit_add(who, CASE WHEN in_until IS NULL THEN 'member.unbanned' ELSE 'member.banned' END, person, channel,
		jsonb_build_object('until', until_text(in_until), 'reason', nullif(reason, '')));
	IF in_until IS NOT NULL AND EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = person) THEN
		PERFORM member_leaves(channel, person);
		PERFORM moderated(person, 'banned', channel, in_until, reason);
	END IF;
	RETURN 'ok';
END $$;

CREATE OR REPLACE FUNCTION restriction_json(r restrictions) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('channel', nullif(r.channel_id, 0), 'user', r.user_id, 'kind', r.kind, 'until', until_text(r.until),
		'reason', r.reason, 'by', r.by_user, 'at', time_text(r.at))
$$;
