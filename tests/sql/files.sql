-- Files: uploads and their quotas, what a message may bear, erasing, care. What races is in tests/files/.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT channel AS other FROM channel_create(:alice, 'public', 't-other', '', ARRAY[:bob]) \gset
SELECT channel AS old FROM channel_create(:alice, 'public', 't-old', '', '{}') \gset
UPDATE channels SET archived_at = now() WHERE id = :old;
SELECT spy.forget() \g /dev/null
\ir include/files.sql

-- beginning
SELECT upload AS one FROM spy.begin(:alice, :open, 1) \gset
SELECT is((SELECT state FROM files WHERE id = :one), 'pending', 'an upload begins as pending');
SELECT results_eq(format('SELECT code, upload FROM spy.begin(%s, %s, 1)', :alice, :open), format('VALUES (''again'', %s::bigint)', :one),
	'again is the same');
SELECT is((SELECT code FROM spy.begin(:alice, :open, 1, 101)), 'client_id_reused', 'another size under it is not');
SELECT is((SELECT code FROM spy.begin(:alice, :other, 1)), 'client_id_reused', 'another channel neither');
SELECT is((SELECT code FROM spy.begin(:bob, :open, 1)), 'ok', 'somebody else may use the same client id');
SELECT is((SELECT code FROM spy.begin(:carol, :open, 1)), 'not_a_member', 'a public channel that one is not in');
SELECT is((SELECT code FROM spy.begin(:carol, :closed, 1)), 'not_found', 'a private one');
SELECT is((SELECT code FROM spy.begin(:carol, 9223372036854775807, 1)), 'not_found', 'none');
SELECT is((SELECT code FROM spy.begin(:alice, :old, 2)), 'unprocessable', 'an archived one');
SELECT is((SELECT code FROM spy.begin(:bob, :open, 2, thumb => :one)), 'bad_thumbnail', 'a thumbnail of another''s file');
SELECT is((SELECT code FROM spy.begin(:alice, :other, 2, thumb => :one)), 'bad_thumbnail', 'of one of another channel');
SELECT upload AS tiny FROM spy.begin(:alice, :open, 2, thumb => :one) \gset
SELECT is((SELECT code FROM spy.begin(:alice, :open, 3, thumb => :tiny)), 'bad_thumbnail', 'of a thumbnail');

-- quotas: alice has 200 bytes
SELECT is((SELECT code FROM spy.begin(:alice, :open, 4, 101, quota_all => 300)), 'quota_user', 'over what one may have in all');
SELECT is((SELECT code FROM spy.begin(:alice, :open, 5, 101, quota_day => 300)), 'quota_day', 'over the day''s');
SELECT ok((SELECT retry_s BETWEEN 86000 AND 86400 FROM spy.begin(:alice, :open, 5, 101, quota_day => 300)), 'which has room again tomorrow');
SELECT is((SELECT retry_s FROM spy.begin(:alice, :open, 5, 301, quota_day => 300)), NULL, 'but never for so much');
SELECT is((SELECT code FROM spy.begin(:alice, :open, 6, 100, quota_all => 300, quota_day => 300)), 'ok', 'up to both is fine');
SELECT files_erase(ARRAY[(SELECT upload FROM spy.begin(:alice, :open, 6))]) \g /dev/null
SELECT is((SELECT code FROM spy.begin(:alice, :open, 7, 100, quota_all => 300)), 'ok', 'what is erased does not count in all');
SELECT is((SELECT code FROM spy.begin(:alice, :open, 8, 1, quota_day => 400)), 'quota_day', 'but for the day it does');
UPDATE files SET created_at = now() - interval '25 hours' WHERE client_id = spy.uuid(6);
SELECT is((SELECT code FROM spy.begin(:alice, :open, 8, 1, quota_day => 400)), 'ok', 'until it has passed');

-- checks
SELECT results_eq(format('SELECT * FROM upload_check_begin(%s, %s, 60000)', :bob, :one), 'VALUES (''no_upload'', NULL::int)',
	'nobody else''s is checked');
SELECT results_eq(format('SELECT * FROM upload_check_begin(%s, %s, 60000)', :alice, :one), 'VALUES (''check'', 1)', 'a check begins');
SELECT results_eq(format('SELECT * FROM upload_check_begin(%s, %s, 60000)', :alice, :one), 'VALUES (''checking'', NULL::int)', 'one at a time');
UPDATE files SET check_until = now() - interval '1 second' WHERE id = :one;
SELECT results_eq(format('SELECT * FROM upload_check_begin(%s, %s, 60000)', :alice, :one), 'VALUES (''check'', 2)',
	'one that is heard of no more is taken over');
