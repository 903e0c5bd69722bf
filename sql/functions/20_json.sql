-- How rows look outside (doc/protocol.md, section 3): one rendering for REST, events and replay. Messages are rendered in C
-- (lib/chat/message.c), since their live line is made before the row.

CREATE OR REPLACE FUNCTION time_text(t timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

CREATE OR REPLACE FUNCTION user_json(u users) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', u.id, 'handle', u.handle, 'name', u.name, 'picture', u.picture, 'role', u.role,
		'active', u.deactivated_at IS NULL, 'version', u.version, 'time_zone', u.time_zone)
$$;

-- What a person has written about himself; null where there is nothing, or not any more.
CREATE OR REPLACE FUNCTION status_json(s user_settings) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN (s.status_emoji IS NOT NULL OR s.status_text <> '') AND (s.status_until IS NULL OR s.status_until > now()) THEN
		jsonb_build_object('emoji', s.status_emoji, 'text', s.status_text, 'until', time_text(s.status_until)) END
$$;

-- His own settings; of one without a row the defaults.
CREATE OR REPLACE FUNCTION settings_json(s user_settings) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('invisible', coalesce(s.invisible, false),
		'dnd_until', CASE WHEN s.dnd_until = 'infinity' THEN 'forever' WHEN s.dnd_until > now() THEN time_text(s.dnd_until) END,
		'status', status_json(s), 'read_receipts', coalesce(s.read_receipts, true), 'version', coalesce(s.version, 1))
$$;

-- A person's presence as others see it, or, where own is set, as his own instances do. An invisible one is offline for others.
CREATE OR REPLACE FUNCTION presence_json(person bigint, state text, last_active timestamptz, s user_settings, own boolean)
RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('user', person, 'state', CASE WHEN own OR NOT coalesce(s.invisible, false) THEN state ELSE 'offline' END,
		'last_active', time_text(last_active),
		'dnd', coalesce(s.dnd_until > now() AND (own OR NOT s.invisible), false),
		'status', CASE WHEN own OR NOT coalesce(s.invisible, false) THEN status_json(s) END)
		|| CASE WHEN own THEN jsonb_build_object('invisible', coalesce(s.invisible, false)) ELSE '{}' END
$$;

CREATE OR REPLACE FUNCTION channel_last_seq(c channels) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT m.seq FROM messages m WHERE m.channel_id = c.id ORDER BY m.seq DESC LIMIT 1), c.seq_floor)
$$;

-- What is the same for everyone.
CREATE OR REPLACE FUNCTION channel_json(c channels) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', c.id, 'kind', c.kind, 'name', c.name, 'topic', c.topic, 'version', c.version,
		'created_at', time_text(c.created_at), 'last_seq', channel_last_seq(c),
		'members', (SELECT count(*) FROM members m WHERE m.channel_id = c.id))
$$;

-- Others' undeleted messages above the marker, counted to 100.
CREATE OR REPLACE FUNCTION unread_count(channel bigint, reader bigint, marker bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT count(*) FROM (
		SELECT FROM messages m
		WHERE m.channel_id = channel AND m.seq > marker AND m.sender <> reader AND m.deleted_at IS NULL
		LIMIT 100) u
$$;

-- What one user sees of a channel.
CREATE OR REPLACE FUNCTION channel_json_for(c channels, reader bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT channel_json(c) || jsonb_build_object(
		'peer', CASE WHEN c.kind = 'direct' THEN CASE WHEN c.direct_low = reader THEN c.direct_high ELSE c.direct_low END END,
		'membership', (SELECT jsonb_build_object('role', m.role, 'since', m.since, 'last_read_seq', m.last_read_seq,
				'unread', unread_count(c.id, reader, m.last_read_seq))
			FROM members m WHERE m.channel_id = c.id AND m.user_id = reader))
$$;

CREATE OR REPLACE FUNCTION member_json(m members) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('channel', m.channel_id, 'user', m.user_id, 'role', m.role, 'since', m.since,
		'joined_at', time_text(m.joined_at))
$$;

-- The tail of a logged event's line as its rows are now; null for messages. A row that is gone renders from data.
CREATE OR REPLACE FUNCTION event_tail(e events) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE
		WHEN e.type LIKE 'channel.%' THEN (SELECT substr(jsonb_build_object('channel', channel_json(c))::text, 2)
			FROM channels c WHERE c.id = e.channel_id)
		WHEN e.type = 'settings.updated' THEN (SELECT substr(jsonb_build_object('settings', settings_json(s))::text, 2)
			FROM user_settings s WHERE s.user_id = e.subject)
		WHEN e.type LIKE 'user.%' THEN (SELECT substr(jsonb_build_object('user', user_json(u))::text, 2)
			FROM users u WHERE u.id = e.subject)
		WHEN e.type IN ('message', 'message.edited', 'message.deleted') THEN NULL
		ELSE substr(coalesce(e.data, '{}')::text, 2)
	END
$$;
