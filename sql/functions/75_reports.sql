-- Reports: a member says that a message should not be there; a moderator of the channel, or an admin, does something about it.

-- For who may handle it, with the evidence; for who made it, what became of it.
CREATE OR REPLACE FUNCTION report_json(r reports) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', r.id, 'channel', r.channel_id, 'channel_name',
		(SELECT c.name FROM channels c WHERE c.id = r.channel_id), 'seq', r.seq, 'sender', r.sender, 'sent_at', time_text(r.sent_at),
		'body', r.evidence, 'reporter', r.reporter, 'reason', r.reason, 'text', r.words, 'at', time_text(r.at), 'action', r.action,
		'resolved_by', r.resolved_by, 'resolved_at', time_text(r.resolved_at), 'note', r.note)
$$;
CREATE OR REPLACE FUNCTION report_own_json(r reports) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', r.id, 'channel', r.channel_id, 'seq', r.seq, 'reason', r.reason, 'text', r.words,
		'at', time_text(r.at), 'action', r.action, 'resolved_at', time_text(r.resolved_at))
$$;

-- Admins handle all; a channel's owner and moderators those of their channel that are not about themselves, nor about what they may not see.
CREATE OR REPLACE FUNCTION report_is_for(r reports, who acting) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN acting_rank(who) > 0 OR (r.sender <> who.user_id AND EXISTS (SELECT FROM members m JOIN channels c ON c.id = m.channel_id
		WHERE m.channel_id = r.channel_id AND m.user_id = who.user_id AND m.role <> 'member' AND m.first_seq <= r.seq AND c.kind <> 'direct'));
END $$;

