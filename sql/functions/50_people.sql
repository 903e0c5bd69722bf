-- People, their sessions and their log-ins.

-- Tells everyone of a person, as he is now. Guests hear of those with whom they share a channel, and of themselves, each by an event
-- of his own: what is for everyone is not for them. Those keep what they said, since he may not be entitled to later news.
CREATE OR REPLACE FUNCTION people_told(kind "char", type text, u users) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	guests bigint[] := ARRAY(SELECT g.id FROM users g WHERE g.role = 'guest' AND g.deactivated_at IS NULL
		AND (g.id = u.id OR share_channel(g.id, u.id)) ORDER BY g.id);
	line jsonb := jsonb_build_object('user', user_json(u));
	n int := cardinality(guests);
BEGIN
	PERFORM emit_events(kind || array_fill('p'::"char", ARRAY[n]), array_fill(type, ARRAY[n + 1]), array_fill(0::bigint, ARRAY[n + 1]),
		(-1)::bigint || guests, array_fill(u.id, ARRAY[n + 1]), NULL::jsonb || array_fill(line, ARRAY[n]),
		array_fill(substr(line::text, 2), ARRAY[n + 1]));
END $$;

-- A handle from whatever a provider calls someone: lower case, [a-z0-9._-], 1 to 32 characters, starting with a letter or digit.
CREATE OR REPLACE FUNCTION handle_from(wish text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(nullif(left(regexp_replace(regexp_replace(lower(split_part(coalesce(wish, ''), '@', 1)),
		'[^a-z0-9._-]+', '-', 'g'), '^[^a-z0-9]+|[^a-z0-9]+$', '', 'g'), 28), ''), 'user')
$$;

-- What nobody is called: it would pass for an authority, or for what addresses many.
CREATE OR REPLACE FUNCTION handle_reserved(handle text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
	SELECT handle IN ('admin', 'administrator', 'owner', 'everyone', 'all', 'here', 'channel', 'system', 'pulsechat')
$$;

-- A handle is one person's or one group's. Who gives one holds it first, until the transaction ends, and looks then.
CREATE OR REPLACE FUNCTION handle_lock(handle text) RETURNS void LANGUAGE sql VOLATILE AS $$
	SELECT pg_advisory_xact_lock(hashtextextended(handle, 8020600004))
$$;
CREATE OR REPLACE FUNCTION handle_taken(wish text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM users u WHERE u.handle = wish) OR EXISTS (SELECT FROM user_groups g WHERE g.handle = wish);
END $$;

-- A new person under the first free handle: alice, alice-2, alice-3 …; a reserved one gets a number as a taken one does. Emits
-- user.created.
CREATE OR REPLACE FUNCTION user_insert(wish text, in_name text, in_picture text, in_email text, in_verified boolean, in_role text)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	base text := handle_from(wish);
	candidate text;
	u users;
BEGIN
	FOR n IN 1 + handle_reserved(base)::int .. 10000 LOOP
		candidate := base || CASE WHEN n = 1 THEN '' ELSE '-' || n END;
		PERFORM handle_lock(candidate);
		CONTINUE WHEN handle_taken(candidate);
		INSERT INTO users (handle, name, picture, email, email_verified, role)
		VALUES (candidate, in_name, in_picture, in_email, in_verified, in_role)
		ON CONFLICT (handle) DO NOTHING RETURNING * INTO u;
		IF u.id IS NOT NULL THEN
			PERFORM people_told('p', 'user.created', u);
			RETURN u.id;
		END IF;
	END LOOP;
	RAISE EXCEPTION 'no free handle for %', base;
END $$;

-- The account of (issuer, subject): made at the first log-in, what the provider says brought up to date at each: name, picture and
-- e-mail. A name or picture that somebody has given himself is shown all the same. Two first log-ins at once make one account. null: deactivated.
CREATE OR REPLACE FUNCTION user_for_identity(in_issuer text, in_subject text, wish text, in_name text, in_picture text,
	in_email text, in_verified boolean, in_role text DEFAULT 'member') RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was users;
	u users;
	uid bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(in_issuer || ' ' || in_subject, 8020600003));
	SELECT i.user_id INTO uid FROM identities i WHERE (i.issuer, i.subject) = (in_issuer, in_subject);
	IF uid IS NULL THEN
		uid := user_insert(wish, in_name, in_picture, in_email, in_verified, in_role);
		UPDATE users SET provider_name = in_name WHERE users.id = uid;
		INSERT INTO identities (issuer, subject, user_id) VALUES (in_issuer, in_subject, uid);
		RETURN uid;
	END IF;
	SELECT * INTO was FROM users WHERE users.id = uid AND users.deactivated_at IS NULL FOR NO KEY UPDATE;
	IF was.id IS NULL OR (was.provider_name, was.picture, was.email, was.email_verified)
		IS NOT DISTINCT FROM (in_name, in_picture, in_email, in_verified) THEN
		RETURN was.id;
	END IF;
	UPDATE users t SET name = CASE WHEN t.own_name THEN t.name ELSE in_name END, provider_name = in_name, picture = in_picture,
		email = in_email, email_verified = in_verified WHERE t.id = uid RETURNING * INTO u;
	IF user_json(u) <> user_json(was) THEN
		UPDATE users t SET version = t.version + 1 WHERE t.id = uid RETURNING * INTO u;
	END IF;
	PERFORM people_told('p', 'user.updated', u);
	RETURN u.id;
END $$;

-- By the pulsechat command: the account of (issuer, subject), made where there is none. null: deactivated.
CREATE OR REPLACE FUNCTION user_add_identity(who acting, in_issuer text, in_subject text, wish text, in_name text, in_role text)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	known boolean;
	made bigint;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(in_issuer || ' ' || in_subject, 8020600003));
	known := EXISTS (SELECT FROM identities i WHERE (i.issuer, i.subject) = (in_issuer, in_subject));
	made := user_for_identity(in_issuer, in_subject, wish, in_name, NULL, NULL, false, in_role);
	IF NOT known THEN
		PERFORM audit_add(who, 'user.added', made, NULL, jsonb_build_object('role', in_role));
	END IF;
	RETURN made;
