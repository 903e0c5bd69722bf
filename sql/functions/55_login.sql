-- Signing in: the provider's documents, who may come, invitations, passwords.

-- A document of the provider. in_have: SHA-256 (hex) of the one that the process has, null for none; in_newer: something is missing in that.
-- verdict: have (body is to be used), fetch (the caller fetches it within in_hold_ms, then provider_document_put or _fail), wait
-- (another process does; body may be an old one), none (a newer one was looked for less than a minute ago).
CREATE OR REPLACE FUNCTION provider_document(in_issuer text, in_what text, in_have text, in_newer boolean, in_hold_ms bigint,
	OUT verdict text, OUT body text, OUT left_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	d provider_documents;
	other boolean;
BEGIN
	INSERT INTO provider_documents (issuer, what) VALUES (in_issuer, in_what) ON CONFLICT DO NOTHING;
	SELECT * INTO d FROM provider_documents p WHERE (p.issuer, p.what) = (in_issuer, in_what) FOR UPDATE;
	body := d.body;
	left_ms := greatest(ceil(extract(epoch FROM d.due_at - clock_timestamp()) * 1000), 0);
	other := d.body IS NOT NULL AND encode(sha256(convert_to(d.body, 'UTF8')), 'hex') IS DISTINCT FROM in_have;
	IF d.body IS NOT NULL AND (CASE WHEN in_newer THEN other ELSE d.due_at > clock_timestamp() END) THEN
		verdict := 'have';
	ELSIF d.claimed_until > clock_timestamp() THEN
		verdict := 'wait';
	ELSIF in_newer AND d.newer_at > clock_timestamp() - interval '1 minute' THEN
		verdict := 'none';
	ELSE
		UPDATE provider_documents p SET claimed_until = clock_timestamp() + in_hold_ms * interval '1 millisecond',
			newer_at = CASE WHEN in_newer THEN clock_timestamp() ELSE p.newer_at END
		WHERE (p.issuer, p.what) = (in_issuer, in_what);
		verdict := 'fetch';
	END IF;
END $$;

-- What a claimed fetch brought.
CREATE OR REPLACE FUNCTION provider_document_put(in_issuer text, in_what text, in_body text, in_age_ms bigint) RETURNS void
LANGUAGE sql VOLATILE AS $$
	UPDATE provider_documents p SET body = in_body, due_at = clock_timestamp() + in_age_ms * interval '1 millisecond', claimed_until = NULL
	WHERE (p.issuer, p.what) = (in_issuer, in_what)
$$;

-- It brought nothing.
CREATE OR REPLACE FUNCTION provider_document_fail(in_issuer text, in_what text) RETURNS void LANGUAGE sql VOLATILE AS $$
	UPDATE provider_documents p SET claimed_until = NULL WHERE (p.issuer, p.what) = (in_issuer, in_what)
$$;

-- open, used_up, expired, revoked, or unknown: of a link with this id.
CREATE OR REPLACE FUNCTION link_state(id bigint, revoked timestamptz, ends timestamptz, uses int, most int) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN id IS NULL THEN 'unknown' WHEN revoked IS NOT NULL THEN 'revoked' WHEN ends <= now() THEN 'expired'
		WHEN uses >= most THEN 'used_up' ELSE 'open' END
$$;

CREATE OR REPLACE FUNCTION invite_state(i invites) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT link_state(i.id, i.revoked_at, i.expires_at, i.uses, i.max_uses)
$$;

CREATE OR REPLACE FUNCTION invite_json(i invites) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', i.id, 'note', i.note, 'role', i.role, 'uses', i.uses, 'max_uses', i.max_uses, 'created_by', i.created_by,
		'created_at', time_text(i.created_at), 'expires_at', time_text(i.expires_at), 'state', invite_state(i))
$$;

-- A link; what is null sets no bound.
CREATE OR REPLACE FUNCTION invite_make(who acting, hash bytea, in_note text, in_role text, most int, ends timestamptz) RETURNS invites
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	i invites;
BEGIN
	INSERT INTO invites (code_hash, note, role, max_uses, expires_at, created_by) VALUES (hash, in_note, in_role, most, ends, who.user_id)
	RETURNING * INTO i;
	PERFORM audit_add(who, 'invite.created', NULL, NULL, jsonb_build_object('invite', i.id, 'role', i.role, 'max_uses', i.max_uses,
		'expires_at', time_text(i.expires_at), 'note', nullif(i.note, '')));
	RETURN i;
END $$;

