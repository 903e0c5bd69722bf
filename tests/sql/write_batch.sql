-- write_batch: what each item of a batch gets told, and what is stored of it. Two connections at once: tests/db/test_writer_retry.c.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT channel AS hall FROM channel_create(:alice, 'public', 't-hall', '', '{}') \gset
SELECT channel AS secret FROM channel_create(:alice, 'private', 't-secret', '', '{}') \gset
SELECT channel AS old FROM channel_create(:alice, 'public', 't-old', '', '{}') \gset
UPDATE channels SET archived_at = now() WHERE id = :old;
UPDATE channels SET mls_epoch = 3 WHERE id = :secret;
SELECT user_insert('t-gone', 'Gone', NULL, NULL, false, 'member') AS gone \gset
SELECT member_add(:open, :gone, :gone, 100) \g /dev/null
SELECT user_deactivate(:gone) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT stream_head() AS head \gset

-- one
CREATE TEMP TABLE one AS SELECT * FROM spy.batch(spy.item(:open, :alice, 1, 'first'));
SELECT results_eq('SELECT status, seq, event FROM one', format('VALUES (0, 1::bigint, %s + 1::bigint)', :head), 'a message is stored as seq 1');
SELECT id AS first_id, at_us FROM one \gset
SELECT results_eq('SELECT sender, client_id, version, body, edited_at, deleted_at, length(digest) FROM messages WHERE channel_id = ' || :open,
	format('VALUES (%s::bigint, spy.uuid(1), 1::bigint, ''{"text": "first"}''::jsonb, NULL::timestamptz, NULL::timestamptz, 16)', :alice),
	'with all its parts');
SELECT is((SELECT (extract(epoch FROM created_at) * 1000000)::bigint FROM messages WHERE channel_id = :open AND seq = 1), :at_us::bigint,
	'its time is told');
SELECT is(:at_us % 1000, 0::bigint, 'in whole milliseconds');
CREATE TEMP TABLE line AS SELECT l AS text FROM spy.lines() l;
SELECT matches((SELECT text FROM line), '^' || :head + 1 || ' m ' || :open || ' 0 1 \{"type":"message","cursor":"' || :'mark' || '\.' || :head + 1,
	'the bell rings with the message for the channel');
SELECT is((SELECT (substring(text FROM '\{.*$')::jsonb) - 'created_at' - 'cursor' FROM line), jsonb_build_object('type', 'message', 'channel', :open,
	'seq', 1, 'id', :first_id, 'sender', :alice, 'client_id', spy.uuid(1), 'version', 1, 'body', '{"text": "first"}'::jsonb),
	'the line is the message as a JSON object');
SELECT is((SELECT substring(text FROM '\{.*$')::jsonb->>'created_at' FROM line),
	(SELECT time_text(created_at) FROM messages WHERE channel_id = :open AND seq = 1), 'with its time');

-- again and reused
SELECT results_eq(format('SELECT * FROM spy.batch(spy.item(%s, %s, 1, ''first''))', :open, :alice),
	format('VALUES (1, 1::bigint, %s::bigint, NULL::bigint, NULL::bigint)', :first_id), 'the same again is told the first one''s numbers');
SELECT results_eq(format('SELECT status, seq, id FROM spy.batch(spy.item(%s, %s, 1, ''other''))', :open, :alice),
	format('VALUES (2, 1::bigint, %s::bigint)', :first_id), 'another text under the same client id is refused');
UPDATE messages SET body = '{"text": "edited"}', version = 2, edited_at = now() WHERE channel_id = :open AND seq = 1;
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 1, 'first'))), 1, 'a late retry after an edit is still a retry');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 1, 'edited'))), 2, 'and the edited text is not what was sent');
UPDATE messages SET body = NULL, digest = NULL, deleted_at = now() WHERE channel_id = :open AND seq = 1;
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 1, 'first'))), 1, 'a late retry after a deletion is a retry');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 1, 'mine'))), 0, 'another sender may use the same client id');
SELECT is((SELECT status FROM spy.batch(spy.item(:closed, :alice, 1, 'there'))), 0, 'and so may the same one in another channel');
SELECT is((SELECT count(*)::int FROM messages WHERE channel_id = :open), 2, 'nothing was stored twice');

