-- The list of a channel's files: what is in it, for whom, by which pages, and what a page costs where there are very many.
\ir include/site.sql
\ir include/files.sql
SELECT * FROM no_plan();
SELECT channel AS other FROM channel_create(:alice, 'public', 't-other', '', ARRAY[:bob]) \gset

-- One that is ready, of a type.
CREATE FUNCTION spy.of_type(who bigint, place bigint, client int, is_type text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	made bigint := spy.made(who, place, client);
BEGIN
	UPDATE files SET type = is_type, name = 'f' || client WHERE id = made;
	RETURN made;
END $$;
CREATE FUNCTION spy.forward(who bigint, place bigint, client int, source bigint, source_seq bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT b.seq FROM write_batch(ARRAY[place], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who], ARRAY[spy.uuid(client)],
		ARRAY[substring(sha256(convert_to(client::text, 'UTF8')) FOR 16)], ARRAY[NULL::bigint], ARRAY['{"text":""}'],
		ARRAY['"sender":' || who || ',"version":1,"body":{"text":""}}'], ARRAY[1], false, false, NULL, NULL, NULL, NULL, NULL, NULL,
		NULL, NULL, ARRAY[1, 1], ARRAY[source, source_seq]) b
$$;
-- A page as `SEQ.CLIENT …`, with what comes next behind a bar.
CREATE FUNCTION spy.page(place bigint, lowest bigint DEFAULT 1, below bigint DEFAULT 1000, most bigint DEFAULT 50, kinds boolean[] DEFAULT '{t,f}')
RETURNS text LANGUAGE sql STABLE AS $$
	SELECT coalesce((SELECT string_agg((e->>'seq') || '.' || (e->'file'->>'name'), ' ' ORDER BY o)
		FROM jsonb_array_elements(p.files::jsonb) WITH ORDINALITY AS t(e, o)), '') || coalesce(' | ' || p.next, '')
	FROM channel_files(place, lowest, below, most, kinds) p
$$;

SELECT is(spy.page(:open), '', 'a channel without any');
SELECT is((SELECT files FROM channel_files(:open, 1, 1000, 50, '{t,f}')), '[]', 'is an empty list');

-- 1: two pictures, the first with a thumbnail; 2: text; 3: a film and a picture; 4: a reply in the thread of 2; 5: forwarded from another channel
SELECT spy.of_type(:alice, :open, 1, 'image/png') AS a, spy.of_type(:alice, :open, 2, 'image/webp') AS b,
	spy.of_type(:bob, :open, 3, 'text/plain') AS c,
	spy.of_type(:alice, :open, 4, 'video/mp4') AS d, spy.of_type(:alice, :open, 5, 'image/JPEG; q=1') AS e,
	spy.of_type(:bob, :open, 6, 'application/pdf') AS f, spy.of_type(:alice, :other, 7, 'image/gif') AS g,
	spy.of_type(:alice, :other, 8, 'image/svg+xml') AS h
\gset
SELECT spy.made(:alice, :open, 9, :a) AS small, spy.made(:alice, :other, 10, :g) AS lent_small,
	spy.of_type(:alice, :open, 11, 'image/png') AS loose \gset
SELECT is((SELECT string_agg(s.seq::text, ' ') FROM (
	SELECT seq FROM spy.post(:alice, :open, 21, :b, :a) UNION ALL SELECT seq FROM spy.post(:bob, :open, 22, :c)
	UNION ALL SELECT seq FROM spy.post(:alice, :open, 23, :d, :e)
	UNION ALL SELECT seq FROM spy.bear(:bob, :open, 24, ARRAY[:f]::bigint[], 2)) s), '1 2 3 4',
	'messages with files');
SELECT seq AS lent FROM spy.post(:alice, :other, 25, :g, :h) \gset
SELECT is(spy.forward(:alice, :open, 26, :other, :lent), 5::bigint, 'one is forwarded');

SELECT is(spy.page(:open), '5.f7 5.f8 4.f6 3.f4 3.f5 2.f3 1.f2 1.f1', 'all of them, the newest message first, each one''s in its order');
SELECT is((SELECT files::jsonb->3 FROM channel_files(:open, 1, 1000, 50, '{t,f}')), jsonb_build_object(
	'file', (SELECT body->'files'->0 FROM messages WHERE channel_id = :open AND seq = 3), 'seq', 3, 'version', 1, 'sender', :alice,
	'created_at', (SELECT time_text(created_at) FROM messages WHERE channel_id = :open AND seq = 3), 'thread', NULL), 'as the message says');
SELECT is((SELECT (files::jsonb->2->>'thread') || ' ' || (files::jsonb->2->>'sender') FROM channel_files(:open, 1, 1000, 50, '{t,f}')), '2 ' || :bob,
	'a reply with its root');
SELECT is((SELECT files::jsonb->0->>'sender' FROM channel_files(:open, 1, 1000, 50, '{t,f}')), :alice::text, 'a forwarded one is the forwarder''s');
SELECT is(spy.page(:other), '1.f7 1.f8', 'where it comes from it is too');
-- kinds
SELECT is(spy.page(:open, kinds => '{t}'), '5.f7 3.f5 1.f2 1.f1', 'pictures');
SELECT is(spy.page(:open, kinds => '{f}'), '5.f8 4.f6 3.f4 2.f3', 'others: SVG, which is not shown, is among them');
-- pages
SELECT is(spy.page(:open, most => 2), '5.f7 5.f8 4.f6 | 4', 'a page of two messages');
SELECT is(spy.page(:open, below => 4, most => 2), '3.f4 3.f5 2.f3 | 2', 'the next one');
SELECT is(spy.page(:open, below => 2, most => 2), '1.f2 1.f1', 'the last one');
SELECT is(spy.page(:open, below => 1), '', 'nothing is below');
SELECT is(spy.page(:open, most => 5), spy.page(:open), 'as many as there are: no other page');
SELECT is(spy.page(:open, kinds => '{t}', most => 2), '5.f7 3.f5 | 3', 'pages of pictures');
SELECT is(spy.page(:open, kinds => '{t}', most => 2, below => 3), '1.f2 1.f1', 'to their end');
-- who sees what
SELECT is(spy.page(:open, lowest => 3), '5.f7 5.f8 4.f6 3.f4 3.f5', 'nothing below what one may see');
SELECT is(spy.page(:open, lowest => NULL), '', 'nothing for who is not in');

-- what is erased
SELECT files_erase(ARRAY[:b]::bigint[]) \g /dev/null
SELECT is(spy.page(:open), '5.f7 5.f8 4.f6 3.f4 3.f5 2.f3 1.f1', 'a file by itself');
SELECT is((SELECT files::jsonb->6->>'version' FROM channel_files(:open, 1, 1000, 50, '{t,f}')), '2', 'as of the message''s new version');
SELECT files_erase(ARRAY[:small]::bigint[]) \g /dev/null
SELECT is((SELECT files::jsonb->6->'file'->'thumbnail' FROM channel_files(:open, 1, 1000, 50, '{t,f}')), 'null'::jsonb, 'a thumbnail alone');
SELECT is((SELECT code FROM message_edit(:open, :alice, 3, '{"text":"y"}', false, '{}', NULL, 3600000)), 'ok', 'an edit');
SELECT is(spy.page(:open, lowest => 3, below => 4), '3.f4 3.f5', 'keeps them');
SELECT is((SELECT code FROM message_delete(:open, :alice, 3)), 'ok', 'a message is deleted');
SELECT is(spy.page(:open), '5.f7 5.f8 4.f6 2.f3 1.f1', 'with its files');
SELECT files_erase(ARRAY[:g]::bigint[]) \g /dev/null
SELECT is(spy.page(:open), '5.f7 5.f8 4.f6 2.f3 1.f1', 'a forwarded one is there as long as its message says so');
SELECT copies_settle(100) \g /dev/null
SELECT is(spy.page(:open), '5.f8 4.f6 2.f3 1.f1', 'which is a moment');
SELECT is((SELECT code FROM message_delete(:other, :alice, :lent)), 'ok', 'its original is deleted');
SELECT copies_settle(100) \g /dev/null
SELECT is(spy.page(:open), '4.f6 2.f3 1.f1', 'and the other file gone');
UPDATE files SET created_at = now() - interval '30 hours', erase_at = NULL WHERE state = 'erased';
SELECT cmp_ok(files_forget(), '>=', 4::bigint, 'rows are forgotten');
SELECT is(spy.page(:open), '4.f6 2.f3 1.f1', 'the list is the same');
-- retention
UPDATE messages SET created_at = now() - interval '20 days' WHERE channel_id = :open AND seq < 4;
UPDATE channels SET keep_days = 10 WHERE id = :open;
SELECT is(retention_sweep(100), 3::bigint, 'what is too old goes');
SELECT is(spy.page(:open), '4.f6', 'with its files');

-- A hundred thousand that are all of one kind, but for the oldest; and twenty thousand messages that were erased above them.
SELECT channel AS vast FROM channel_create(:alice, 'public', 't-vast', '', '{}') \gset
INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
	SELECT :vast, n, :alice, gen_random_uuid(), now(), jsonb_build_object('text', '', 'files', jsonb_build_array(jsonb_build_object('id', 1000000 + n,
		'name', 'f' || n, 'type', CASE n WHEN 1 THEN 'text/plain' ELSE 'image/png' END))) FROM generate_series(1, 100000) n;
INSERT INTO files (id, owner, client_id, channel_id, seq, name, size, declared_type, type, key, state, put_until, erased_at) OVERRIDING SYSTEM VALUE
	SELECT 1000000 + n, :alice, gen_random_uuid(), :vast, n, 'f' || n, 1, '', CASE n WHEN 1 THEN 'text/plain' ELSE 'image/png' END, 't-vast-' || n,
		CASE WHEN n > 80000 THEN 'erased' ELSE 'attached' END, now(), CASE WHEN n > 80000 THEN now() END FROM generate_series(1, 100000) n;
UPDATE messages SET deleted_at = now(), body = NULL WHERE channel_id = :vast AND seq > 80000;
ANALYZE files, messages;
-- How many pages of the tables and their indices a statement reads.
CREATE FUNCTION spy.read_by(statement text) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) ' || statement INTO plan;
	RETURN (plan->0->'Plan'->>'Shared Hit Blocks')::bigint + (plan->0->'Plan'->>'Shared Read Blocks')::bigint;
END $$;
SELECT is(spy.page(:vast, most => 2, below => 1000000), '80000.f80000 79999.f79999 | 79999', 'the newest that are there');
SELECT is(spy.page(:vast, kinds => '{f}', below => 1000000), '1.f1', 'one among very many');
SELECT cmp_ok(spy.read_by(format('SELECT channel_files(%s, 1, 1000000, 50, %L)', :vast, w.kinds)), '<', 2000::bigint,
	'a page of ' || w.kinds || ' reads little')
	FROM (VALUES ('{t,f}'), ('{t}'), ('{f}')) AS w(kinds);
SELECT cmp_ok(spy.read_by(format('SELECT count(*) FROM files WHERE channel_id = %s AND name = ''x''', :vast)), '>', 2000::bigint,
	'this test sees when it is much');

SELECT * FROM finish();
ROLLBACK;
