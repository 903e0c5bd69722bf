-- Edits and reactions: what changes, what is told to whom, what is kept. Who is refused by REST: tests/api/{edits,reactions}.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

CREATE FUNCTION spy.edit(channel bigint, actor bigint, wanted bigint, words text, named bigint[] DEFAULT '{}', expected bigint DEFAULT NULL,
	edit_window bigint DEFAULT 60000) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM message_edit(channel, actor, wanted, (jsonb_build_object('text', words) || CASE WHEN named = '{}' THEN '{}'
		ELSE jsonb_build_object('mentions', named) END)::text, words = '', named, expected, edit_window)
$$;
CREATE FUNCTION spy.react(channel bigint, actor bigint, wanted bigint, emoji text, wish boolean DEFAULT true) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code || coalesce(' ' || (state->>'reactions_version') || ' ' || (state->>'reactions'), '')
	FROM reaction_set(channel, actor, wanted, emoji, wish, 3, 2)
$$;
CREATE FUNCTION spy.told() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	SELECT regexp_replace(l, '^[0-9]+ (. [-0-9]+ [-0-9]+ [-0-9]+) .*"type": ?"([a-z._]+)".*$', '\1 \2') FROM spy.lines() l
$$;
CREATE FUNCTION spy.counts(channel bigint, reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT u.unread || ' ' || u.mentions || CASE WHEN (u.unread, u.mentions) = (s.unread, s.mentions) THEN '' ELSE ' drift' END
	FROM members m, unread_counts(m) u, unread_scan(m) s WHERE m.channel_id = channel AND m.user_id = reader
$$;
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'one'), spy.item(:open, :bob, 2, 'two')) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT stream_head() AS head \gset

-- edits
SELECT is(spy.edit(:open, :alice, 1, 'one'), 'again', 'what it says already is no edit');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'of which nobody hears');
SELECT is(spy.edit(:open, :alice, 1, 'eins', '{}', 2), 'changed', 'another version is meant');
SELECT is(spy.edit(:open, :alice, 1, 'eins', '{}', 1), 'ok', 'a sender edits');
SELECT is(spy.edit(:open, :alice, 1, 'eins', '{}', 1), 'again', 'his retry finds it done');
SELECT results_eq('SELECT spy.told()', ARRAY['r ' || :open || ' 0 1 message.updated'], 'the members are told, in the place of the former lines');
SELECT results_eq(format('SELECT version, body, edited_at >= created_at FROM messages WHERE channel_id = %s AND seq = 1', :open),
	$$VALUES (2::bigint, '{"text": "eins"}'::jsonb, true)$$, 'it says so');
SELECT results_eq(format('SELECT version, body FROM message_edits WHERE channel_id = %s', :open), $$VALUES (1::bigint, '{"text": "one"}'::jsonb)$$,
	'what it said is kept');
SELECT is((SELECT data FROM events WHERE id = :head::bigint + 1), NULL, 'the log holds no text');
SELECT is(spy.edit(:open, :bob, 1, 'x'), 'not_yours', 'nobody edits others'' words');
SELECT is(spy.edit(:open, :root, 1, 'x'), 'not_a_member', 'an admin of the site neither');
SELECT is(spy.edit(:open, :alice, 3, 'x'), 'no_message', 'nor what is not there');
SELECT is(spy.edit(:closed, :carol, 1, 'x'), 'not_found', 'nor where one does not look in');
SELECT is(spy.edit(:open, :alice, 1, ''), 'empty', 'a text says something');
SELECT is(spy.edit(:open, :alice, 1, 'x', '{}', NULL, 0), 'no_edits', 'nor where nobody edits');
UPDATE messages SET created_at = now() - interval '1 minute' WHERE channel_id = :open AND seq = 1;
SELECT is(spy.edit(:open, :alice, 1, 'x'), 'too_late', 'nor after the window');
UPDATE messages SET body = body || '{"files": [{"id": 5}]}' WHERE channel_id = :open AND seq = 1;
SELECT is(spy.edit(:open, :alice, 1, '', '{}', NULL, 600000), 'ok', 'but with files it need not');
SELECT is((SELECT body FROM messages WHERE channel_id = :open AND seq = 1), '{"text": "", "files": [{"id": 5}]}'::jsonb, 'which stay');
SELECT is(spy.edit(:open, :alice, 1, '', '{}', NULL, 600000), 'again', 'and are no part of what is compared');
SELECT is((SELECT body FROM message_edits WHERE channel_id = :open AND seq = 1 AND version = 2), '{"text": "eins"}'::jsonb, 'nor of what is kept');
UPDATE channels SET mls_epoch = 1 WHERE id = :open;
SELECT is(spy.edit(:open, :alice, 1, 'x', '{}', NULL, 600000), 'encrypted', 'in an encrypted channel the server edits nothing');
UPDATE channels SET mls_epoch = NULL WHERE id = :open;