-- refusals, each by itself
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :carol, 9, 'x'))), 3, 'public channel, not a member: 3');
SELECT is((SELECT status FROM spy.batch(spy.item(:closed, :carol, 9, 'x'))), 4, 'private channel, not a member: as if there were none');
SELECT is((SELECT status FROM spy.batch(spy.item(9223372036854775807, :alice, 9, 'x'))), 4, 'no such channel: 4');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :gone, 9, 'x'))), 3, 'deactivated: 3');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, 9223372036854775807, 9, 'x'))), 3, 'unknown sender: 3');
SELECT is((SELECT status FROM spy.batch(spy.item(:old, :alice, 9, 'x'))), 7, 'archived: 7');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 9, 'x', NULL, 'z'))), 8, 'unknown kind: 8');
SELECT is((SELECT status FROM spy.batch(spy.item(:secret, :alice, 9, 'x'))), 9, 'plain text in an encrypted channel: 9');
SELECT is((SELECT status FROM spy.batch(spy.item(:secret, :alice, 9, 'x', 2))), 9, 'an epoch that has passed: 9');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 9, 'x', 2))), 9, 'an epoch in a channel without encryption: 9');
SELECT is((SELECT status FROM spy.batch(spy.item(:secret, :alice, 9, 'x', 3))), 0, 'the right epoch: stored');
SELECT is((SELECT count(*)::int FROM spy.lines()), 3, 'only what was stored rang the bell');

-- one batch with all of them: the bad ones fail alone, numbers run on in the order given
SELECT stream_head() AS head \gset
SELECT results_eq(format($$
	SELECT status, seq, event - %1$s FROM spy.batch(
		spy.item(%2$s, %5$s, 21, 'a'), spy.item(%2$s, %7$s, 21, 'not in'), spy.item(%3$s, %5$s, 22, 'b'), spy.item(%2$s, %6$s, 23, 'c'),
		spy.item(%2$s, %5$s, 21, 'a'), spy.item(-1, %5$s, 24, 'nowhere'), spy.item(%2$s, %6$s, 1, 'mine'), spy.item(%4$s, %5$s, 25, 'old'),
		spy.item(%3$s, %5$s, 26, 'd'), spy.item(%2$s, %5$s, 27, 'e'))$$, :head, :open, :hall, :old, :alice, :bob, :carol),
	'VALUES (0, 3::bigint, 1::bigint), (3, NULL, NULL), (0, 1, 2), (0, 4, 3), (6, NULL, NULL), (4, NULL, NULL), (1, 2, NULL), (7, NULL, NULL),
		(0, 2, 4), (0, 5, 5)', 'each item of a batch has its own outcome');
SELECT results_eq(format('SELECT channel_id, subject FROM events WHERE id > %s ORDER BY id', :head),
	format('VALUES (%1$s::bigint, 3::bigint), (%2$s, 1), (%1$s, 4), (%2$s, 2), (%1$s, 5)', :open, :hall), 'events follow the order of the items');
SELECT is((SELECT count(*)::int FROM spy.lines()), 5, 'one line each');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :alice, 21, 'a'))), 1, 'the one that stood twice finds the first in the next batch');
-- new ones, one that is stored already and one twice: with the look first, and where only the insert finds them
SELECT results_eq(format($$SELECT status, seq FROM spy.batch_of(false, jsonb_build_array(spy.item(%1$s, %3$s, 61, 'f'), spy.item(%2$s, %3$s, 22, 'b'),
		spy.item(%1$s, %4$s, 62, 'g'), spy.item(%1$s, %3$s, 61, 'f'), spy.item(%2$s, %3$s, 63, 'h')), %5$L)$$, :open, :hall, :alice, :bob, look),
	CASE WHEN look THEN 'VALUES (1, 6::bigint), (1, 1), (1, 7), (1, 6), (1, 3)' ELSE 'VALUES (0, 6::bigint), (1, 1), (0, 7), (6, NULL), (0, 3)' END,
	'retries among others' || CASE WHEN look THEN ', looked for' ELSE '' END) FROM (VALUES (false), (true)) v(look);