-- Tells those who handle it that there is one more, or one less: never what it says.
CREATE OR REPLACE FUNCTION report_told(r reports, type text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	handlers bigint[] := ARRAY(
		SELECT u.id FROM users u WHERE u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL
		UNION SELECT m.user_id FROM members m JOIN channels c ON c.id = m.channel_id
		WHERE m.channel_id = r.channel_id AND m.role <> 'member' AND m.first_seq <= r.seq AND m.user_id <> r.sender AND c.kind <> 'direct' ORDER BY 1);
	line jsonb := jsonb_build_object('report', r.id, 'channel', r.channel_id, 'seq', r.seq);
	n int := cardinality(handlers);
BEGIN
	IF n > 0 THEN
		PERFORM emit_events(array_fill('p'::"char", ARRAY[n]), array_fill(type, ARRAY[n]), array_fill(0::bigint, ARRAY[n]), handlers,
			array_fill(0::bigint, ARRAY[n]), array_fill(line, ARRAY[n]), array_fill(substr(line::text, 2), ARRAY[n]));
	END IF;
END $$;

-- A member reports a message; 'again' where his report of it is open already.
CREATE OR REPLACE FUNCTION report_make(who acting, channel bigint, wanted bigint, in_reason text, in_words text, OUT code text, OUT report bigint)
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	c channels;
	o messages;
	r reports;
BEGIN
	SELECT * INTO c FROM channels WHERE id = channel FOR NO KEY UPDATE; -- the text stays until it is kept
	IF c.id IS NULL OR NOT EXISTS (SELECT FROM members m WHERE m.channel_id = channel AND m.user_id = who.user_id) THEN
		code := CASE WHEN kind_for(c.kind, NULL, who.user_id) = 'public' THEN 'not_a_member' ELSE 'not_found' END;
		RETURN;
	END IF;
	SELECT * INTO o FROM messages m WHERE m.channel_id = channel AND m.seq = wanted AND m.seq >= visible_from(channel, who.user_id);
	code := CASE WHEN o.id IS NULL THEN 'no_message' WHEN o.deleted_at IS NOT NULL THEN 'deleted' WHEN o.sender = who.user_id THEN 'own_message'
		ELSE 'ok' END;
	IF code <> 'ok' THEN
		RETURN;
	END IF;
	INSERT INTO reports (channel_id, seq, sender, sent_at, evidence, reporter, reason, words, at)
	VALUES (channel, wanted, o.sender, o.created_at, o.body, who.user_id, in_reason, in_words, clock_timestamp())
	ON CONFLICT (channel_id, seq, reporter) WHERE action IS NULL DO NOTHING RETURNING * INTO r;
	IF r.id IS NULL THEN
		code := 'again';
		SELECT t.id INTO report FROM reports t
		WHERE t.channel_id = channel AND t.seq = wanted AND t.reporter = who.user_id AND t.action IS NULL;
		RETURN;
	END IF;
	report := r.id;
	PERFORM report_told(r, 'report.created');
END $$;

-- Does what is to be done about it, all in one: the message, its sender, and all open reports of that message. site: the mute is for
-- the whole site. until: of a mute or ban.
CREATE OR REPLACE FUNCTION report_resolve(who acting, in_report bigint, in_action text, in_until timestamptz, in_site boolean, in_note text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	r reports;
	each reports;
	code text := 'ok';
	line jsonb;
BEGIN
	SELECT * INTO r FROM reports WHERE id = in_report;
	IF r.id IS NULL OR NOT report_is_for(r, who) THEN
		RETURN 'no_report';
	END IF;
	IF in_action = 'deactivate' THEN
		PERFORM roles_lock();
	END IF;
	IF in_action = 'deactivate' OR in_site THEN
		PERFORM channels_lock(r.sender, r.channel_id);
	ELSE
		PERFORM FROM channels c WHERE c.id = r.channel_id FOR NO KEY UPDATE;
	END IF;
	SELECT * INTO r FROM reports WHERE id = in_report FOR NO KEY UPDATE;
	IF r.action IS NOT NULL THEN
		RETURN 'resolved';
	END IF;
	IF in_action IN ('delete', 'ban') THEN
		SELECT d.code INTO code FROM message_delete(r.channel_id, who.user_id, r.seq, who) d;
	END IF;
	IF in_action = 'mute' THEN
		code := CASE WHEN in_site THEN user_mute(who, r.sender, in_until, in_note)
			ELSE member_mute(who, r.channel_id, r.sender, in_until, in_note) END;
	ELSIF in_action = 'remove' THEN
		code := member_remove(r.channel_id, who.user_id, r.sender, who, in_note);
	ELSIF in_action = 'ban' AND code IN ('ok', 'again') THEN
		code := member_ban(who, r.channel_id, r.sender, in_until, in_note);
	ELSIF in_action = 'deactivate' THEN
		code := user_close(who, r.sender, in_note);
	END IF;
	IF code NOT IN ('ok', 'again') THEN
		RAISE EXCEPTION 'undone' USING ERRCODE = 'P0999', DETAIL = code; -- what was done already is undone, see report_settle()
	END IF;
	FOR each IN UPDATE reports t SET action = in_action, resolved_by = who.user_id, resolved_at = clock_timestamp(), note = in_note
		WHERE t.channel_id = r.channel_id AND t.seq = r.seq AND t.action IS NULL RETURNING t.* LOOP
		PERFORM audit_add(who, 'report.resolved', each.sender, each.channel_id,
			jsonb_build_object('report', each.id, 'seq', each.seq, 'action', in_action, 'note', nullif(in_note, '')));
		line := jsonb_build_object('report', report_own_json(each));
		PERFORM emit_event('p', 'report.answered', 0, each.reporter, each.reporter, line, line);
		PERFORM report_told(each, 'report.resolved');
	END LOOP;
	RETURN 'ok';
END $$;

-- The same as a code in any case.
CREATE OR REPLACE FUNCTION report_settle(who acting, in_report bigint, in_action text, in_until timestamptz, in_site boolean, in_note text)
RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	code text;
BEGIN
	RETURN report_resolve(who, in_report, in_action, in_until, in_site, in_note);
EXCEPTION WHEN SQLSTATE 'P0999' THEN
	GET STACKED DIAGNOSTICS code = PG_EXCEPTION_DETAIL;
	RETURN code;
END $$;

CREATE OR REPLACE FUNCTION audit_json(a audit) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', a.id, 'at', time_text(a.at), 'actor', a.actor, 'action', a.action, 'target', a.target,
		'channel', a.channel_id, 'channel_name', (SELECT c.name FROM channels c WHERE c.id = a.channel_id), 'details', a.details,
		'request_id', a.request_id, 'address', a.address)
$$;
