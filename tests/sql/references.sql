-- Messages that quote others, and forwarded ones: where they may go, what is told of them, whom it counts for, who has the files.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT channel AS other FROM channel_create(:carol, 'private', 't-other', '', ARRAY[:alice]) \gset

-- One message that refers to others, as the writer sends it. refs: pairs of a channel (0: it is quoted) and a seq.
CREATE FUNCTION spy.refer(channel bigint, who bigint, client int, refs bigint[], root bigint DEFAULT NULL, named bigint[] DEFAULT NULL)
RETURNS TABLE (status int, seq bigint) LANGUAGE sql VOLATILE AS $$
	SELECT b.status, b.seq FROM write_batch(ARRAY[channel], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who],
		ARRAY[spy.uuid(client)], ARRAY[substring(sha256(convert_to(client::text, 'UTF8')) FOR 16)], ARRAY[NULL::bigint],
		ARRAY[jsonb_strip_nulls(jsonb_build_object('text', 'x', 'mentions', named))::text],
		ARRAY['"sender":' || who || ',"version":1,"body":' || jsonb_strip_nulls(jsonb_build_object('text', 'x', 'mentions', named)) || '}'], ARRAY[1],
		false, false, (SELECT array_agg(1) FROM unnest(named)), named, NULL, NULL,
		CASE WHEN root IS NOT NULL THEN ARRAY[1] END, CASE WHEN root IS NOT NULL THEN ARRAY[root] END,
		NULL, NULL, array_fill(1, ARRAY[cardinality(refs)]), refs) b
$$;
CREATE FUNCTION spy.status(channel bigint, who bigint, client int, refs bigint[], root bigint DEFAULT NULL, named bigint[] DEFAULT NULL)
RETURNS int LANGUAGE sql VOLATILE AS 'SELECT status FROM spy.refer(channel, who, client, refs, root, named)';
CREATE FUNCTION spy.body(place bigint, wanted bigint) RETURNS jsonb LANGUAGE sql STABLE AS
	'SELECT body FROM messages WHERE channel_id = place AND seq = wanted';
CREATE FUNCTION spy.counts(channel bigint, reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT u.unread || ' ' || u.mentions || CASE WHEN (u.unread, u.mentions) = (s.unread, s.mentions) THEN '' ELSE ' drift' END
	FROM members m, unread_counts(m) u, unread_scan(m) s WHERE m.channel_id = channel AND m.user_id = reader
$$;
CREATE FUNCTION spy.line_is_body(place bigint, wanted bigint) RETURNS boolean LANGUAGE sql VOLATILE AS $$
	SELECT substring(l FROM '\{.*$')::jsonb->'body' = spy.body(place, wanted) FROM spy.lines() l WHERE l LIKE '%"message"%' OR l LIKE '%"message.updated"%'
$$;
CREATE FUNCTION spy.edit(channel bigint, who bigint, wanted bigint, words text, named bigint[] DEFAULT '{}') RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM message_edit(channel, who, wanted, jsonb_build_object('text', words)::text, words = '', named, NULL, 3600000)
$$;
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'one'), spy.item(:open, :bob, 2, 'two'), spy.item(:open, :bob, 3, 'three'),
	spy.item(:other, :carol, 4, 'secret')) \g /dev/null
SELECT spy.forget() \g /dev/null

