-- Who types: judged per item, told in notifications within their limit, and where many are present not at all.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT spy.forget() \g /dev/null

SELECT is((SELECT array_agg(t.status) FROM typing_send(ARRAY[:alice, :bob, :carol, :carol, :alice]::bigint[],
	ARRAY[:open, :open, :open, :closed, 0]::bigint[], ARRAY[0, 41, 0, 0, 0]::bigint[], '{0,0,0,0,0}', '{}', 200) t), ARRAY[0, 0, 3, 4, 4],
	'members may; of a public channel one hears that one is not in');
SELECT results_eq('SELECT spy.lines()', ARRAY['0 y ' || :open || ' 0 ' || :alice || ' {}', '0 y ' || :open || ' 41 ' || :bob || ' {}'],
	'who may is told, with what his client knew');
SELECT is(status, 0, 'alone') FROM typing_send(ARRAY[:alice]::bigint[], ARRAY[:open]::bigint[], '{0}', '{0}', ARRAY[:open]::bigint[], 0);
SELECT is((SELECT count(*)::int FROM spy.lines()), 1, 'nobody is present: it is told');
INSERT INTO presence (user_id, state) VALUES (:alice, 'online'), (:bob, 'away'), (:carol, 'online')
	ON CONFLICT (user_id) DO UPDATE SET state = excluded.state;
SELECT is(status, 0, 'as many members as may be are present: those who are not in do not count')
FROM typing_send(ARRAY[:alice]::bigint[], ARRAY[:open]::bigint[], '{0}', '{0}', ARRAY[:open]::bigint[], 2);
SELECT is((SELECT count(*)::int FROM spy.lines()), 1, 'it is told');
SELECT is(status, 1, 'one more')
FROM typing_send(ARRAY[:alice]::bigint[], ARRAY[:open]::bigint[], '{0}', '{0}', ARRAY[:open]::bigint[], 1);
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'it is not told');
SELECT is(status, 0, 'what is not to be judged is not') FROM typing_send(ARRAY[:alice]::bigint[], ARRAY[:open]::bigint[], '{0}', '{0}', '{}', 1);
SELECT spy.forget() \g /dev/null
SELECT is((SELECT count(*)::int FROM typing_send(array_fill(:alice::bigint, ARRAY[256]), array_fill(:open::bigint, ARRAY[256]),
	array_fill(9007199254740991, ARRAY[256]), array_fill(0, ARRAY[256]), '{}', 200) WHERE status = 0), 256, 'as many as one POST may bear');
SELECT is((SELECT count(*)::int FROM spy.notified), 3, 'go into a few payloads');
SELECT is((SELECT count(*)::int FROM spy.lines()), 256, 'all of them');

-- in a thread
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'root'), spy.item(:open, :alice, 2, 'other'), spy.item(:open, :alice, 3, 'gone'),
	spy.item(:open, :alice, 4, 'reply')) \g /dev/null
UPDATE messages SET thread = 1 WHERE channel_id = :open AND seq = 4;
UPDATE messages SET deleted_at = now() WHERE channel_id = :open AND seq IN (2, 3);
INSERT INTO threads (channel_id, root, version, replies, last_seq, users) VALUES (:open, 2, 1, 0, 0, '{}');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT array_agg(t.status) FROM typing_send(array_fill(:bob::bigint, ARRAY[6]), array_fill(:open::bigint, ARRAY[6]), '{4,4,4,4,4,4}',
	'{1,5,4,3,2,0}', '{}', 200) t), ARRAY[0, 12, 13, 14, 0, 0],
	'of a root; neither of no message, nor a reply, nor a deleted one that has no thread');
SELECT results_eq('SELECT spy.lines()', ARRAY['0 y ' || :open || ' 4 ' || :bob || ' {"thread":1}', '0 y ' || :open || ' 4 ' || :bob || ' {"thread":2}',
	'0 y ' || :open || ' 4 ' || :bob || ' {}'], 'where is told');
UPDATE members SET first_seq = 3 WHERE channel_id = :open AND user_id = :bob;
SELECT is((SELECT array_agg(t.status) FROM typing_send(array_fill(:bob::bigint, ARRAY[2]), array_fill(:open::bigint, ARRAY[2]), '{4,4}', '{1,2}', '{}', 200) t),
	ARRAY[0, 12], 'of an older root than he may see he must have a reply to see');
SELECT spy.forget() \g /dev/null
INSERT INTO messages (channel_id, seq, sender, client_id, created_at) VALUES (:open, 9007199254740991, :bob, gen_random_uuid(), now());
SELECT is((SELECT count(*)::int FROM typing_send(array_fill(:bob::bigint, ARRAY[256]), array_fill(:open::bigint, ARRAY[256]),
	array_fill(9007199254740991, ARRAY[256]), array_fill(9007199254740991, ARRAY[256]), '{}', 200) WHERE status = 0), 256, 'the longest lines');
SELECT is((SELECT count(*)::int FROM spy.lines()), 256, 'fit');
UPDATE channels SET archived_at = now() WHERE id = :open;
SELECT is(status, 7, 'nobody types in an archived channel') FROM typing_send(ARRAY[:alice]::bigint[], ARRAY[:open]::bigint[], '{0}', '{0}', '{}', 200);
SELECT is((SELECT count(*)::int FROM spy.notified), 0, 'and nothing is told');
SELECT is((SELECT count(*)::int FROM typing_send('{}', '{}', '{}', '{}', '{}', 200)), 0, 'nothing of nothing');

SELECT is(presence_json(0, u), jsonb_build_object('user', u.id, 'state', 'away', 'last_active', NULL, 'dnd', false, 'status', NULL), 'a presence')
FROM users u WHERE id = :bob;
SELECT * FROM finish();
ROLLBACK;