SELECT is(upload_check_end(:one, 1, 'ready', 'image/gif', NULL), false, 'and does not count any more');
SELECT is(upload_check_end(:one, 2, 'pending', NULL, NULL), true, 'not all there yet');
SELECT results_eq(format('SELECT * FROM upload_check_begin(%s, %s, 60000)', :alice, :one), 'VALUES (''check'', 3)', 'then again');
SELECT is(upload_check_end(:one, 3, 'ready', 'image/gif', NULL), true, 'ready');
SELECT results_eq(format('SELECT state, type, declared_type, completed_at IS NOT NULL FROM files WHERE id = %s', :one),
	'VALUES (''ready'', ''image/gif'', ''image/png'', true)', 'with its true type');
SELECT is((SELECT code FROM upload_check_begin(:alice, :one, 60000)), 'done', 'again is harmless');
SELECT upload AS bad FROM spy.begin(:alice, :open, 9) \gset
SELECT is(upload_check_end(:bad, (SELECT checks FROM upload_check_begin(:alice, :bad, 60000)), 'erased', NULL, 'sha256'), true, 'one that differs');
SELECT is((SELECT code FROM upload_check_begin(:alice, :bad, 60000)), 'differs_sha256', 'says so again');

-- in a message
SELECT checks FROM upload_check_begin(:alice, :tiny, 60000) \gset
SELECT upload_check_end(:tiny, :checks, 'ready', 'image/png', NULL) \g /dev/null
SELECT spy.made(:alice, :open, 20) AS two \gset
SELECT spy.made(:alice, :other, 21) AS elsewhere \gset
SELECT spy.made(:bob, :open, 22) AS bobs \gset
SELECT upload AS pending FROM spy.begin(:alice, :open, 23) \gset
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :pending)), 11, 'one that is pending');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :elsewhere)), 11, 'one of another channel');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :bobs)), 11, 'another''s');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :bad)), 11, 'one that is erased');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :tiny)), 11, 'a thumbnail');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, 9223372036854775807)), 11, 'none');
SELECT is((SELECT status FROM spy.post(:alice, :open, 31, :two, :pending)), 11, 'one good one does not help');
SELECT is((SELECT count(*)::int FROM messages WHERE channel_id = :open), 0, 'nothing was stored');
SELECT is((SELECT state FROM files WHERE id = :two), 'ready', 'and it is free');
SELECT spy.forget() \g /dev/null
SELECT results_eq(format('SELECT status, seq FROM spy.post(%s, %s, 32, %s, %s)', :alice, :open, :two, :one), 'VALUES (0, 1::bigint)', 'two files');
SELECT results_eq(format('SELECT id, state, seq FROM files WHERE channel_id = %s AND seq IS NOT NULL ORDER BY id', :open),
	format('VALUES (%s::bigint, ''attached'', 1::bigint), (%s, ''attached'', 1), (%s, ''attached'', 1)', :one, :tiny, :two),
	'they and the thumbnail are in it');
SELECT is((SELECT body FROM messages WHERE channel_id = :open AND seq = 1), jsonb_build_object('text', 'é', 'files', jsonb_build_array(
	jsonb_build_object('id', :two, 'name', 'a.png', 'size', 100, 'type', 'image/png', 'width', 3, 'height', 2, 'duration', NULL, 'thumbnail', NULL),
	jsonb_build_object('id', :one, 'name', 'a.png', 'size', 100, 'type', 'image/gif', 'width', 3, 'height', 2, 'duration', NULL, 'thumbnail',
		jsonb_build_object('id', :tiny, 'width', 3, 'height', 2)))), 'the body tells of them in their order');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb->'body' FROM spy.lines() l), (SELECT body FROM messages WHERE channel_id = :open AND seq = 1),
	'and so does the line');
SELECT results_eq(format('SELECT status, seq FROM spy.post(%s, %s, 32, %s, %s)', :alice, :open, :two, :one), 'VALUES (1, 1::bigint)',
	'a retry is a retry');