SELECT is((SELECT count(*)::int FROM messages WHERE channel_id = :open), 7, 'nothing was stored twice by that');
SELECT results_eq(format($$SELECT status, seq FROM spy.batch_of(false, jsonb_build_array(spy.item(%1$s, %2$s, 64, 'i'), spy.item(%1$s, %2$s, 64, 'i'),
		spy.item(%1$s, %2$s, 65, 'j')), true)$$, :open, :alice), 'VALUES (0, 8::bigint), (6, NULL), (0, 9)', 'one twice and looked for');
SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT results_eq(format('SELECT count(*)::int, count(DISTINCT seq)::int, min(status) FROM spy.batch_of(false, (
	SELECT jsonb_agg(spy.item(%s, %s, n, ''n'' || n)) FROM generate_series(1001, 1512) n))',
	:hall, :alice), 'VALUES (512, 512, 0)', '512 items are stored in one call');
SELECT is((SELECT max(seq) FROM messages WHERE channel_id = :hall), 515::bigint, 'without a hole');
SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT is((SELECT status FROM spy.batch_of(true, jsonb_build_array(spy.item(:hall, :alice, 2000, 'w')))), 0, 'the waiting form stores the same');

-- a seq that the caller has stored himself: the newest, or one that others have gone on from; with a retry in the batch, and both
CREATE FUNCTION pg_temp.hinted(channel bigint, sender bigint, hint bigint, clients int[], look boolean DEFAULT false)
RETURNS TABLE (status int, seq bigint) LANGUAGE sql AS $$
	SELECT b.status, b.seq FROM write_batch(ARRAY[channel], ARRAY[hint], array_fill('s'::"char", ARRAY[cardinality(clients)]),
		array_fill(1, ARRAY[cardinality(clients)]), ARRAY(SELECT generate_series(1, cardinality(clients))),
		array_fill(sender, ARRAY[cardinality(clients)]), ARRAY(SELECT spy.uuid(c) FROM unnest(clients) c),
		array_fill('\x00112233445566778899aabbccddeeff'::bytea, ARRAY[cardinality(clients)]),
		array_fill(NULL::bigint, ARRAY[cardinality(clients)]), array_fill('{"text": "h"}'::text, ARRAY[cardinality(clients)]),
		array_fill('"x":1}'::text, ARRAY[cardinality(clients)]), ARRAY[cardinality(clients)], look, false) b
$$;
SELECT results_eq(format('SELECT * FROM pg_temp.hinted(%s, %s, -516, ARRAY[3001, 3002])', :hall, :alice), 'VALUES (0, 517::bigint), (0, 518)',
	'on from the newest');
SELECT results_eq(format('SELECT * FROM pg_temp.hinted(%s, %s, -516, ARRAY[3003, 3004])', :hall, :alice), 'VALUES (0, 519::bigint), (0, 520)',
	'on from what others have stored meanwhile');
SELECT results_eq(format('SELECT * FROM pg_temp.hinted(%s, %s, -520, ARRAY[3004, 3005])', :hall, :alice), 'VALUES (1, 520::bigint), (0, 521)',
	'a retry in the batch');
SELECT results_eq(format('SELECT * FROM pg_temp.hinted(%s, %s, -519, ARRAY[3006, 3005, 3006])', :hall, :alice),
	'VALUES (0, 522::bigint), (1, 521), (6, NULL)', 'a retry, one twice, and others'' messages');
SELECT results_eq(format('SELECT * FROM pg_temp.hinted(%s, %s, -1, ARRAY[3007, 3006], true)', :hall, :alice), 'VALUES (0, 523::bigint), (1, 522)',
	'the same where it looks at once');
