-- Threads: what a reply makes of its root and its followers, and the unread counts beside them. By REST and live: tests/realtime/threads.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

-- One reply, as the writer sends it; root below 0: in the channel's line too.
CREATE FUNCTION spy.reply(channel bigint, who bigint, client int, root bigint, named bigint[] DEFAULT NULL) RETURNS int LANGUAGE sql VOLATILE AS $$
	SELECT b.status FROM write_batch(ARRAY[channel], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who], ARRAY[spy.uuid(client)],
		ARRAY[substring(sha256(client::text::bytea) FOR 16)], ARRAY[NULL::bigint],
		ARRAY[jsonb_strip_nulls(jsonb_build_object('text', 'x', 'mentions', named))::text], ARRAY['"body":{}}'], ARRAY[1], false, false,
		(SELECT array_agg(1) FROM unnest(named)), named, NULL, NULL, ARRAY[1], ARRAY[root]) b
$$;
CREATE FUNCTION spy.thread(in_channel bigint, in_root bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT version || ' ' || replies || ' ' || last_seq || ' ' || users::text FROM threads WHERE channel_id = in_channel AND root = in_root
$$;
CREATE FUNCTION spy.read(channel bigint, who bigint, upto bigint) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM read_marks(ARRAY[channel], ARRAY[who], ARRAY[upto], '{0}', '{0}', '{0}', 100, false)
$$;
CREATE FUNCTION spy.counts(channel bigint, reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT u.unread || ' ' || u.mentions || CASE WHEN (u.unread, u.mentions) = (s.unread, s.mentions) THEN '' ELSE ' drift' END
	FROM members m, unread_counts(m) u, unread_scan(m) s WHERE m.channel_id = channel AND m.user_id = reader
$$;
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'one'), spy.item(:open, :bob, 2, 'two')) \g /dev/null
SELECT spy.forget() \g /dev/null

SELECT is(spy.reply(:open, :bob, 3, 1), 0, 'a reply is stored');
SELECT results_eq('SELECT spy.routes()', ARRAY['m ' || :open || ' 0 3 message', 'p ' || :open || ' 0 1 thread.updated',
	'p ' || :open || ' ' || :alice || ' 1 thread.state', 'p ' || :open || ' ' || :bob || ' 1 thread.state'],
	'the members, the author and who replies are told');
SELECT is(spy.log_is_whole(), true, 'in one log without a gap');
SELECT is(spy.thread(:open, 1), '1 1 3 {' || :bob || '}', 'the root tells of it');
SELECT results_eq(format('SELECT user_id, following, read_seq FROM thread_followers WHERE channel_id = %s ORDER BY user_id', :open),
	format('VALUES (%s::bigint, true, 1::bigint), (%s, true, 3)', :alice, :bob), 'the author has it to read, who replied has read it');
SELECT is(spy.counts(:open, :alice), '1 0', 'the channel counts no reply that stands in its thread alone');
SELECT is(spy.reply(:open, :bob, 3, 1), 1, 'a retry finds it');
SELECT is(spy.thread(:open, 1), '1 1 3 {' || :bob || '}', 'and counts nothing twice');
SELECT is(spy.reply(:open, :bob, 4, -1), 0, 'one in the channel too');
SELECT is(spy.counts(:open, :alice), '2 0', 'counts there');
SELECT is(spy.reply(:open, :bob, 5, 1, ARRAY[:alice, :carol]), 0, 'one that names somebody');
SELECT is(spy.counts(:open, :alice), '2 1', 'counts as a mention');
SELECT is((SELECT count(*)::int FROM thread_followers WHERE user_id = :carol), 0, 'who is no member follows nothing');
SELECT is(ARRAY[spy.reply(:open, :bob, 6, 3), spy.reply(:open, :bob, 7, 99)], ARRAY[13, 12], 'no reply to a reply, nor to what is not there');

-- markers count on with replies between
SELECT spy.read(:open, :alice, 2) \g /dev/null
SELECT is(spy.counts(:open, :alice), '1 1', 'read up to a message');
SELECT is(spy.reply(:open, :alice, 8, 2), 0, 'an own reply');
SELECT is(spy.reply(:open, :bob, 9, 2), 0, 'another''s');
SELECT is(spy.counts(:open, :alice), '1 1', 'neither counts');
SELECT spy.read(:open, :alice, 4) \g /dev/null
SELECT is(spy.counts(:open, :alice), '0 1', 'past the one in the channel');
SELECT is((SELECT counted_own FROM members WHERE channel_id = :open AND user_id = :alice), 3::bigint, 'what does not count is kept as one sum');

