-- What those see of a channel's history who came later: by what is settled when they come. By REST and live: tests/realtime/history.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

CREATE FUNCTION spy.set(channel bigint, who bigint, policy text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT channel_change(acting_of(who, false, 't', NULL), channel, NULL, NULL, NULL, NULL, policy)
$$;
CREATE FUNCTION spy.from_seq(channel bigint, who bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
	SELECT first_seq FROM members WHERE channel_id = channel AND user_id = who
$$;
CREATE FUNCTION spy.say(channel bigint, who bigint, client int) RETURNS int LANGUAGE sql VOLATILE AS $$
	SELECT status FROM spy.batch(spy.item(channel, who, client, 'm' || client))
$$;
CREATE FUNCTION spy.reply(channel bigint, who bigint, client int, root bigint) RETURNS int LANGUAGE sql VOLATILE AS $$
	SELECT b.status FROM write_batch(ARRAY[channel], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who], ARRAY[spy.uuid(client)],
		ARRAY[substring(sha256(client::text::bytea) FOR 16)], ARRAY[NULL::bigint], ARRAY['{"text":"x"}'], ARRAY['"body":{}}'], ARRAY[1], false, false,
		NULL, NULL, NULL, NULL, ARRAY[1], ARRAY[root]) b
$$;
CREATE FUNCTION spy.mark(channel bigint, who bigint, upto bigint, unread_from bigint) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code || ' ' || seq || ' ' || first_unread
	FROM read_marks(ARRAY[channel], ARRAY[who], ARRAY[upto], ARRAY[unread_from], '{0}', '{0}', 100, false)
$$;

-- who says so, and of which channels
SELECT is(spy.set(:closed, :bob, 'joined'), 'forbidden', 'a member has no say');
SELECT is(spy.set(:closed, :carol, 'joined'), 'not_found', 'nor who is not in');
SELECT is(spy.set(:open, :alice, 'joined'), 'public_history', 'of a public channel everybody sees all');
SELECT is(spy.set(:open, :alice, 'all'), 'again', 'which is so already');
SELECT channel AS pair FROM channel_direct(:alice, :bob) \gset
SELECT is(spy.set(:pair, :alice, 'joined'), 'unprocessable', 'in a direct one nobody comes later');
UPDATE members SET role = 'moderator' WHERE channel_id = :closed AND user_id = :bob;
SELECT is(spy.set(:closed, :bob, 'joined'), 'ok', 'a moderator has');
SELECT is(spy.set(:closed, :bob, 'joined'), 'again', 'once');
SELECT is((SELECT details FROM audit ORDER BY id DESC LIMIT 1), '{"history": {"from": "all", "to": "joined"}}', 'it is kept who did');
SELECT is((SELECT channel_json(c)->>'history' FROM channels c WHERE id = :closed), 'joined', 'and shown');
SELECT throws_ok(format('UPDATE channels SET history = ''joined'' WHERE id = %s', :open), '23514', NULL, 'the table holds it too');
SELECT is(spy.from_seq(:closed, :alice), 1::bigint, 'who is in sees what he saw');

-- who comes, leaves, and comes again
SELECT is(spy.say(:closed, :alice, 1) + spy.say(:closed, :bob, 2) + spy.reply(:closed, :bob, 3, 1), 0, 'two messages and a reply');
SELECT is(member_add(:closed, :alice, :carol, 100), 'ok', 'somebody comes');
SELECT is(spy.from_seq(:closed, :carol), 4::bigint, 'and sees what is stored from now on');
SELECT is((SELECT event_tail(e)::text LIKE '%"first_seq": 4%' FROM events e ORDER BY id DESC LIMIT 1), true, 'which his join says');
SELECT is(spy.say(:closed, :alice, 4), 0, 'the first that he sees');
SELECT is(spy.set(:closed, :alice, 'all'), 'ok', 'all again');
SELECT is(spy.from_seq(:closed, :carol), 4::bigint, 'changes nothing for who is in');
SELECT is(member_remove(:closed, :alice, :carol) || member_add(:closed, :alice, :carol, 100), 'okok', 'who comes then');
SELECT is(spy.from_seq(:closed, :carol), 1::bigint, 'sees all');
SELECT is(spy.set(:closed, :alice, 'joined') || member_remove(:closed, :alice, :carol) || member_add(:closed, :alice, :carol, 100), 'okokok',
	'who is put out and comes again');
SELECT is(spy.from_seq(:closed, :carol), 5::bigint, 'sees no more than before: what is stored after the last time');
SELECT is(spy.say(:closed, :alice, 5), 0, 'seq 5');

-- what he does with what he may not see
SELECT is(visible_from(:closed, :carol), 5::bigint, 'a member by his membership');
SELECT is(visible_from(:closed, :root), 1::bigint, 'who is not in by what he is else');
SELECT is((SELECT code FROM message_edit(:closed, :carol, 4, '{"text":"x"}', false, '{}', NULL, 1000000)), 'no_message', 'edits nothing');
SELECT is((SELECT code FROM message_delete(:closed, :carol, 4, acting_of(:carol, false, 't', NULL))), 'no_message', 'deletes nothing');
SELECT is((SELECT code FROM reaction_set(:closed, :carol, 4, '👍', true, 20, 20)), 'no_message', 'reacts to nothing');
SELECT is((SELECT code FROM reaction_set(:closed, :carol, 5, '👍', true, 20, 20)), 'ok', 'but to what he sees');
SELECT is((SELECT code FROM save_set(:closed, :carol, 4, true, 10)), 'no_message', 'saves nothing');
SELECT is((SELECT code FROM report_make(acting_of(:carol, false, 't', NULL), :closed, 4, 'spam', '')), 'no_message', 'reports nothing');
SELECT is((SELECT code FROM pin_set(:closed, acting_of(:carol, false, 't', NULL), 4, true, 10)), 'no_message', 'pins nothing');
SELECT is(preview_remove(:closed, :carol, 4), 'no_message', 'no preview either');
SELECT is(spy.mark(:closed, :carol, 5, 2), 'ok 5 5', 'marks as unread from the first that he sees on');
SELECT is((SELECT u.unread FROM members m, unread_counts(m) u WHERE m.channel_id = :closed AND m.user_id = :carol), 1::bigint,
	'and counts no more than that');

-- threads
SELECT is(spy.reply(:closed, :carol, 6, 1), 12, 'no reply to what he does not know of');
SELECT is((SELECT code FROM thread_mark(:closed, :carol, 1, true, NULL)), 'no_message', 'nor does he follow it');
SELECT is(spy.reply(:closed, :alice, 7, 1), 0, 'once there is one that he sees');
SELECT is(spy.reply(:closed, :carol, 8, 1), 0, 'he replies too');
SELECT is((SELECT code FROM thread_mark(:closed, :carol, 1, false, NULL)), 'ok', 'and lets go');

-- who is named anew in an older message hears nothing of it
SELECT is((SELECT code FROM message_edit(:closed, :alice, 1, '{"text":"@t-carol"}', false, ARRAY[:carol]::bigint[], NULL, 1000000)), 'ok', 'an edit');
SELECT is((SELECT count(*) FROM mentions WHERE user_id = :carol AND seq = 1), 0::bigint, 'no mention');

-- a report is for those who may see what it is about
SELECT is((SELECT code FROM report_make(acting_of(:bob, false, 't', NULL), :closed, 4, 'spam', '')), 'ok', 'bob reports an older one');
UPDATE members SET role = 'moderator' WHERE channel_id = :closed AND user_id = :carol;
SELECT is((SELECT report_is_for(r, acting_of(:carol, false, 't', NULL)) FROM reports r WHERE channel_id = :closed), false, 'not for a newer moderator');
SELECT is((SELECT report_is_for(r, acting_of(:root, true, 't', NULL)) FROM reports r WHERE channel_id = :closed), true, 'but for an admin');

-- kinds: what is about a message that was there says by its kind that its subject is a seq
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM reaction_set(:closed, :alice, 1, '👍', true, 20, 20)), 'ok', 'a reaction');
SELECT results_eq('SELECT spy.routes()', ARRAY['a ' || :closed || ' 0 1 reactions.updated'], 'is of kind a');
SELECT * FROM finish();
ROLLBACK;