END $$;

-- Ends a session or token, tells the streams that run under it. False where there is none to end.
CREATE OR REPLACE FUNCTION session_revoke(session bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	owner bigint;
BEGIN
	UPDATE sessions s SET revoked_at = clock_timestamp() WHERE s.id = session AND s.revoked_at IS NULL RETURNING s.user_id INTO owner;
	IF owner IS NULL THEN
		RETURN false;
	END IF;
	PERFORM presence_signed_out(owner, session);
	PERFORM emit_event('x', 'session.revoked', 0, owner, session, jsonb_build_object('session', session),
		jsonb_build_object('session', session));
	RETURN true;
END $$;

-- Closes an account: no log-in, no session, no sending. Memberships stay, for what he said stays his.
CREATE OR REPLACE FUNCTION user_deactivate(person bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
BEGIN
	-- the order of his last message and of this is then the same for everyone
	PERFORM FROM channels c WHERE c.id IN (SELECT m.channel_id FROM members m WHERE m.user_id = person)
	ORDER BY c.id FOR NO KEY UPDATE;
	UPDATE users SET deactivated_at = clock_timestamp(), version = version + 1
	WHERE id = person AND deactivated_at IS NULL RETURNING * INTO u;
	IF u.id IS NULL THEN
		RETURN false;
	END IF;
	UPDATE sessions s SET revoked_at = clock_timestamp() WHERE s.user_id = person AND s.revoked_at IS NULL;
	PERFORM presence_gone(person);
	PERFORM people_told('d', 'user.deactivated', u);
	RETURN true;
END $$;