-- quotes
SELECT results_eq(format('SELECT * FROM spy.refer(%s, %s, 10, ARRAY[0, 1]::bigint[])', :open, :bob), 'VALUES (0, 4::bigint)', 'a quote is stored');
SELECT is(spy.body(:open, 4), jsonb_build_object('text', 'x', 'reply_to', jsonb_build_object('seq', 1, 'sender', :alice)), 'and tells whom it quotes');
SELECT ok(spy.line_is_body(:open, 4), 'as its line does');
SELECT is(spy.counts(:open, :alice), '3 1', 'whoever is quoted is mentioned');
SELECT results_eq(format('SELECT * FROM spy.refer(%s, %s, 10, ARRAY[0, 1]::bigint[])', :open, :bob), 'VALUES (1, 4::bigint)', 'a retry finds it');
SELECT is(spy.status(:open, :bob, 11, ARRAY[0, 1]::bigint[], NULL, ARRAY[:alice]), 0, 'one that names him too');
SELECT is(spy.counts(:open, :alice), '4 2', 'mentions him once');
SELECT is(spy.status(:open, :alice, 12, ARRAY[0, 1]::bigint[]), 0, 'one may quote oneself');
SELECT is(spy.counts(:open, :alice), '4 2', 'which mentions nobody');
SELECT is(spy.status(:open, :bob, 13, ARRAY[0, 99]::bigint[]), 19, 'none that is not there');
SELECT is(spy.status(:open, :alice, 14, ARRAY[0, 1]::bigint[], 2), 19, 'none of the channel''s line within a thread');
SELECT is(spy.status(:open, :alice, 15, ARRAY[0, 2]::bigint[], 2), 0, 'but its root');
SELECT is(spy.status(:open, :bob, 16, ARRAY[0, 7]::bigint[], 2), 0, 'and another reply');
SELECT is(spy.status(:open, :bob, 17, ARRAY[0, 7]::bigint[]), 19, 'one that stands in a thread alone is not quoted outside of it');
SELECT is(spy.status(:open, :bob, 18, ARRAY[0, 7]::bigint[], 1), 19, 'nor in another');
SELECT is(spy.counts(:open, :alice), '4 3', 'a quote in a thread counts as a mention');
-- edits and deletions
SELECT is(spy.edit(:open, :bob, 5, 'y'), 'ok', 'an edit that names nobody any more');
SELECT is(spy.body(:open, 5), jsonb_build_object('text', 'y', 'reply_to', jsonb_build_object('seq', 1, 'sender', :alice)), 'quotes what it quoted');
SELECT is(spy.counts(:open, :alice), '4 3', 'and mentions whom it quotes');
SELECT is(spy.edit(:open, :bob, 5, 'y'), 'again', 'the same is none');
SELECT is((SELECT code FROM message_delete(:open, :bob, 5)), 'ok', 'deleted');
SELECT is(spy.counts(:open, :alice), '3 2', 'it does not count any more');
SELECT is((SELECT code FROM message_delete(:open, :alice, 1)), 'ok', 'what is quoted is deleted');
SELECT is(spy.body(:open, 4)->'reply_to', jsonb_build_object('seq', 1, 'sender', :alice), 'the quote holds nothing of its text');
SELECT is(spy.status(:open, :bob, 19, ARRAY[0, 1]::bigint[]), 19, 'and it is quoted no more');

-- forwarded
SELECT is(spy.status(:open, :bob, 20, ARRAY[:other, 1]::bigint[]), 20, 'what one cannot read is not forwarded');
SELECT is(spy.status(:open, :alice, 20, ARRAY[:other, 99]::bigint[]), 20, 'nor what is not there');
SELECT is(spy.status(:other, :alice, 20, ARRAY[:open, 1]::bigint[]), 21, 'nor what is deleted');
SELECT is(spy.status(:other, :bob, 20, ARRAY[:open, 2]::bigint[]), 4, 'nor to where one is not');
UPDATE channels SET mls_epoch = 1 WHERE id = :other;
SELECT is(spy.status(:open, :alice, 20, ARRAY[:other, 1]::bigint[]), 20, 'nor out of an encrypted channel');
UPDATE channels SET mls_epoch = NULL WHERE id = :other;
SELECT spy.forget() \g /dev/null
SELECT seq AS copy FROM spy.refer(:open, :alice, 21, ARRAY[:other, 1]::bigint[]) \gset
SELECT is(spy.body(:open, :copy), jsonb_build_object('text', 'x', 'forward', jsonb_build_object('channel', :other, 'seq', 1, 'sender', :carol,
	'created_at', (SELECT time_text(created_at) FROM messages WHERE channel_id = :other AND seq = 1), 'text', 'secret')), 'a copy of what was said');