-- deletions
SELECT is((SELECT code FROM message_delete(:open, :bob, 5)), 'ok', 'the last one is deleted');
SELECT is(spy.thread(:open, 1), '4 2 4 {' || :bob || '}', 'the root tells of the one before');
SELECT is(spy.counts(:open, :alice), '0 0', 'whom it named has it no more');
SELECT is((SELECT code FROM message_delete(:open, :alice, 1)), 'ok', 'a root is deleted');
SELECT is(spy.reply(:open, :alice, 10, 1), 0, 'and keeps its thread');
SELECT is(spy.thread(:open, 1), '5 3 8 {' || :bob || ',' || :alice || '}', 'which goes on');
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 11, 'bare')) \g /dev/null
SELECT count(*) FROM message_delete(:open, :alice, 9) \g /dev/null
SELECT is(spy.reply(:open, :alice, 12, 9), 14, 'one that is deleted without a thread begins none');

-- marks
SELECT is((SELECT code FROM thread_mark(:open, :carol, 1, true, NULL)), 'not_a_member', 'who is out follows nothing');
SELECT is((SELECT code FROM thread_mark(:closed, :carol, 1, true, NULL)), 'not_found', 'nor where he does not look in');
SELECT is((SELECT code FROM thread_mark(:open, :alice, 3, true, NULL)), 'a_reply', 'a reply has no thread');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT state->>'following' FROM thread_mark(:open, :bob, 1, false, NULL)), 'false', 'one lets go');
SELECT is((SELECT state->>'version' FROM thread_mark(:open, :bob, 1, false, NULL)), (SELECT version::text FROM thread_followers
	WHERE channel_id = :open AND root = 1 AND user_id = :bob), 'again is nothing');
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :open || ' ' || :bob || ' 1 thread.state'], 'told once, to himself');
-- retention: replies go as by a deletion, each thread is told once, as it is in the end; a root that goes keeps its thread
SELECT channel AS old FROM channel_create(:alice, 'private', 't-old', '', ARRAY[:bob, :carol]::bigint[]) \gset
SELECT count(*) FROM spy.batch(spy.item(:old, :alice, 21, 'one'), spy.item(:old, :alice, 22, 'two')) \g /dev/null
SELECT is(ARRAY(SELECT spy.reply(:old, :bob, n, r) FROM (VALUES (23, 1), (24, 1), (25, 2), (26, -1)) v(n, r)), '{0,0,0,0}', 'replies to two roots');
SELECT is(spy.reply(:old, :carol, 27, 1, ARRAY[:alice]), 0, 'one of them names somebody');
SELECT is(spy.reply(:old, :carol, 28, 1), 0, 'and one more');
SELECT is(spy.counts(:old, :alice), '1 1', 'what its author has to read before');
UPDATE channels SET keep_days = 10 WHERE id = :old;
UPDATE messages SET created_at = now() - interval '20 days' WHERE channel_id = :old AND seq <= 7;
SELECT spy.forget() \g /dev/null
SELECT is(retention_sweep(4), 4::bigint, 'both roots and two replies go');
SELECT is(spy.thread(:old, 1), (SELECT version || ' 3 8 {' || :bob || ',' || :carol || '}' FROM threads WHERE channel_id = :old AND root = 1),
	'replies that went count no more');
SELECT results_eq('SELECT spy.routes()', (SELECT array_agg('r ' || :old || ' 0 ' || n || ' message.deleted') FROM generate_series(1, 4) n)
	|| ('p ' || :old || ' 0 1 thread.updated'), 'each that went is told, and the thread once');
SELECT is(retention_sweep(100), 3::bigint, 'the rest of what is old');
SELECT is((SELECT replies || ' ' || last_seq || ' ' || users::text FROM threads WHERE channel_id = :old AND root = 1), '1 8 {' || :carol || '}',
	'the one that stays is all that the root tells of');
SELECT is((SELECT replies || ' ' || users::text FROM threads WHERE channel_id = :old AND root = 2), '0 {}', 'of the other none');
SELECT is(spy.counts(:old, :alice), '0 0', 'nothing that went counts, nor whom it named');
SELECT is(spy.log_is_whole(), true, 'in one log without a gap');
SELECT is(spy.reply(:old, :bob, 29, 1), 0, 'a thread without its root goes on');
SELECT * FROM finish();
ROLLBACK;
