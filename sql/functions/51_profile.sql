-- What people say of themselves (doc/protocol.md, section 3, User). Locks in this order: the person's row, files, the log's sequencer.

-- Whether somebody who acts may change what a person says of himself: that person, and who stands above him.
CREATE OR REPLACE FUNCTION judge_profile(who acting, person bigint, u users) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN who.user_id = person THEN 'ok' ELSE judge_person(who, u, true) END;
END $$;

DROP FUNCTION IF EXISTS user_time_zone(bigint, text);

-- Another name (renames) and time zone (zones: an IANA name, or null). A null name is what the provider says. until_us: of a mute.
CREATE OR REPLACE FUNCTION user_change(who acting, person bigint, renames boolean, in_name text, zones boolean, zone text,
	OUT code text, OUT until_us bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was users;
	u users;
	own boolean := coalesce(who.user_id = person, false);
BEGIN
	SELECT * INTO was FROM users t WHERE t.id = person FOR NO KEY UPDATE;
	code := judge_profile(who, person, was);
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	code := CASE
		WHEN zones AND zone IS NOT NULL AND NOT EXISTS (
			SELECT FROM pg_timezone_names z WHERE z.name = zone AND zone !~ '^(posix|right)/') THEN 'no_zone'
		WHEN renames AND in_name IS NULL AND was.provider_name IS NULL THEN 'no_provider_name'
		WHEN renames AND own AND was.bot THEN 'bot_name'
		WHEN renames AND own AND in_name IS NOT NULL AND was.muted_until > now() THEN 'muted'
		ELSE 'ok' END;
	IF code = 'muted' AND was.muted_until <> 'infinity' THEN
		until_us := (extract(epoch FROM was.muted_until) * 1000000)::bigint;
	END IF;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	u := was;
	IF renames THEN
		u.name := coalesce(in_name, was.provider_name);
		u.own_name := in_name IS NOT NULL;
	END IF;
	IF zones THEN
		u.time_zone := zone;
	END IF;
	IF (u.name, u.own_name, u.time_zone) IS NOT DISTINCT FROM (was.name, was.own_name, was.time_zone) THEN
		code := 'again';
		RETURN;
	END IF;
	IF (u.name, u.time_zone) IS DISTINCT FROM (was.name, was.time_zone) THEN
		u.version := was.version + 1;
	END IF;
	UPDATE users t SET name = u.name, own_name = u.own_name, time_zone = u.time_zone, version = u.version WHERE t.id = person;
	IF u.name <> was.name AND NOT own THEN
		PERFORM audit_add(who, 'user.renamed', person, NULL, jsonb_build_object('from', was.name, 'to', u.name));
	END IF;
	IF u.version <> was.version THEN
		PERFORM people_told('p', 'user.updated', u);
	END IF;
END $$;

-- A picture that one has uploaded and sent nowhere is shown as one's own; the one before goes. 'again': it is so already.
CREATE OR REPLACE FUNCTION user_picture_set(who acting, in_file bigint, bytes_max bigint, OUT code text, OUT until_us bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was users;
	u users;
BEGIN
	SELECT * INTO was FROM users t WHERE t.id = who.user_id FOR NO KEY UPDATE;
	code := CASE
		WHEN was.own_picture = in_file THEN 'again'
		WHEN was.muted_until > now() THEN 'muted'
		ELSE picture_take(who.user_id, in_file, bytes_max, 'profile') END;
	IF code = 'muted' AND was.muted_until <> 'infinity' THEN
		until_us := (extract(epoch FROM was.muted_until) * 1000000)::bigint;
	END IF;
	IF code = 'ok' THEN
		UPDATE users t SET own_picture = in_file, version = t.version + 1 WHERE t.id = who.user_id RETURNING * INTO u;
		PERFORM files_erase(ARRAY[was.own_picture]) WHERE was.own_picture IS NOT NULL;
		PERFORM people_told('p', 'user.updated', u);
	END IF;
END $$;

-- It is shown no more, and goes: one's own, or that of somebody whom one stands above. What the provider says is shown then. 'again':
-- there is none.
CREATE OR REPLACE FUNCTION user_picture_remove(who acting, person bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was users;
	u users;
	code text;
BEGIN
	SELECT * INTO was FROM users t WHERE t.id = person FOR NO KEY UPDATE;
	code := judge_profile(who, person, was);
	IF code <> 'ok' THEN
		RETURN code;
	ELSIF was.own_picture IS NULL THEN
		RETURN 'again';
	END IF;
	UPDATE users t SET own_picture = NULL, version = t.version + 1 WHERE t.id = person RETURNING * INTO u;
	IF who.user_id IS DISTINCT FROM person THEN
		PERFORM audit_add(who, 'user.picture_removed', person, NULL, jsonb_build_object('file', was.own_picture));
	END IF;
	PERFORM files_erase(ARRAY[was.own_picture]);
	PERFORM people_told('p', 'user.updated', u);
	RETURN 'ok';
END $$;
