-- Groups of people: made, changed, deleted by admins, or by all members where the site lets them (open). Each change is told to everyone but guests,
-- who know of no groups, and kept in the audit log. Codes as those of 40_channels.sql.

-- With the ids of its members.
CREATE OR REPLACE FUNCTION group_json_full(g user_groups) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT group_json(g) || jsonb_build_object('users', to_jsonb(ARRAY(
		SELECT m.user_id FROM user_group_members m WHERE m.group_id = g.id ORDER BY m.user_id)))
$$;

-- Kept as it was told: it may be deleted when somebody comes back.
CREATE OR REPLACE FUNCTION group_told(type text, g user_groups) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	line jsonb := jsonb_build_object('group', group_json(g));
BEGIN
	PERFORM emit_event('p', type, 0, -1, g.id, line, line);
END $$;

CREATE OR REPLACE FUNCTION groups_may(who acting, open boolean) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN acting_rank(who) > 0 OR (open AND EXISTS (
		SELECT FROM users u WHERE u.id = who.user_id AND u.role <> 'guest' AND u.deactivated_at IS NULL));
END $$;

-- Whether a handle may be a group's: ok, 'handle_reserved', 'handle_taken'. The handle is held until the transaction ends.
CREATE OR REPLACE FUNCTION group_handle_judge(wish text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM handle_lock(wish);
	RETURN CASE WHEN handle_reserved(wish) THEN 'handle_reserved' WHEN handle_taken(wish) THEN 'handle_taken' ELSE 'ok' END;
END $$;

CREATE OR REPLACE FUNCTION people_active(people bigint[]) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT (SELECT count(*) FROM users u WHERE u.id = ANY (people) AND u.deactivated_at IS NULL) = (SELECT count(DISTINCT p) FROM unnest(people) p)
$$;

CREATE OR REPLACE FUNCTION group_create(who acting, open boolean, in_handle text, in_name text, people bigint[], OUT code text, OUT made text)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	g user_groups;
BEGIN
	code := CASE WHEN NOT groups_may(who, open) THEN 'groups_forbidden' WHEN NOT people_active(people) THEN 'unknown_member'
		ELSE group_handle_judge(in_handle) END;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	INSERT INTO user_groups (handle, name) VALUES (in_handle, in_name) RETURNING * INTO g;
	INSERT INTO user_group_members (group_id, user_id) SELECT DISTINCT g.id, p FROM unnest(people) p;
	PERFORM audit_add(who, 'group.created', NULL, NULL,
		jsonb_build_object('group', g.id, 'handle', g.handle, 'name', g.name, 'members', to_jsonb(people)));
	made := group_json_full(g)::text;
	PERFORM group_told('group.created', g);
END $$;

-- in_handle, in_name null: as it is. adds, drops: members who come and go; who is in, or out, already is left alone. 'again': nothing changes.
CREATE OR REPLACE FUNCTION group_change(who acting, open boolean, wanted bigint, in_handle text, in_name text, adds bigint[], drops bigint[],
	members_max bigint, OUT code text, OUT made text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	g user_groups;
	was user_groups;
	added bigint[];
	dropped bigint[];
BEGIN
	SELECT * INTO g FROM user_groups t WHERE t.id = wanted FOR UPDATE;
	was := g;
	code := CASE WHEN NOT groups_may(who, open) THEN 'groups_forbidden' WHEN g.id IS NULL THEN 'no_group_found'
		WHEN NOT people_active(adds) THEN 'unknown_member'
		WHEN in_handle <> g.handle THEN group_handle_judge(in_handle) ELSE 'ok' END;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	WITH gone AS (
		DELETE FROM user_group_members m WHERE m.group_id = wanted AND m.user_id = ANY (drops) RETURNING m.user_id
	)
	SELECT array_agg(d.user_id ORDER BY d.user_id) INTO dropped FROM gone d;
	WITH come AS (
		INSERT INTO user_group_members (group_id, user_id) SELECT DISTINCT wanted, p FROM unnest(adds) p ON CONFLICT DO NOTHING RETURNING user_id
	)
	SELECT array_agg(a.user_id ORDER BY a.user_id) INTO added FROM come a;
	IF (SELECT count(*) FROM user_group_members m WHERE m.group_id = wanted) > members_max THEN
		RAISE EXCEPTION 'group_full' USING ERRCODE = 'PCGRP';
	END IF;
	g.handle := coalesce(in_handle, g.handle);
	g.name := coalesce(in_name, g.name);
	IF (g.handle, g.name) = (was.handle, was.name) AND added IS NULL AND dropped IS NULL THEN
		code := 'again';
	ELSE
		UPDATE user_groups t SET handle = g.handle, name = g.name, version = t.version + 1 WHERE t.id = wanted RETURNING * INTO g;
		PERFORM audit_add(who, 'group.changed', NULL, NULL, jsonb_build_object('group', g.id,
			'handle', CASE WHEN g.handle <> was.handle THEN jsonb_build_object('from', was.handle, 'to', g.handle) END,
			'name', CASE WHEN g.name <> was.name THEN jsonb_build_object('from', was.name, 'to', g.name) END,
			'added', to_jsonb(added), 'removed', to_jsonb(dropped)));
		PERFORM group_told('group.updated', g);
	END IF;
	made := group_json_full(g)::text;
EXCEPTION WHEN SQLSTATE 'PCGRP' THEN -- nothing of it stays
	code := 'group_full';
END $$;

CREATE OR REPLACE FUNCTION group_delete(who acting, open boolean, wanted bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	g user_groups;
	line jsonb := jsonb_build_object('group', wanted);
BEGIN
	IF NOT groups_may(who, open) THEN
		RETURN 'groups_forbidden';
	END IF;
	DELETE FROM user_groups t WHERE t.id = wanted RETURNING * INTO g;
	IF g.id IS NULL THEN
		RETURN 'no_group_found';
	END IF;
	PERFORM audit_add(who, 'group.deleted', NULL, NULL, jsonb_build_object('group', g.id, 'handle', g.handle, 'name', g.name));
	PERFORM emit_event('p', 'group.deleted', 0, -1, wanted, line, line);
	RETURN 'ok';
END $$;

-- How many people a message with these calls would reach now, beside its sender. Of more than may be reached at all: one more than that, but for the channel.
CREATE OR REPLACE FUNCTION calls_count(channel bigint, sender bigint, calls bigint[], named bigint[]) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF 0 = ANY (calls) THEN
		RETURN (SELECT count(*) FROM members m JOIN users u ON u.id = m.user_id
			WHERE m.channel_id = channel AND m.user_id <> sender AND u.deactivated_at IS NULL);
	END IF;
	RETURN (SELECT count(*) FROM (
		SELECT unnest(call_reach(channel, sender, c)) FROM unnest(calls) c
		UNION SELECT m.user_id FROM members m WHERE m.channel_id = channel AND m.user_id = ANY (named) AND m.user_id <> sender) p);
END $$;