-- whom an edit names
SELECT spy.forget() \g /dev/null
SELECT is(spy.counts(:open, :alice), '1 0', 'nobody is named');
SELECT is(spy.edit(:open, :bob, 2, 'two', ARRAY[:alice, :bob, :carol]), 'ok', 'people are named');
SELECT is(spy.counts(:open, :alice), '1 1', 'a member counts it');
SELECT is((SELECT count(*)::int FROM mentions WHERE channel_id = :open), 1, 'not who is out, nor who names himself');
SELECT results_eq('SELECT spy.told()', ARRAY['s 0 ' || :alice || ' 0 read', 'r ' || :open || ' 0 2 message.updated'], 'he is told his new base');
SELECT is(spy.edit(:open, :bob, 2, 'two!', ARRAY[:alice, :carol]), 'ok', 'who goes on being named');
SELECT results_eq('SELECT spy.told()', ARRAY['r ' || :open || ' 0 2 message.updated'], 'is told nothing');
SELECT is(spy.edit(:open, :bob, 2, 'two', ARRAY[:carol]), 'ok', 'who is named no more');
SELECT results_eq('SELECT spy.told()', ARRAY['s 0 ' || :alice || ' 0 read', 'r ' || :open || ' 0 2 message.updated'], 'is');
SELECT is(spy.counts(:open, :alice), '1 0', 'and counts it no more');
SELECT is((SELECT read_version FROM members WHERE channel_id = :open AND user_id = :alice), 2::bigint, 'two bases');

-- reactions
SELECT spy.forget() \g /dev/null
SELECT is(spy.react(:open, :alice, 2, '👍'), 'ok 1 [{"count": 1, "emoji": "👍", "users": [' || :alice || ']}]', 'one reacts');
SELECT is(spy.react(:open, :alice, 2, '👍'), 'again 1 [{"count": 1, "emoji": "👍", "users": [' || :alice || ']}]', 'once');
SELECT results_eq('SELECT spy.told()', ARRAY['a ' || :open || ' 0 2 reactions.updated'], 'the members are told');
SELECT is(spy.react(:open, :bob, 2, '👍'), 'ok 2 [{"count": 2, "emoji": "👍", "users": [' || :alice || ', ' || :bob || ']}]', 'another one too');
SELECT is(spy.react(:open, :alice, 2, '👍', false), 'ok 3 [{"count": 1, "emoji": "👍", "users": [' || :bob || ']}]', 'who takes it back is out');
SELECT is(spy.react(:open, :alice, 2, '👍', false), 'again 3 [{"count": 1, "emoji": "👍", "users": [' || :bob || ']}]', 'once');
SELECT is(spy.react(:open, :bob, 2, '👍', false), 'ok 4 []', 'the last one leaves nothing');
SELECT is(spy.react(:open, :bob, 2, '👍', false), 'again 4 []', 'but its version');
SELECT is(spy.react(:open, :bob, 1, '👍', false), 'again 0 []', 'where there never was one that is 0');
SELECT is(left(spy.react(:open, :bob, 2, e), 2), 'ok', 'three are let on') FROM unnest(ARRAY['a', 'b', 'c']) e;
SELECT is(spy.react(:open, :bob, 2, 'd'), 'too_many', 'no fourth');
SELECT is(left(spy.react(:open, :alice, 2, 'c'), 2), 'ok', 'more of one that is there');
SELECT is(spy.react(:open, :carol, 2, 'c'), 'not_a_member', 'of members');
SELECT is((SELECT version FROM messages WHERE channel_id = :open AND seq = 2), 4::bigint, 'the message itself does not change');
SELECT is(event_tail(e), substr((reactions_json(:open, 2) || jsonb_build_object('user', :alice))::text, 2), 'a replay tells them as they are now')
FROM events e WHERE e.type = 'reactions.updated' ORDER BY e.id LIMIT 1;
SELECT is(message_json(m)->'reactions', reactions_json(:open, 2)->'reactions', 'as does the message') FROM messages m WHERE channel_id = :open AND seq = 2;

-- what goes with a deletion
SELECT is((SELECT code FROM message_delete(:open, :bob, 2)), 'ok', 'a message is deleted');
SELECT is((SELECT count(*)::int FROM message_edits WHERE channel_id = :open AND seq = 2), 0, 'with what it said');
SELECT is((SELECT count(*)::int FROM reactions WHERE channel_id = :open AND seq = 2), 0, 'its reactions');
SELECT is((SELECT count(*)::int FROM message_reactions WHERE channel_id = :open AND seq = 2), 0, 'and their sum');
SELECT is(spy.react(:open, :bob, 2, 'a'), 'gone', 'nobody reacts to it');
SELECT is(spy.edit(:open, :bob, 2, 'x'), 'gone', 'nor edits it');
SELECT is(reactions_json(:open, 2) - 'channel', '{"seq": 2, "reactions": [], "reactions_version": 0}', 'a replay tells none');

SELECT * FROM finish();
ROLLBACK;
