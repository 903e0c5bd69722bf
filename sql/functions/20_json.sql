-- How rows look outside (doc/protocol.md, section 3): one rendering for REST, events and replay. Messages are rendered in C
-- (lib/chat/message.c), since their live line is made before the row.

-- Not immutable, which to_char() is not either: else it is no part of the statement that calls it, but 70 us by itself.
CREATE OR REPLACE FUNCTION time_text(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The end of a mute or ban; null where it is over, or there is none.
CREATE OR REPLACE FUNCTION until_text(t timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN t = 'infinity' THEN 'forever' WHEN t > now() THEN time_text(t) END
$$;

-- picture: one's own, as the path of its file, else the provider's.
CREATE OR REPLACE FUNCTION user_json(u users) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', u.id, 'handle', u.handle, 'name', u.name, 'role', u.role,
		'picture', coalesce('/api/v1/files/' || u.own_picture, u.picture),
		'active', u.deactivated_at IS NULL, 'bot', u.bot, 'version', u.version, 'time_zone', u.time_zone,
		'muted_until', until_text(u.muted_until))
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

-- Here and below PL/pgSQL where it counts: it keeps its plans, where a function in SQL that is not inlined plans anew in each statement.
CREATE OR REPLACE FUNCTION channel_last_seq(c channels) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN coalesce((SELECT m.seq FROM messages m WHERE m.channel_id = c.id ORDER BY m.seq DESC LIMIT 1), c.seq_floor);
END $$;

-- What is the same for everyone.
CREATE OR REPLACE FUNCTION channel_json(c channels) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN jsonb_build_object('id', c.id, 'kind', c.kind, 'name', c.name, 'topic', c.topic, 'version', c.version,
		'archived', c.archived_at IS NOT NULL, 'created_at', time_text(c.created_at), 'last_seq', channel_last_seq(c),
		'people', c.direct_people, 'keep_days', c.keep_days, 'history', c.history, 'mention_all', c.mention_all,
		'members', (SELECT count(*) FROM members m WHERE m.channel_id = c.id));
END $$;

DROP FUNCTION IF EXISTS unread_count(bigint, bigint, bigint);

-- The seq up to which a member has read, as far as counting goes: where he marked as unread, from there on.
CREATE OR REPLACE FUNCTION read_marker(m members) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
	SELECT coalesce(m.unread_from - 1, m.last_read_seq)
$$;

-- How many messages above one seq and up to another do not count for somebody: his own, and replies that stand in their threads alone,
-- whoever sent them. By a look at these, or at all such where they are many.
CREATE OR REPLACE FUNCTION sent_between(channel bigint, who bigint, above bigint, upto bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF upto <= above THEN
		RETURN 0;
	ELSIF upto - above <= 1000 THEN -- by seq, never by sender
		RETURN (SELECT count(*) FROM messages o WHERE o.channel_id = channel AND o.seq > above AND o.seq <= upto AND (o.sender + 0 = who OR o.aside));
	END IF; -- the other way round
	RETURN (SELECT count(*) FROM messages o WHERE o.channel_id = channel AND o.sender = who AND o.seq + 0 > above AND o.seq + 0 <= upto)
		+ (SELECT count(*) FROM messages o WHERE o.channel_id = channel AND o.seq > above AND o.seq <= upto AND o.aside AND o.sender <> who);
END $$;

-- How many messages that do not count for a member stand above base and up to the channel's last seq: from what is kept of his marker (counted_own
-- of them up to counted_seq), with a look at what came since and at what lies between base and his marker, or above base where that is less.
CREATE OR REPLACE FUNCTION own_above(m members, base bigint, last_seq bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
	marker bigint := read_marker(m);
	kept bigint := 0;
	upto bigint := marker;
BEGIN
	IF base > marker AND last_seq - base <= base - marker THEN
		RETURN sent_between(m.channel_id, m.user_id, base, last_seq);
	END IF;
	IF m.counted_seq > marker THEN
		kept := m.counted_own;
		upto := m.counted_seq;
	END IF;
	RETURN kept + sent_between(m.channel_id, m.user_id, upto, last_seq) + sent_between(m.channel_id, m.user_id, base, marker)
		- sent_between(m.channel_id, m.user_id, marker, base);
END $$;

-- Others' undeleted messages above the marker, without replies that stand in their threads alone, and how many name him, those as well, as
-- of last_seq: by arithmetic over indexes and what
-- is kept of the marker, in the snapshot of the statement it stands in. A snapshot that shows a seq shows all below it, since they are
-- given under the channel's lock. gone: others' deleted ones among those above the marker, null where they are more than a client is to
-- keep in mind. wide: of the mentions those by a message that names the channel and not him besides; null where they are more than that.
DO $$ BEGIN -- it has a column more
	IF (SELECT cardinality(p.proallargtypes) FROM pg_proc p WHERE p.oid = to_regproc('unread_counts')) = 5 THEN
		DROP FUNCTION unread_counts(members);
	END IF;
END $$;
CREATE OR REPLACE FUNCTION unread_counts(m members, OUT last_seq bigint, OUT unread bigint, OUT mentions bigint, OUT gone bigint[], OUT wide bigint[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
	c channels;
	base bigint := read_marker(m);
	own bigint;
	dead bigint;
	all_n bigint;
BEGIN
	SELECT * INTO c FROM channels WHERE channels.id = m.channel_id;
	last_seq := channel_last_seq(c);
	IF last_seq <= greatest(base, c.seq_floor) THEN -- he has read it all, as mostly
		unread := 0;
		mentions := 0;
		gone := '{}';
		wide := '{}';
		RETURN;
	END IF;
	IF c.seq_floor > base THEN -- rows below it are gone
		base := c.seq_floor;
		own := sent_between(m.channel_id, m.user_id, base, last_seq);
	ELSE
		own := own_above(m, base, last_seq);
	END IF;
	SELECT count(*), array_agg(d.seq ORDER BY d.seq) INTO dead, gone FROM messages d
	WHERE d.channel_id = m.channel_id AND d.seq > base AND d.deleted_at IS NOT NULL AND d.sender <> m.user_id
		AND d.aside IS NOT TRUE;
	gone := CASE WHEN dead <= 50 THEN coalesce(gone, '{}') END;
	unread := greatest(last_seq - base, 0) - own - dead;
	SELECT count(*), array_agg(w.seq ORDER BY w.seq) INTO all_n, wide FROM wide_mentions w
	WHERE w.channel_id = m.channel_id AND w.seq > base AND w.sender <> m.user_id
		AND NOT EXISTS (SELECT FROM mentions n WHERE n.user_id = m.user_id AND n.channel_id = w.channel_id AND n.seq = w.seq);
	wide := CASE WHEN all_n <= 50 THEN coalesce(wide, '{}') END;
	mentions := all_n + (SELECT count(*) FROM mentions n WHERE n.user_id = m.user_id AND n.channel_id = m.channel_id AND n.seq > base);
END $$;

-- ReadState: what a member's own instances are told.
CREATE OR REPLACE FUNCTION read_state_json(m members) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
	u record := unread_counts(m);
BEGIN
	RETURN jsonb_build_object('channel', m.channel_id, 'seq', m.last_read_seq, 'version', m.read_version, 'last_seq', u.last_seq,
		'unread', u.unread, 'mentions', u.mentions, 'unread_from', m.unread_from, 'gone', u.gone, 'wide', u.wide,
		'read_receipts', m.read_receipts);
END $$;

-- ReadMark: what the others are told, where he shares it.
CREATE OR REPLACE FUNCTION read_mark_json(m members, direct boolean) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('user', m.user_id, 'seq', m.last_read_seq) ||
		CASE WHEN direct THEN jsonb_build_object('delivered', greatest(m.delivered_seq, m.last_read_seq)) ELSE '{}' END
$$;

-- Whether a member lets the others see how far he has read.
CREATE OR REPLACE FUNCTION shares_reads(m members) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN m.read_receipts AND NOT EXISTS (SELECT FROM user_settings s WHERE s.user_id = m.user_id AND NOT s.read_receipts);
END $$;

-- Whether markers in this channel are told to the others at all: counted no further than it takes.
CREATE OR REPLACE FUNCTION tells_reads(channel bigint, receipts_max bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT count(*) <= receipts_max FROM (SELECT FROM members m WHERE m.channel_id = channel LIMIT receipts_max + 1) few);
END $$;

-- What a member wants of a channel; of one without a row the defaults.
CREATE OR REPLACE FUNCTION prefs_json(p channel_prefs) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('notify', p.notify, 'quiet_until', until_text(p.quiet_until), 'favourite', coalesce(p.favourite, false),
		'section', p.section, 'version', coalesce(p.version, 0))
$$;

-- How somebody's side bar is arranged.
CREATE OR REPLACE FUNCTION sidebar_json(s sidebars) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('version', coalesce(s.version, 0), 'sections', coalesce(s.sections,
		'[{"kind":"favourites","collapsed":false},{"kind":"channels","collapsed":false},{"kind":"direct","collapsed":false}]'))
$$;

-- What one user sees of a channel.
CREATE OR REPLACE FUNCTION channel_json_for(c channels, reader bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN channel_json(c) || jsonb_build_object(
		'peer', CASE WHEN c.kind = 'direct' THEN CASE WHEN c.direct_low = reader THEN c.direct_high ELSE c.direct_low END END,
		'prefs', (SELECT prefs_json(p)
			FROM members m LEFT JOIN channel_prefs p ON p.user_id = m.user_id AND p.channel_id = m.channel_id
			WHERE m.channel_id = c.id AND m.user_id = reader),
		'membership', (SELECT jsonb_build_object('role', m.role, 'since', m.since, 'first_seq', m.first_seq, 'last_read_seq', m.last_read_seq,
				'unread_from', m.unread_from, 'read_version', m.read_version, 'unread', u.unread, 'mentions', u.mentions,
				'gone', u.gone, 'wide', u.wide, 'read_receipts', m.read_receipts, 'muted_until', until_text(m.muted_until))
			FROM members m, unread_counts(m) u WHERE m.channel_id = c.id AND m.user_id = reader));
END $$;

CREATE OR REPLACE FUNCTION member_json(m members) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('channel', m.channel_id, 'user', m.user_id, 'role', m.role, 'since', m.since,
		'first_seq', m.first_seq, 'joined_at', time_text(m.joined_at), 'muted_until', until_text(m.muted_until))
$$;

-- What is told of a message's reactions.
CREATE OR REPLACE FUNCTION reactions_json(channel bigint, wanted bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('channel', channel, 'seq', wanted, 'reactions', coalesce(r.list, '[]'), 'reactions_version', coalesce(r.version, 0))
		FROM (SELECT) one LEFT JOIN message_reactions r ON r.channel_id = channel AND r.seq = wanted);
END $$;

-- What is told of a channel's pins: the whole list, with a version of its own.
CREATE OR REPLACE FUNCTION pins_json(channel bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT jsonb_build_object('channel', channel, 'pins', coalesce(p.list, '[]'), 'pins_version', coalesce(p.version, 0))
		FROM (SELECT) one LEFT JOIN pins p ON p.channel_id = channel);
END $$;

-- What is told of a root's replies.
CREATE OR REPLACE FUNCTION replies_json(t threads) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('count', t.replies, 'last_seq', t.last_seq, 'last_at', time_text(t.last_at), 'users', to_jsonb(t.users),
		'version', t.version)
$$;

-- ThreadState: what is told to somebody's own instances of a thread.
CREATE OR REPLACE FUNCTION thread_state_json(f thread_followers) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('channel', f.channel_id, 'root', f.root, 'following', f.following, 'seq', f.read_seq, 'version', f.version)
$$;
CREATE OR REPLACE FUNCTION thread_state_of(channel bigint, reader bigint, wanted bigint) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN coalesce((SELECT thread_state_json(f) FROM thread_followers f WHERE (f.user_id, f.channel_id, f.root) = (reader, channel, wanted)),
		jsonb_build_object('channel', channel, 'root', wanted, 'following', false, 'seq', NULL, 'version', 0));
END $$;

-- Of which thread a message is, as it stands in it, and of a root its replies: for a line.
CREATE OR REPLACE FUNCTION message_thread_json(o messages) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN CASE WHEN o.thread IS NULL THEN jsonb '{}' ELSE jsonb_build_object('thread', o.thread) END
		|| CASE WHEN o.aside IS DISTINCT FROM false THEN jsonb '{}' ELSE jsonb '{"in_channel": true}' END
		|| coalesce((SELECT jsonb_build_object('replies', replies_json(t)) FROM threads t
			WHERE t.channel_id = o.channel_id AND t.root = o.seq), '{}');
END $$;

-- A Message that is not deleted, for a live line; lib/chat/message.c renders the same from its row.
CREATE OR REPLACE FUNCTION message_json(o messages) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN jsonb_build_object('channel', o.channel_id, 'seq', o.seq, 'id', o.id, 'created_at', time_text(o.created_at), 'sender', o.sender,
		'client_id', o.client_id, 'version', o.version, 'body', o.body)
		|| message_thread_json(o) || CASE WHEN o.edited_at IS NULL THEN '{}' ELSE jsonb_build_object('edited_at', time_text(o.edited_at)) END
		|| coalesce((SELECT jsonb_build_object('reactions', r.list, 'reactions_version', r.version)
			FROM message_reactions r WHERE r.channel_id = o.channel_id AND r.seq = o.seq), '{}');
END $$;

-- A group of people, as everyone sees it who may know of groups.
CREATE OR REPLACE FUNCTION group_json(g user_groups) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('id', g.id, 'handle', g.handle, 'name', g.name, 'version', g.version,
		'members', (SELECT count(*) FROM user_group_members m WHERE m.group_id = g.id))
$$;

-- The tail of a logged event's line as its rows are now; null for messages. A row that is gone renders from data.
-- In PL/pgSQL each branch keeps its plan; one statement would be planned for every window that is read.
CREATE OR REPLACE FUNCTION event_tail(e events) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF e.type IN ('message', 'message.updated', 'message.deleted') THEN
		RETURN NULL;
	ELSIF e.type LIKE 'channel.%' THEN
		RETURN (SELECT substr(jsonb_build_object('channel', channel_json(c))::text, 2) FROM channels c WHERE c.id = e.channel_id);
	ELSIF e.type = 'prefs.updated' THEN
		RETURN (SELECT substr(jsonb_build_object('channel', e.subject, 'prefs', prefs_json(p))::text, 2)
			FROM channel_prefs p WHERE p.user_id = e.audience AND p.channel_id = e.subject);
	ELSIF e.type = 'sidebar.updated' THEN
		RETURN (SELECT substr(jsonb_build_object('sidebar', sidebar_json(s))::text, 2) FROM sidebars s WHERE s.user_id = e.audience);
	ELSIF e.type = 'settings.updated' THEN
		RETURN (SELECT substr(jsonb_build_object('settings', settings_json(s))::text, 2) FROM user_settings s WHERE s.user_id = e.subject);
	ELSIF e.type LIKE 'user.%' AND e.data IS NULL THEN
		RETURN (SELECT substr(jsonb_build_object('user', user_json(u))::text, 2) FROM users u WHERE u.id = e.subject);
	ELSIF e.type = 'reactions.updated' THEN
		RETURN substr((reactions_json(e.channel_id, e.subject) || e.data)::text, 2);
	ELSIF e.type = 'pins.updated' THEN
		RETURN substr(pins_json(e.channel_id)::text, 2);
	ELSIF e.type = 'thread.updated' THEN
		RETURN (SELECT substr(jsonb_build_object('channel', t.channel_id, 'seq', t.root, 'replies', replies_json(t))::text, 2)
			FROM threads t WHERE t.channel_id = e.channel_id AND t.root = e.subject);
	ELSIF e.type = 'thread.state' THEN
		RETURN (SELECT substr(thread_state_json(f)::text, 2)
			FROM thread_followers f WHERE (f.user_id, f.channel_id, f.root) = (e.audience, e.channel_id, e.subject));
	ELSIF e.type = 'member.updated' THEN
		RETURN substr(coalesce((SELECT member_json(m)
			FROM members m WHERE m.channel_id = e.channel_id AND m.user_id = e.subject), e.data)::text, 2);
	END IF;
	RETURN substr(coalesce(e.data, '{}')::text, 2);
END $$;