SELECT is((SELECT count(*) FROM messages WHERE channel_id = :hall), 523::bigint, 'without a hole');
SELECT ok(spy.log_is_whole(), 'the log is whole');

-- data that the database refuses fails the batch as a whole
SELECT stream_head() AS head, (SELECT count(*) FROM messages) AS stored \gset
SELECT throws_ok(format($$SELECT * FROM write_batch(ARRAY[%1$s]::bigint[], ARRAY[0]::bigint[], ARRAY['s', 's']::"char"[], ARRAY[1, 1], ARRAY[1, 2],
	ARRAY[%2$s, %2$s]::bigint[],
	ARRAY[spy.uuid(31), spy.uuid(32)],
	ARRAY['\x00112233445566778899aabbccddeeff'::bytea, '\x00112233445566778899aabbccddeeff'], ARRAY[NULL, NULL]::bigint[],
	ARRAY['{"text": "good"}', '{"text": "\u0000"}'], ARRAY['"x":1}', '"x":1}'], ARRAY[2], false, false)$$, :hall, :alice), '22P05', NULL,
	'U+0000 is an error');
SELECT is((SELECT count(*) FROM messages), :stored::bigint, 'of which nothing stays');
SELECT is(stream_head(), :head::bigint, 'not even a number');

-- where the rows are gone
UPDATE channels SET seq_floor = 900 WHERE id = :closed;
DELETE FROM messages WHERE channel_id = :closed;
SELECT is((SELECT seq FROM spy.batch(spy.item(:closed, :bob, 41, 'on'))), 901::bigint, 'the channel''s floor stands in for deleted rows');
UPDATE channels SET seq_floor = 950 WHERE id = :closed;
DELETE FROM messages WHERE channel_id = :closed;
SELECT is((SELECT seq FROM pg_temp.hinted(:closed, :bob, -901, ARRAY[42])), 951::bigint, 'also for one whose newest the caller has stored');

-- an earlier member
SELECT member_remove(:open, :bob, :bob) \g /dev/null
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 51, 'late'))), 3, 'who has left is told so');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 1, 'mine'))), 1, 'but a retry of what he sent as a member is a retry');

-- what rings the bell comes last of all, once per batch and not per message (PG-3): from the first ring on nobody else can commit
CREATE TABLE spy.written (what regclass, rung boolean);
CREATE FUNCTION spy.on_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO spy.written VALUES (TG_RELID, EXISTS (SELECT FROM spy.notified));
	RETURN NULL;
END $$;
SELECT format('CREATE TRIGGER spy AFTER INSERT OR UPDATE OR DELETE ON %s FOR EACH STATEMENT EXECUTE FUNCTION spy.on_write()', oid::regclass)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition \gexec
CREATE FUNCTION pg_temp.rings(n int) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT spy.forget();
	SELECT count(*) FROM (SELECT jsonb_agg(spy.item((SELECT max(id) FROM channels WHERE name = 't-hall'), (SELECT id FROM users WHERE handle = 't-alice'),
		60000 + 1000 * n + i, 'x')) AS list FROM generate_series(1, n) i) l, spy.batch_of(false, l.list) b WHERE b.status = 0
$$;
SELECT is(pg_temp.rings(64), 64::bigint, 'a batch of 64');
SELECT is((SELECT count(*)::int FROM spy.notified), 16, 'rings once for as many as were said to fit into a payload');
SELECT is(pg_temp.rings(4), 4::bigint, 'a batch that fits into one');
SELECT is((SELECT count(*)::int FROM spy.notified), 1, 'rings once');
SELECT cmp_ok((SELECT count(*)::int FROM spy.written WHERE what IN ('messages'::regclass, 'events'::regclass)), '>=', 4, 'what is written is seen');
SELECT is_empty('SELECT what FROM spy.written WHERE rung', 'and nothing is written behind the first ring');
SELECT is_empty('SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgdeferrable', 'and nothing waits for the commit to be done');

SELECT * FROM finish();
ROLLBACK;
