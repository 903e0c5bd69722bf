-- Own sessions and tokens, the provider's word that someone has signed out, programs' accounts.

-- Of a session or token: can it be used still?
CREATE OR REPLACE FUNCTION session_live(s sessions) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT s.revoked_at IS NULL AND (s.expires_at IS NULL OR s.expires_at > now())
		AND (s.idle_limit IS NULL OR s.last_used_at + s.idle_limit > now())
$$;

-- A personal access token; its id, or null where the person has `most` live ones. Another's, or a bot's, is an act for the audit log.
CREATE OR REPLACE FUNCTION access_token_insert(who acting, hash bytea, person bigint, in_name text, in_scopes text[], ends timestamptz,
	most bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	made bigint;
BEGIN
	PERFORM FROM users u WHERE u.id = person FOR NO KEY UPDATE; -- two at once count both
	IF (SELECT count(*) FROM sessions s WHERE s.user_id = person AND s.kind = 'token' AND session_live(s)) >= most THEN
		RETURN NULL;
	END IF;
	INSERT INTO sessions (secret_hash, kind, user_id, name, scopes, expires_at) VALUES (hash, 'token', person, in_name, in_scopes, ends)
	RETURNING id INTO made;
	IF who.user_id IS DISTINCT FROM person THEN
		PERFORM audit_add(who, 'token.created', person, NULL,
			jsonb_build_object('token', made, 'name', in_name, 'scopes', in_scopes, 'expires_at', time_text(ends)));
	END IF;
	RETURN made;
END $$;

-- Ends a session or token of a person (0: of whomever) of a kind (null: any). null: there is none; false: it had ended already.
CREATE OR REPLACE FUNCTION session_end(who acting, session bigint, person bigint, in_kind text) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	s sessions;
BEGIN
	SELECT * INTO s FROM sessions o WHERE o.id = session AND (person = 0 OR o.user_id = person) AND (in_kind IS NULL OR o.kind = in_kind);
	IF s.id IS NULL THEN
		RETURN NULL;
	ELSIF NOT session_revoke(session) THEN
		RETURN false;
	ELSIF who.user_id IS DISTINCT FROM s.user_id THEN
		PERFORM audit_add(who, CASE s.kind WHEN 'session' THEN 'session.revoked' ELSE 'token.revoked' END, s.user_id, NULL,
			CASE s.kind WHEN 'session' THEN jsonb_build_object('session', s.id) ELSE jsonb_build_object('token', s.id, 'name', s.name) END);
	END IF;
	RETURN true;
END $$;

-- Ends all sessions of a person but one (0: none is spared), in the order of their ids. How many there were.
CREATE OR REPLACE FUNCTION sessions_revoke_others(person bigint, spared bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	n bigint := 0;
	one bigint;
BEGIN
	FOR one IN SELECT s.id FROM sessions s WHERE s.user_id = person AND s.kind = 'session' AND s.id <> spared AND session_live(s)
		ORDER BY s.id
	LOOP
		n := n + session_revoke(one)::int;
	END LOOP;
	RETURN n;
END $$;

-- OpenID Connect Back-Channel Logout 1.0: ends the sessions that the provider means, by its session id, by the subject where it names
-- none, by both where it names both.
-- How many ended; null: this token was here before.
CREATE OR REPLACE FUNCTION backchannel_logout(in_issuer text, in_jti text, until_s bigint, in_sid text, in_subject text) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	n bigint := 0;
	one bigint;
BEGIN
	INSERT INTO logout_tokens (issuer, jti, expires_at) VALUES (in_issuer, in_jti, to_timestamp(until_s)) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	FOR one IN
		SELECT s.id FROM sessions s
		WHERE s.kind = 'session' AND s.issuer = in_issuer AND s.revoked_at IS NULL AND (in_sid IS NULL OR s.provider_sid = in_sid)
			AND (in_subject IS NULL OR s.user_id = (SELECT i.user_id FROM identities i WHERE (i.issuer, i.subject) = (in_issuer, in_subject)))
		ORDER BY s.id
	LOOP
		n := n + session_revoke(one)::int;
	END LOOP;
	RETURN n;
END $$;

-- A program's account under the first free handle: nobody signs in to it. Emits user.created and user.updated.
CREATE OR REPLACE FUNCTION bot_insert(who acting, wish text, in_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	made bigint := user_insert(wish, in_name, NULL, NULL, false, 'member');
	u users;
BEGIN
	UPDATE users SET bot = true, version = version + 1 WHERE id = made RETURNING * INTO u;
	PERFORM audit_add(who, 'bot.created', made, NULL);
	PERFORM people_told('p', 'user.updated', u);
	RETURN u.id;
END $$;