-- Again is harmless. False: there is none.
CREATE OR REPLACE FUNCTION invite_withdraw(who acting, invite bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	UPDATE invites v SET revoked_at = now() WHERE v.id = invite AND v.revoked_at IS NULL;
	IF FOUND THEN
		PERFORM audit_add(who, 'invite.revoked', NULL, NULL, jsonb_build_object('invite', invite));
		RETURN true;
	END IF;
	RETURN EXISTS (SELECT FROM invites v WHERE v.id = invite);
END $$;

-- Who comes by the provider's groups, which gave had_role at his last log-in and give in_role now (null: nothing), gets his role. What
-- the provider changed counts; what was changed here meanwhile stays until then. An owner is made less here alone.
CREATE OR REPLACE FUNCTION user_take_role(person bigint, had_role text, in_role text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
	new_role text;
BEGIN
	IF had_role IS NOT DISTINCT FROM in_role THEN
		RETURN;
	END IF;
	PERFORM roles_lock();
	SELECT * INTO u FROM users WHERE id = person AND deactivated_at IS NULL;
	new_role := coalesce(in_role, CASE WHEN u.role = had_role THEN 'member' END);
	IF u.role <> 'owner' AND u.role <> new_role THEN
		PERFORM role_change(acting_of(person, false, NULL, NULL), u, new_role, '{"by": "groups"}');
	END IF;
END $$;

-- A verified person of the provider comes in. in_group_role: what his groups give, null for nothing; in_mode: open, invite or domains;
-- in_first: where nobody is owner or admin yet, he is owner. outcome: in, deactivated, or why he gets no account: invite_needed,
-- domain (his address is of no such domain), unverified (it is, but the provider does not vouch for it), invite_unknown, _used_up,
-- _expired, _revoked. Whoever has an account comes in by it, however registration is set.
CREATE OR REPLACE FUNCTION user_sign_in(in_issuer text, in_subject text, wish text, in_name text, in_picture text, in_email text,
	in_verified boolean, in_group_role text, in_mode text, in_domains text[], in_invite text, in_first boolean, OUT user_id bigint,
	OUT outcome text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	had identities;
	i invites;
	first boolean := false;
	invited boolean := false;
	of_domain boolean;
	first_role text;
BEGIN
	PERFORM pg_advisory_xact_lock(hashtextextended(in_issuer || ' ' || in_subject, 8020600003));
	SELECT * INTO had FROM identities d WHERE (d.issuer, d.subject) = (in_issuer, in_subject);
	IF had.user_id IS NULL THEN
		IF in_first AND NOT EXISTS (SELECT FROM users u WHERE u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL) THEN
			PERFORM roles_lock();
			first := NOT EXISTS (SELECT FROM users u WHERE u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL);
		END IF;
		IF in_invite IS NOT NULL THEN
			SELECT * INTO i FROM invites v WHERE v.code_hash = decode(in_invite, 'hex') FOR UPDATE;
			invited := invite_state(i) = 'open';
		END IF;
		of_domain := coalesce(lower(split_part(in_email, '@', -1)) = ANY (in_domains), false);
		IF NOT (first OR invited OR coalesce(in_group_role, '') IN ('owner', 'admin') OR in_mode = 'open'
			OR (in_mode = 'domains' AND of_domain AND in_verified)) THEN
			outcome := CASE WHEN in_invite IS NOT NULL THEN 'invite_' || invite_state(i)
				WHEN in_mode <> 'domains' THEN 'invite_needed' WHEN of_domain THEN 'unverified' ELSE 'domain' END;
			RETURN;
		END IF;
		first_role := CASE WHEN first THEN 'owner' ELSE coalesce(in_group_role, CASE WHEN invited THEN i.role ELSE 'member' END) END;
	ELSE
		PERFORM user_take_role(had.user_id, had.group_role, in_group_role); -- first: it locks what comes before users and the log
	END IF;
	user_id := user_for_identity(in_issuer, in_subject, wish, in_name, in_picture, in_email, in_verified, first_role);
	outcome := CASE WHEN user_id IS NULL THEN 'deactivated' ELSE 'in' END;
	IF had.user_id IS NULL AND (first OR in_group_role IS NOT NULL) THEN
		PERFORM audit_add(acting_of(user_id, false, NULL, NULL), 'user.role', user_id, NULL,
			jsonb_build_object('to', first_role, 'by', CASE WHEN first THEN 'first' ELSE 'groups' END));
	END IF;
	IF had.user_id IS NULL AND invited THEN
		UPDATE invites SET uses = uses + 1 WHERE id = i.id;
		UPDATE users SET invite_id = i.id WHERE id = user_id;
	END IF;
	UPDATE identities d SET last_login_at = now(), group_role = in_group_role WHERE (d.issuer, d.subject) = (in_issuer, in_subject);
END $$;

-- A try at a password begins: it counts as failed until it has succeeded, so that tries at once count too. wait_ms: how long nobody
-- may try by this name; then nothing is counted. Four are free, then 5 s, 10 s, … up to 15 minutes; forgotten a day after the last.
CREATE OR REPLACE FUNCTION password_try(in_name text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	t password_tries;
	free_at timestamptz;
BEGIN
	DELETE FROM password_tries WHERE name_hash IN (SELECT o.name_hash FROM password_tries o
		WHERE o.last_at < clock_timestamp() - interval '1 day' LIMIT 100 FOR UPDATE SKIP LOCKED);
	INSERT INTO password_tries AS p (name_hash, tries, last_at) VALUES (sha256(convert_to(in_name, 'UTF8')), 0, clock_timestamp())
	ON CONFLICT (name_hash) DO UPDATE SET tries = p.tries RETURNING * INTO t;
	IF t.tries >= 4 THEN
		free_at := t.last_at + least(5 * 2 ^ least(t.tries - 4, 12), 900) * interval '1 second';
		IF free_at > clock_timestamp() THEN
			RETURN ceil(extract(epoch FROM free_at - clock_timestamp()) * 1000);
		END IF;
	END IF;
	UPDATE password_tries p SET tries = p.tries + 1, last_at = clock_timestamp() WHERE p.name_hash = t.name_hash;
	RETURN 0;
END $$;

-- Sets somebody's password, null for none any more. His browser sessions end, all but spared (0: none): whoever knew the old one is
-- out. False: a bot, nobody signs in to it.
DROP FUNCTION IF EXISTS password_set(acting, bigint, text);
CREATE OR REPLACE FUNCTION password_set(who acting, person bigint, in_hash text, spared bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF EXISTS (SELECT FROM users u WHERE u.id = person AND u.bot) THEN
		RETURN false;
	ELSIF in_hash IS NULL THEN
		DELETE FROM passwords p WHERE p.user_id = person;
	ELSE
		INSERT INTO passwords (user_id, hash) VALUES (person, in_hash)
		ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = now();
	END IF;
	PERFORM audit_add(who, 'user.password', person, NULL);
	PERFORM session_revoke(s.id) FROM sessions s WHERE s.user_id = person AND s.kind = 'session' AND s.revoked_at IS NULL
		AND s.id <> spared ORDER BY s.id;
	RETURN true;
END $$;

-- Somebody comes by an invitation, with a password of this site. in_first: as of user_sign_in. outcome: in, taken (the handle), or how
-- it is with the invitation.
CREATE OR REPLACE FUNCTION user_join(in_invite text, in_handle text, in_name text, in_hash text, in_first boolean, OUT user_id bigint,
	OUT outcome text) LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	i invites;
	first boolean := false;
BEGIN
	PERFORM handle_lock(in_handle); -- of two who wish for it one is told that it is taken
	IF in_first AND NOT EXISTS (SELECT FROM users u WHERE u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL) THEN
		PERFORM roles_lock();
		first := NOT EXISTS (SELECT FROM users u WHERE u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL);
	END IF;
	SELECT * INTO i FROM invites v WHERE v.code_hash = decode(in_invite, 'hex') FOR UPDATE;
	outcome := invite_state(i);
	IF outcome <> 'open' THEN
		RETURN;
	ELSIF handle_reserved(in_handle) OR handle_taken(in_handle) THEN
		outcome := 'taken';
		RETURN;
	END IF;
	outcome := 'in';
	user_id := user_insert(in_handle, in_name, NULL, NULL, false, CASE WHEN first THEN 'owner' ELSE i.role END);
	IF NOT EXISTS (SELECT FROM users u WHERE u.id = user_id AND u.handle = in_handle) THEN
		RAISE EXCEPTION 'somebody has just come as %', in_handle; -- by the provider; nothing is done
	END IF;
	INSERT INTO passwords (user_id, hash) VALUES (user_join.user_id, in_hash);
	UPDATE invites SET uses = uses + 1 WHERE id = i.id;
	UPDATE users SET invite_id = i.id WHERE id = user_join.user_id;
	IF first THEN
		PERFORM audit_add(acting_of(user_id, false, NULL, NULL), 'user.role', user_id, NULL, '{"to": "owner", "by": "first"}');
	END IF;
END $$;