SELECT is((SELECT status FROM spy.post(:alice, :open, 33, :one)), 11, 'in a message already');
-- in one batch: the first that may have it gets it
SELECT spy.made(:alice, :open, 40) AS a, spy.made(:alice, :open, 41) AS b, spy.made(:alice, :open, 42) AS c \gset
SELECT results_eq(format($$SELECT status, seq FROM write_batch(ARRAY[%1$s::bigint], ARRAY[1::bigint], array_fill('s'::"char", ARRAY[5]),
	ARRAY[1, 1, 1, 1, 1], ARRAY[1, 2, 3, 4, 5], ARRAY[%3$s, %2$s, %2$s, %2$s, %2$s]::bigint[],
	ARRAY[spy.uuid(50), spy.uuid(51), spy.uuid(52), spy.uuid(53), spy.uuid(54)],
	array_fill('\x00112233445566778899aabbccddeeff'::bytea, ARRAY[5]), array_fill(NULL::bigint, ARRAY[5]), array_fill('{"text":"x"}'::text, ARRAY[5]),
	array_fill('"body":{"text":"x"}}'::text, ARRAY[5]), ARRAY[3, 5], false, false, NULL, NULL, ARRAY[1, 2, 2, 3, 3, 5],
	ARRAY[%4$s, %4$s, %5$s, %5$s, %6$s, %6$s]::bigint[])$$,
	:open, :alice, :bob, :a, :b, :c), 'VALUES (11, NULL::bigint), (0, 2), (11, NULL), (0, 3), (0, 4)', 'each is in one message');
SELECT results_eq(format('SELECT id, seq FROM files WHERE id IN (%s, %s, %s) ORDER BY id', :a, :b, :c),
	format('VALUES (%s::bigint, 2::bigint), (%s, 2), (%s, 4)', :a, :b, :c), 'the right one');
SELECT ok(spy.log_is_whole(), 'the log is whole');

-- erasing one
SELECT is((SELECT code FROM file_erase(acting_of(:carol, true, NULL, NULL), :one, false)), 'no_file', 'nobody from outside');
SELECT is((SELECT code FROM file_erase(acting_of(:bob, true, NULL, NULL), :one, false)), 'forbidden', 'no other member');
SELECT is((SELECT code FROM file_erase(acting_of(:root, false, NULL, NULL), :one, false)), 'no_file', 'an admin''s token without the scope');
SELECT is((SELECT code FROM file_erase(acting_of(:alice, true, NULL, NULL), :one, true)), 'ok', 'as an upload it stays, since it is in a message');
SELECT is((SELECT state FROM files WHERE id = :one), 'attached', 'it does');
SELECT spy.forget() \g /dev/null
SELECT results_eq(format('SELECT code, seq, version FROM file_erase(acting_of(%s, true, NULL, NULL), %s, false)', :root, :one),
	'VALUES (''ok'', 1::bigint, 2::bigint)', 'an admin');
SELECT is((SELECT action || ' ' || (details->>'file') FROM audit WHERE id > :noted), 'file.erased ' || :one, 'which is kept');
SELECT is((SELECT body->'files'->1 FROM messages WHERE channel_id = :open AND seq = 1), jsonb_build_object('id', :one, 'erased', true),
	'the message shows it as erased');
SELECT is((SELECT state FROM files WHERE id = :tiny), 'erased', 'its thumbnail went along');
CREATE TEMP TABLE told AS SELECT l AS line FROM spy.lines() l;
SELECT matches((SELECT line FROM told), '^[0-9]+ r ' || :open || ' 0 1 \{"type":"message.updated"', 'one event, in the place of the former line');
SELECT is((SELECT substring(line FROM '\{.*$')::jsonb - 'cursor' - 'type' FROM told),
	(SELECT message_json(m) FROM messages m WHERE channel_id = :open AND seq = 1),
	'which is the message');
SELECT results_eq(format('SELECT code, version FROM file_erase(acting_of(%s, true, NULL, NULL), %s, false)', :alice, :one), 'VALUES (''ok'', 2::bigint)',
	'twice is once');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'without another event');
SELECT results_eq(format('SELECT code, seq FROM file_erase(acting_of(%s, true, NULL, NULL), %s, true)', :alice, :pending), 'VALUES (''ok'', NULL::bigint)',
	'what is in no message');
