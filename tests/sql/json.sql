-- How rows look outside: the members of each object, event tails as the rows are now.
\ir include/site.sql
SELECT * FROM no_plan();

SELECT is(time_text('2026-11-25 10:04:31.1239+00'), '2026-11-25T10:04:31.123Z', 'times are UTC with milliseconds, cut');
SELECT is(time_text('2026-03-29 03:00:00+02'), '2026-03-29T01:00:00.000Z', 'whatever zone they came in');
SET LOCAL TimeZone = 'Asia/Tokyo';
SELECT is(time_text('2026-01-01 00:00:00+00'), '2026-01-01T00:00:00.000Z', 'or the session has');
SET LOCAL TimeZone = 'UTC';

SELECT is((SELECT user_json(u) FROM users u WHERE id = :alice), jsonb_build_object('id', :alice, 'handle', 't-alice', 'name', 'Alice',
	'picture', NULL, 'role', 'member',
	'active', true, 'bot', false, 'version', 1, 'time_zone', NULL, 'muted_until', NULL), 'a person; no e-mail address');
SELECT is((SELECT channel_json(c) - 'created_at' FROM channels c WHERE id = :open), jsonb_build_object('id', :open, 'kind', 'public',
	'name', 't-open', 'topic', 'for all',
	'version', 1, 'archived', false, 'last_seq', 0, 'people', NULL, 'keep_days', NULL, 'history', 'all', 'mention_all', 'everyone', 'members', 2),
	'a channel');

SELECT status FROM spy.batch(spy.item(:open, :alice, 1, 'a'), spy.item(:open, :alice, 2, 'b'), spy.item(:open, :bob, 3, 'c'),
	spy.item(:open, :alice, 4, 'd')) \g /dev/null
UPDATE messages SET deleted_at = now(), body = NULL, digest = NULL WHERE channel_id = :open AND seq = 2;
SELECT is((SELECT channel_last_seq(c) FROM channels c WHERE id = :open), 4::bigint, 'last_seq is the newest message');
SELECT is((SELECT channel_last_seq(c) FROM channels c WHERE id = :closed), 0::bigint, 'or the floor');
SELECT since FROM members WHERE channel_id = :open AND user_id = :bob \gset
SELECT is((SELECT channel_json_for(c, :bob) FROM channels c WHERE id = :open),
	(SELECT channel_json(c) FROM channels c WHERE id = :open) || jsonb_build_object('peer', NULL, 'membership',
		jsonb_build_object('role', 'member', 'since', :since, 'first_seq', 1, 'last_read_seq', 0, 'unread_from', NULL, 'read_version', 0, 'unread', 2,
			'mentions', 0, 'gone', ARRAY[2], 'wide', ARRAY[]::bigint[], 'read_receipts', true, 'muted_until', NULL),
		'prefs', prefs_json(NULL)), 'a channel with the reader''s membership');
SELECT is((SELECT channel_json_for(c, :carol)->'membership' FROM channels c WHERE id = :open), 'null'::jsonb, 'null for one who is out');
SELECT channel AS pair FROM channel_direct(:bob, :alice) \gset
SELECT is((SELECT (channel_json_for(c, :bob)->>'peer')::bigint FROM channels c WHERE id = :pair), :alice::bigint,
	'the peer of a direct channel is the other one');
SELECT is((SELECT (channel_json_for(c, :alice)->>'peer')::bigint FROM channels c WHERE id = :pair), :bob::bigint, 'for both');
SELECT channel AS self FROM channel_direct(:bob, :bob) \gset
SELECT is((SELECT (channel_json_for(c, :bob)->>'peer')::bigint FROM channels c WHERE id = :self), :bob::bigint, 'and oneself for oneself');
SELECT is((SELECT member_json(m) - 'joined_at' FROM members m WHERE channel_id = :open AND user_id = :bob),
	jsonb_build_object('channel', :open, 'user', :bob, 'role', 'member', 'since', :since, 'first_seq', 1, 'muted_until', NULL), 'a member');

-- event_tail
CREATE FUNCTION spy.tail(id bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$SELECT ('{' || event_tail(e))::jsonb FROM events e WHERE e.id = tail.id$$;
SELECT id AS made FROM events WHERE type = 'channel.created' AND channel_id = :open \gset
UPDATE channels SET name = 't-renamed', version = 2 WHERE id = :open;
SELECT is(spy.tail(:made), jsonb_build_object('channel', (SELECT channel_json(c) FROM channels c WHERE id = :open)),
	'a channel event renders the channel as it is now');
SELECT is(spy.tail(:made)->'channel'->>'name', 't-renamed', 'not as it was');
SELECT id AS born FROM events WHERE type = 'user.created' AND subject = :bob \gset
SELECT is(spy.tail(:born), jsonb_build_object('user', (SELECT user_json(u) FROM users u WHERE id = :bob)), 'a person''s event the person');
SELECT id AS said FROM events WHERE type = 'message' AND channel_id = :open LIMIT 1 \gset
SELECT is((SELECT event_tail(e) FROM events e WHERE id = :said), NULL, 'messages are rendered in C');
SELECT member_remove(:open, :bob, :bob) \g /dev/null
SELECT is(spy.tail(:since), (SELECT data FROM events WHERE id = :since), 'the event of a row that is gone renders from what it kept');
SELECT is(spy.tail(stream_head()), jsonb_build_object('channel', :open, 'user', :bob), 'as a leave does');
SELECT emit_event('p', 'test.bare', 0, 0, 0, '{}') AS bare \gset
SELECT is(spy.tail(:bare), '{}'::jsonb, 'nothing kept is an empty object');

-- the live line and the replay of an event say the same
SELECT spy.forget() \g /dev/null
SELECT code FROM channel_create(:carol, 'public', 't-both', 'x', ARRAY[:bob]) \g /dev/null
SELECT member_remove((SELECT id FROM channels WHERE name = 't-both'), :bob, :bob) \g /dev/null
CREATE TEMP TABLE said AS SELECT split_part(l, ' ', 1)::bigint AS id, substring(l FROM '\{.*')::jsonb - 'type' - 'cursor' AS line FROM spy.lines() l;
SELECT is((SELECT count(*)::int FROM said), 4, 'a creation, two joins and a leave');
SELECT is(s.line, spy.tail(s.id), 'live and replayed: ' || (SELECT type FROM events e WHERE e.id = s.id)) FROM said s
	WHERE (SELECT type FROM events e WHERE e.id = s.id) <> 'channel.created' ORDER BY s.id;
SELECT is(s.line->'channel'->>'name', 't-both', 'live, channel.created') FROM said s ORDER BY s.id LIMIT 1;

SELECT * FROM finish();
ROLLBACK;