SELECT ok(spy.line_is_body(:open, :copy), 'as its line tells');
SELECT is((SELECT count(*)::int FROM mentions WHERE channel_id = :open AND seq = :copy), 0, 'which mentions nobody');
SELECT is((SELECT code FROM message_delete(:other, :carol, 1)), 'ok', 'the original is deleted');
SELECT is(spy.body(:open, :copy)->'forward'->>'text', 'secret', 'the copy is the forwarder''s own');
SELECT is((SELECT status FROM spy.refer(:open, :alice, 21, ARRAY[:other, 1]::bigint[])), 1, 'and the retry of its send a retry');
SELECT seq AS again FROM spy.refer(:closed, :bob, 22, ARRAY[:open, :copy]::bigint[]) \gset
SELECT is(spy.body(:closed, :again)->'forward', spy.body(:open, :copy)->'forward', 'what was forwarded is forwarded as it was');
SELECT is(spy.edit(:open, :alice, :copy, ''), 'ok', 'it needs no words of its own');
SELECT is(spy.body(:open, :copy)->'forward'->>'text', 'secret', 'and keeps what it bears');
SELECT is((SELECT array_agg(status) FROM spy.refer(:closed, :bob, 23, ARRAY[0, :again, :open, :copy]::bigint[])), '{0}', 'both at once');
SELECT ok(spy.body(:closed, :again + 1) ?& '{reply_to,forward}', 'are both there');

-- files: a picture with a thumbnail, of carol's, forwarded by alice to where bob is
INSERT INTO files (owner, client_id, channel_id, seq, name, size, declared_type, type, key, state, put_until)
VALUES (:carol, spy.uuid(30), :other, 2, 'a.png', 1, 'image/png', 'image/png', 'k1', 'attached', now()) RETURNING id AS file \gset
INSERT INTO files (owner, client_id, channel_id, seq, thumbnail_of, name, size, declared_type, type, width, height, key, state, put_until)
VALUES (:carol, spy.uuid(31), :other, 2, :file, 'a.png', 1, 'image/png', 'image/png', 4, 3, 'k2', 'attached', now()) RETURNING id AS thumb \gset
SELECT count(*) FROM spy.batch(spy.item(:other, :carol, 32, 'picture')) \g /dev/null
UPDATE messages SET body = body || jsonb_build_object('files', jsonb_build_array(file_json((SELECT f FROM files f WHERE f.id = :file))))
WHERE channel_id = :other AND seq = 2;
SELECT seq AS shown FROM spy.refer(:open, :alice, 33, ARRAY[:other, 2]::bigint[]) \gset
SELECT is(spy.body(:open, :shown)->'forward'->'files', spy.body(:other, 2)->'files', 'files are forwarded as they are');
SELECT results_eq(format('SELECT file_id FROM file_copies WHERE channel_id = %s AND seq = %s ORDER BY 1', :open, :shown),
	ARRAY[:file::bigint, :thumb], 'and had, with their thumbnails, by the readers of the copy');
SELECT seq AS second FROM spy.refer(:closed, :bob, 34, ARRAY[:open, :shown]::bigint[]) \gset
SELECT is((SELECT count(*)::int FROM file_copies), 4, 'of the next one too');
SELECT is((SELECT code FROM message_delete(:closed, :bob, :second)), 'ok', 'which is deleted');
SELECT is((SELECT count(*)::int FROM file_copies), 2, 'and lends them to nobody any more');
SELECT is((SELECT state FROM files WHERE id = :file), 'attached', 'they stay the original''s');
SELECT is(copies_settle(10), 0, 'nothing is to be told');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM message_delete(:other, :carol, 2)), 'ok', 'the original goes');
SELECT results_eq('SELECT spy.routes()', ARRAY['r ' || :other || ' 0 2 message.deleted'], 'told as ever');
SELECT is(copies_settle(10), 1, 'the copy is to say so');
SELECT is((SELECT jsonb_build_array(version, body->'forward'->'files') FROM messages WHERE channel_id = :open AND seq = :shown),
	jsonb_build_array(2, jsonb_build_array(jsonb_build_object('id', :file, 'erased', true))), 'which it does');
SELECT ok(spy.line_is_body(:open, :shown), 'by an event');
SELECT is(copies_settle(10), 0, 'once');
SELECT is((SELECT count(*)::int FROM file_copies), 0, 'nothing is left to lend');
SELECT seq AS late FROM spy.refer(:closed, :bob, 35, ARRAY[:open, :shown]::bigint[]) \gset
SELECT is(spy.body(:closed, :late)->'forward'->'files', jsonb_build_array(jsonb_build_object('id', :file, 'erased', true)), 'what is gone stays so');
SELECT is(spy.log_is_whole(), true, 'in one log without a gap');
SELECT * FROM finish();
ROLLBACK;
