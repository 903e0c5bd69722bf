-- The stream: its mark, its numbers, the bell and its payloads, the partitions ahead.
\ir include/site.sql
SELECT * FROM no_plan();

-- the mark
SELECT matches(stream_new_mark(), '^[a-z2-7]{8}$', 'a mark is eight characters of base32');
SELECT isnt(stream_new_mark(), stream_new_mark(), 'marks differ');
SELECT is(stream_open(), :'mark', 'the mark stays while the database is the same');
SELECT isnt(stream_open(true), :'mark', 'a new mark can be forced');
SELECT is((SELECT count(*)::int FROM stream), 1, 'there is one stream');
SELECT mark FROM stream \gset
SELECT is(stream_open(), :'mark', 'the forced mark stays too');
UPDATE stream SET database_oid = 1;
SELECT isnt(stream_open(), :'mark', 'another database, made from this one as a template, gets its own mark');
SELECT mark FROM stream \gset
UPDATE stream SET system_identifier = system_identifier + 1;
SELECT isnt(stream_open(), :'mark', 'another cluster, into which this was restored, gets its own mark');
SELECT mark FROM stream \gset
UPDATE stream SET timeline = '000000FF';
SELECT isnt(stream_open(), :'mark', 'another timeline, after recovery or promotion, gets its own mark');
SELECT mark FROM stream \gset
SELECT is(stream_open(), :'mark', 'what was drawn anew is kept');
SELECT isnt(stream_renew(:'mark'), :'mark', 'a mark that was found false is drawn anew');
SELECT mark AS renewed FROM stream \gset
SELECT is(stream_renew(:'mark'), :'renewed', 'but not again by another process that found the same one false');
SELECT is(stream_renew('zzzzzzzz'), :'renewed', 'nor by one that had a mark of long ago');
SELECT is((SELECT count(*)::int FROM stream), 1, 'there is still one stream');
SELECT ok(EXISTS (SELECT FROM pg_locks l WHERE l.relation = 'stream'::regclass AND l.pid = pg_backend_pid()
	AND l.mode = 'ShareRowExclusiveLock'), 'two at once draw one mark: the table is locked');
UPDATE stream SET timeline = '000000FE';
SELECT isnt(stream_renew('zzzzzzzz'), :'renewed', 'where the database is another one a new mark is drawn all the same');
SELECT mark FROM stream \gset
SELECT is(stream_cursor(), :'mark' || '.' || stream_head(), 'a cursor is the mark and the head');

-- the numbers
SELECT is(stream_head_locked(), :head::bigint, 'the head is the last event');
SELECT ok(EXISTS (SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.granted
	AND (l.classid::bigint << 32) + l.objid::bigint = 8020600001), 'and is held until the transaction ends');
SELECT is(emit_event('p', 'test.one', 0, -1, 0, '{"a": 1}'), :head + 1::bigint, 'an event takes the next id');
SELECT results_eq('SELECT spy.lines()',
	ARRAY[:head + 1 || ' p 0 -1 0 {"type":"test.one","cursor":"' || :'mark' || '.' || :head + 1 || '","a": 1}'],
	'its line bears id, kind, channel, audience, subject and the JSON object');
SELECT is(emit_events(ARRAY['p', 'm', 'x']::"char"[], ARRAY['test.a', 'message', 'test.c'], ARRAY[7, 8, 9], ARRAY[0, 0, 5],
	ARRAY[1, 2, 3], ARRAY[NULL, NULL, '{"k": 1}']::jsonb[], ARRAY['"a":1}', '"b":2}', '"c":3}']), :head + 2::bigint,
	'several events take ids in a row, and the first is returned');