SELECT is((SELECT code FROM file_erase(acting_of(:bob, true, NULL, NULL), :pending, true)), 'no_file', 'is nobody else''s');
-- a thumbnail by itself
SELECT spy.made(:alice, :open, 60) AS big \gset
SELECT spy.made(:alice, :open, 61, :big) AS small \gset
SELECT is((SELECT status FROM spy.post(:alice, :open, 62, :big)), 0, 'one with a thumbnail');
SELECT seq AS big_seq FROM files WHERE id = :big \gset
SELECT is((SELECT body->'files'->0->'thumbnail' FROM file_erase(acting_of(:alice, true, NULL, NULL), :small, false)), 'null'::jsonb,
	'which is erased alone');

-- with its message, and with all of a person's
SELECT is((SELECT code FROM message_delete(:open, :alice, :big_seq)), 'ok', 'the message is deleted');
SELECT is((SELECT state FROM files WHERE id = :big), 'erased', 'and its file with it');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM files_erase_some(acting_of(:bob, true, NULL, NULL), :alice, 2)), 'admins_only', 'nobody erases another''s files');
SELECT is((SELECT code FROM files_erase_some(acting_of(:root, true, NULL, NULL), 9223372036854775807, 2)), 'no_user', 'nor nobody''s');
SELECT count(*)::int AS left_over FROM files WHERE owner = :alice AND state <> 'erased' \gset
SELECT is((SELECT erased FROM files_erase_some(acting_of(:alice, false, NULL, NULL), :alice, 2)), 2, 'one''s own go by and by');
SELECT is((SELECT erased FROM files_erase_some(acting_of(:root, true, NULL, NULL), :alice, 1000)), :left_over - 2, 'the rest by an admin');
SELECT is((SELECT details FROM audit ORDER BY id DESC LIMIT 1), jsonb_build_object('files', :left_over - 2), 'which is kept');
SELECT is((SELECT count(*)::int FROM files WHERE owner = :alice AND state <> 'erased'), 0, 'all of them');
SELECT is((SELECT count(*)::int FROM messages WHERE body @? '$.files[*] ? (@.erased == true)'), 3, 'three messages bore some');
SELECT is((SELECT count(*)::int FROM messages WHERE body @? '$.files[*] ? (!exists(@.erased))'), 0, 'and all of them say so');
SELECT ok(spy.log_is_whole(), 'the log is whole');

-- care
UPDATE files SET put_until = now() - interval '1 hour', created_at = now() - interval '2 hours', completed_at = completed_at - interval '2 hours';
SELECT upload AS fresh FROM spy.begin(:bob, :open, 70) \gset
SELECT is((SELECT state FROM files WHERE id = :bobs), 'ready', 'one that nobody sends');
SELECT is(files_collect(10000000, 100), 0, 'is left for its time');
SELECT is(files_collect(3600000, 100), 2, 'and goes then, as what was never uploaded');
SELECT is((SELECT state FROM files WHERE id = :bobs), 'erased', 'it does');
SELECT is((SELECT state FROM files WHERE id = :fresh), 'pending', 'a new one does not');
SELECT is((SELECT count(*)::int FROM files_due(60000, 1000)), (SELECT count(*)::int FROM files WHERE state = 'erased'), 'all objects are due');
SELECT is((SELECT count(*)::int FROM files_due(60000, 1000)), 0, 'and taken once');
UPDATE files SET erase_at = now() WHERE id = :bobs;
SELECT is((SELECT count(*)::int FROM files_due(60000, 1000)), 1, 'one that failed comes again');
SELECT ok((SELECT erase_at BETWEEN now() + interval '110 seconds' AND now() + interval '130 seconds' FROM files WHERE id = :bobs),
	'after twice the pause');
SELECT files_deleted(:bobs) \g /dev/null
SELECT is((SELECT erase_at FROM files WHERE id = :bobs), NULL, 'a deleted one does not');
UPDATE files SET put_until = now() + interval '1 hour' WHERE id = :one;
SELECT files_deleted(:one) \g /dev/null
SELECT ok((SELECT erase_at > put_until FROM files WHERE id = :one), 'but while it may be uploaded anew it is deleted once more');
SELECT is(files_forget(), 0::bigint, 'rows stay for the day''s quota');
UPDATE files SET created_at = now() - interval '25 hours' WHERE id = :bobs;
SELECT is(files_forget(), 1::bigint, 'and go after that');

SELECT * FROM finish();
ROLLBACK;
