-- Links into a channel, for people of the site: made and withdrawn by who may add and remove there (channel_invite_use(), in
-- 40_channels.sql, lets them in).

CREATE OR REPLACE FUNCTION channel_invite_state(i channel_invites) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT link_state(i.id, i.revoked_at, i.expires_at, i.uses, i.max_uses)
$$;

CREATE OR REPLACE FUNCTION channel_invite_json(i channel_invites) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', i.id, 'channel', i.channel_id, 'uses', i.uses, 'max_uses', i.max_uses, 'created_by', i.created_by,
		'created_at', time_text(i.created_at), 'expires_at', time_text(i.expires_at), 'state', channel_invite_state(i))
$$;

-- By its moderators and owners, and admins; what is null sets no bound.
CREATE OR REPLACE FUNCTION channel_invite_make(who acting, channel bigint, hash bytea, most int, ends timestamptz, OUT code text, OUT invite jsonb)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	i channel_invites;
	judged record;
BEGIN
	SELECT * INTO c FROM channels t WHERE t.id = channel;
	judged := judge_channel(who, c);
	code := CASE WHEN judged.code <> 'ok' THEN judged.code WHEN judged.rank = 0 THEN 'forbidden'
		WHEN c.archived_at IS NOT NULL THEN 'unprocessable' ELSE 'ok' END;
	IF code = 'ok' THEN
		INSERT INTO channel_invites (channel_id, code_hash, max_uses, expires_at, created_by)
		VALUES (channel, hash, most, ends, who.user_id) RETURNING * INTO i;
		PERFORM audit_add(who, 'channel.invite_created', NULL, channel, jsonb_build_object('invite', i.id, 'max_uses', i.max_uses,
			'expires_at', time_text(i.expires_at)));
		invite := channel_invite_json(i);
	END IF;
END $$;

-- Again is harmless.
CREATE OR REPLACE FUNCTION channel_invite_withdraw(who acting, channel bigint, wanted bigint) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	judged record;
BEGIN
	SELECT * INTO c FROM channels t WHERE t.id = channel;
	judged := judge_channel(who, c);
	IF judged.code <> 'ok' OR judged.rank = 0 THEN
		RETURN CASE WHEN judged.code <> 'ok' THEN judged.code ELSE 'forbidden' END;
	END IF;
	UPDATE channel_invites v SET revoked_at = now() WHERE v.id = wanted AND v.channel_id = channel AND v.revoked_at IS NULL;
	IF FOUND THEN
		PERFORM audit_add(who, 'channel.invite_revoked', NULL, channel, jsonb_build_object('invite', wanted));
		RETURN 'ok';
	END IF;
	RETURN CASE WHEN EXISTS (SELECT FROM channel_invites v WHERE v.id = wanted AND v.channel_id = channel) THEN 'again' ELSE 'no_link' END;
END $$;