SELECT results_eq('SELECT id, kind::text, type, channel_id, audience, subject, data FROM events WHERE id > ' || :head + 1 || ' ORDER BY id',
	format('VALUES (%1$s + 2::bigint, ''p'', ''test.a'', 7::bigint, 0::bigint, 1::bigint, NULL::jsonb), (%1$s + 3, ''m'', ''message'', 8, 0, 2, NULL),
		(%1$s + 4, ''x'', ''test.c'', 9, 5, 3, ''{"k": 1}'')', :head), 'as they were given, in their order');
SELECT is((SELECT count(*)::int FROM spy.notified), 1, 'they ring the bell once');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 7 0 1 test.a', 'm 8 0 2 message', 'x 9 5 3 test.c'], 'with a line each');

-- payloads (PG-1): the limit counts in bytes
CREATE FUNCTION spy.emit_long(bytes int, filler text DEFAULT 'x') RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT emit_event('p', 'test.long', 4, 0, 6, jsonb_build_object('t', repeat(filler, bytes / octet_length(filler))))
$$;
CREATE FUNCTION spy.longest() RETURNS int LANGUAGE sql STABLE AS 'SELECT max(octet_length(payload)) FROM spy.notified';
-- what stands around the filler
SELECT spy.emit_long(0) \g /dev/null
SELECT spy.longest() AS around \gset
SELECT spy.forget() \g /dev/null
SELECT spy.emit_long(7900 - :around - 2) \g /dev/null
SELECT cmp_ok(spy.longest(), '<=', 7900, 'a payload of up to 7,900 bytes is sent as it is');
SELECT cmp_ok(spy.longest(), '>', 7890, 'and was near the limit in this test');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 4 0 6 test.long'], 'with its text');
SELECT spy.emit_long(7901) AS id \gset
SELECT results_eq('SELECT spy.lines()', ARRAY[:id || ' f 4 0 6'], 'a longer one carries ids only');
SELECT spy.emit_long(8000, '😀') AS id \gset
SELECT results_eq('SELECT spy.lines()', ARRAY[:id || ' f 4 0 6'], '2,000 characters of four bytes are too long: bytes count');
SELECT spy.emit_long(100000) AS id \gset
SELECT results_eq('SELECT spy.lines()', ARRAY[:id || ' f 4 0 6'], '100,000 bytes do not fail either');
SELECT emit_events(array_fill('p'::"char", ARRAY[500]), array_fill('test.many'::text, ARRAY[500]),
	(SELECT array_agg(n / 3) FROM generate_series(1, 500) n),
	array_fill(0, ARRAY[500]), array_fill(0, ARRAY[500]), array_fill(NULL::jsonb, ARRAY[500]), array_fill('"a":1}'::text, ARRAY[500])) AS id \gset
SELECT cmp_ok((SELECT count(*)::int FROM spy.notified), '<', 25, '500 short events go into a few payloads');
SELECT cmp_ok(spy.longest(), '<=', 7900, 'each within the limit');
SELECT results_eq('SELECT split_part(l, '' '', 1)::bigint FROM spy.lines() l',
	format('SELECT generate_series(%1$s, %1$s + 499::bigint)', :id), 'and every one is in them, in order');
SELECT emit_events(ARRAY['p', 'p', 'p']::"char"[], ARRAY['test.s', 'test.l', 'test.s'], ARRAY[1, 2, 3], ARRAY[0, 0, 0], ARRAY[0, 0, 0],
	ARRAY[NULL, NULL, NULL]::jsonb[], ARRAY['"a":1}', '"a":"' || repeat('y', 9000) || '"}', '"a":3}']) AS id \gset
SELECT results_eq('SELECT spy.routes()', ARRAY['p 1 0 0 test.s', 'f 2 0 0 ', 'p 3 0 0 test.s'],
	'one that is too long does not take its neighbours'' texts away');
SELECT emit_event('p', 'test.same', 1, 0, 1, '{"a": 1}') \g /dev/null
SELECT emit_event('p', 'test.same', 1, 0, 1, '{"a": 1}') \g /dev/null
SELECT is((SELECT count(DISTINCT payload)::int FROM spy.notified), 2, 'equal events have unequal payloads: PostgreSQL would merge equal ones');
SELECT spy.forget() \g /dev/null
SELECT notify_state(5, '{"type": "read"}') \g /dev/null
SELECT results_eq('SELECT spy.lines()', ARRAY['0 s 0 5 0 {"type": "read"}'], 'a state event has no id');
SELECT is(emit_events('{}', '{}', '{}', '{}', '{}', '{}', '{}'), stream_head() + 1, 'no event is no event');
SELECT is((SELECT count(*)::int FROM spy.notified), 0, 'and rings no bell');
SELECT is((SELECT count(*) FROM events), (SELECT max(id) - min(id) + 1 FROM events), 'after all this the ids have no gap');

-- where the rows are gone
DELETE FROM events;
UPDATE stream SET floor = 4711;
SELECT is(stream_head(), 4711::bigint, 'without a row the floor is the head');
SELECT is(emit_event('p', 'test.on', 0, -1, 0, '{}'), 4712::bigint, 'and the numbers go on from it');

-- partitions ahead
SELECT is(events_extend(), 2, 'two partitions are spare');
SELECT is(events_extend(), 2, 'twice makes no more');
SELECT is(events_spare(), 2, 'which is what health looks at');
DELETE FROM events;
UPDATE stream SET floor = 3999999;
SELECT is(events_spare(), 2, 'the next event is the last of its partition');
UPDATE stream SET floor = 4000000;
SELECT is(events_spare(), 1, 'the next one goes into the first of them: health is red until there is another one');
SELECT is(events_extend(), 2, 'as the head moves on, there is');
SELECT is(emit_event('p', 'test.edge', 0, -1, 0, '{}'), 4000001::bigint, 'the first of the next partition');
DELETE FROM events;
UPDATE stream SET floor = 16000000;
SELECT is(events_spare(), -1, 'none for the next event');
SELECT throws_ok($$SELECT emit_event('p', 'test.far', 0, -1, 0, '{}')$$, '23514', NULL, 'an event beyond the last partition is refused');
SELECT is(events_extend(), 2, 'until there are new ones');
SELECT is(emit_event('p', 'test.far', 0, -1, 0, '{}'), 16000001::bigint, 'then the numbers go on');
SELECT throws_ok($$INSERT INTO events (id, kind, type) VALUES (0, 's', 'test')$$, '23514', NULL, 'id 0 is no event: state events bear it');
SELECT is(events_extend(1000000, 20), 20, 'size and number can be told');

SELECT is(end_holders(ARRAY[:open, :closed]), 0, 'end_holders ends nobody where nobody holds for long');

SELECT * FROM finish();
ROLLBACK;
