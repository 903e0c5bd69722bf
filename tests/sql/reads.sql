-- Read markers: what moves, what is counted, who is told; mentions; deleted messages. Two connections at once: tests/api/reads.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

-- One message that names people, through write_batch.
CREATE FUNCTION spy.say(channel bigint, sender bigint, client int, named bigint[] DEFAULT NULL) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT b.seq FROM (
		SELECT jsonb_build_object('text', 'x') || CASE WHEN named IS NULL THEN '{}' ELSE jsonb_build_object('mentions', named) END AS body) t,
		write_batch(ARRAY[channel], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[sender], ARRAY[spy.uuid(client)],
			ARRAY[substring(sha256(convert_to(t.body::text, 'UTF8')) FOR 16)], ARRAY[NULL::bigint], ARRAY[t.body::text],
			ARRAY['"sender":' || sender || ',"body":' || t.body || '}'], ARRAY[1], false, false,
			CASE WHEN named IS NOT NULL THEN array_fill(1, ARRAY[cardinality(named)]) END, named) b
$$;
-- One mark: what it answers.
CREATE FUNCTION spy.mark(channel bigint, reader bigint, reads bigint DEFAULT 0, unreads bigint DEFAULT 0, rereads bigint DEFAULT 0,
	delivered bigint DEFAULT 0) RETURNS TABLE (code text, seq bigint, first_unread bigint, delivered bigint, state text) LANGUAGE sql VOLATILE AS $$
	SELECT * FROM read_marks(ARRAY[channel], ARRAY[reader], ARRAY[reads], ARRAY[unreads], ARRAY[rereads], ARRAY[delivered], 100, true)
$$;
CREATE FUNCTION spy.state(channel bigint, reader bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT read_state_json(m) FROM members m WHERE m.channel_id = channel AND m.user_id = reader
$$;
-- unread, mentions, and whether a look at each message comes to the same.
CREATE FUNCTION spy.counts(channel bigint, reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT u.unread || ' ' || u.mentions || CASE WHEN (u.unread, u.mentions) = (s.unread, s.mentions) THEN '' ELSE ' drift' END
	FROM members m, unread_counts(m) u, unread_scan(m) s WHERE m.channel_id = channel AND m.user_id = reader
$$;
CREATE FUNCTION spy.line(type text) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT substring(l FROM '\{.*$')::jsonb FROM spy.notified n, regexp_split_to_table(n.payload, E'\n') l WHERE l LIKE '%"type": "' || type || '"%'
$$;

-- moving forward
SELECT spy.say(:open, CASE WHEN n % 2 = 0 THEN :bob ELSE :alice END, n) FROM generate_series(1, 10) n \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT stream_head() AS head \gset
SELECT is(spy.counts(:open, :bob), '5 0', 'others'' messages are unread, own ones are not');
SELECT is((SELECT seq FROM spy.mark(:open, :bob, 4)), 4::bigint, 'a marker moves forward');
SELECT spy.forget() \g /dev/null

SELECT is((SELECT seq FROM spy.mark(:open, :alice, 4)), 4::bigint, 'a marker moves forward');
SELECT is(spy.line('read'), jsonb_build_object('type', 'read', 'channel', :open, 'seq', 4, 'version', 1, 'last_seq', 10, 'unread', 3, 'mentions', 0,
	'unread_from', NULL, 'gone', '[]'::jsonb, 'wide', '[]'::jsonb, 'read_receipts', true),
	'own instances are told where it is, and the counts as of last_seq');
SELECT results_eq('SELECT spy.lines() OFFSET 1', ARRAY['0 k ' || :open || ' 0 ' || :alice || ' {"seq": 4, "user": ' || :alice || '}'],
	'the others where it is');
SELECT is((SELECT seq FROM spy.mark(:open, :alice, 3)), 4::bigint, 'never back');
SELECT is((SELECT seq FROM spy.mark(:open, :alice, 4)), 4::bigint, 'twice is once');
SELECT is((SELECT seq FROM spy.mark(:open, :alice, 0)), 4::bigint, 'nothing is nothing');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'which is told to nobody');
SELECT is((SELECT read_version FROM members WHERE channel_id = :open AND user_id = :alice), 1::bigint, 'nor counted');
SELECT is((SELECT seq FROM spy.mark(:open, :alice, 9223372036854775807)), 10::bigint, 'at most to the last message');
SELECT is(spy.counts(:open, :alice), '0 0', 'above which nothing is unread');
SELECT is((SELECT code FROM spy.mark(:open, :carol, 1)), 'not_a_member', 'not for one who is out');
SELECT is((SELECT code FROM spy.mark(:closed, :carol, 1)), 'not_found', 'a private channel does not show itself');
SELECT is((SELECT code FROM spy.mark(9223372036854775807, :carol, 1)), 'not_found', 'no such channel');
SELECT is(stream_head(), :head::bigint, 'markers are not logged');
SELECT spy.forget() \g /dev/null

-- mark as unread
SELECT results_eq(format('SELECT seq, first_unread FROM spy.mark(%s, %s, 0, 3)', :open, :alice), 'VALUES (10::bigint, 3::bigint)',
	'marked as unread from a message on; the marker stands');
SELECT is(spy.counts(:open, :alice), '4 0', 'what is there and above is unread again: others'' messages alone');
SELECT is(spy.line('read')->>'unread_from', '3', 'own instances are told');
SELECT is((SELECT count(*)::int FROM spy.routes() r WHERE r LIKE 'k%'), 0, 'the others are not: he has read it');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 5)', :open, :alice), 'VALUES (6::bigint)', 'reading on takes it along');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 4)', :open, :alice), 'VALUES (6::bigint)', 'never back');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 0, 11)', :open, :alice), 'VALUES (11::bigint)',
	'from above the marker on: nothing is marked');
SELECT is((SELECT unread_from FROM members WHERE channel_id = :open AND user_id = :alice), NULL, 'and what was is taken away');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 0, 1)', :open, :alice), 'VALUES (1::bigint)', 'from the first on');
SELECT is(spy.counts(:open, :alice), '5 0', 'all of them');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 10)', :open, :alice), 'VALUES (11::bigint)', 'reading to the end takes the mark away');
SELECT results_eq(format('SELECT first_unread FROM spy.mark(%s, %s, 0, 2, 6)', :open, :alice), 'VALUES (7::bigint)', 'marked, then read: in this order');

-- folded marks come to the same as one after the other
CREATE FUNCTION spy.after(marker bigint, since bigint, kind text, seq bigint, last bigint) RETURNS bigint[] LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE kind WHEN 'u' THEN ARRAY[marker, CASE WHEN seq <= marker THEN seq END]
		ELSE ARRAY[greatest(marker, least(seq, last)), CASE WHEN since IS NULL OR least(seq, last) < since THEN since
			WHEN least(seq, last) < greatest(marker, least(seq, last)) THEN least(seq, last) + 1 END] END
$$;
SELECT ok(bool_and((SELECT ARRAY[n.marker, n.since] FROM read_after(m, 10, r, u, rr) n) IS NOT DISTINCT FROM
	CASE WHEN u = 0 THEN a ELSE spy.after(b[1], b[2], 'r', rr, 10) END), 'read, marked as unread, read: folded')
FROM (SELECT m FROM members m WHERE channel_id = :open AND user_id = :alice) one, generate_series(0, 12) r, generate_series(0, 12) u,
	generate_series(0, 12) rr, LATERAL spy.after((m).last_read_seq, (m).unread_from, 'r', r, 10) a, LATERAL spy.after(a[1], a[2], 'u', u, 10) b
WHERE u > 0 OR rr = 0;
SELECT spy.forget() \g /dev/null

-- many at once
SELECT results_eq(format('SELECT code, seq FROM read_marks(ARRAY[%1$s, %2$s, %1$s, 77777, %2$s], ARRAY[%3$s, %4$s, %5$s, %4$s, %3$s], ARRAY[8, 1, 1, 1, 0],
	ARRAY[0, 0, 0, 0, 0], ARRAY[0, 0, 0, 0, 0], ARRAY[0, 0, 0, 0, 0], 100, false)', :open, :closed, :bob, :alice, :carol),
	'VALUES (''ok'', 8::bigint), (''ok'', 0), (''not_a_member'', NULL), (''not_found'', NULL), (''ok'', 0)', 'each has its own outcome, in their order');
SELECT is((SELECT count(*)::int FROM spy.lines()), 2, 'told is what has changed');
SELECT user_insert('t-crowd-' || n, 'C', NULL, NULL, false, 'member') AS id INTO TEMP crowd FROM generate_series(1, 150) n;
SELECT channel AS square FROM channel_create(:alice, 'private', 't-square', '', (SELECT array_agg(id) FROM crowd)) \gset
SELECT spy.say(:square, :alice, 1000 + n) FROM generate_series(1, 3) n \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is((SELECT count(*)::int FROM read_marks((SELECT array_agg(:square::bigint) FROM crowd), (SELECT array_agg(id) FROM crowd),
	(SELECT array_agg(3::bigint) FROM crowd), (SELECT array_agg(0::bigint) FROM crowd), (SELECT array_agg(0::bigint) FROM crowd),
	(SELECT array_agg(0::bigint) FROM crowd), 200, false) r WHERE r.seq = 3), 150, 'a crowd reads');
SELECT cmp_ok((SELECT count(*)::int FROM spy.notified), '<', 12, 'in few notifications');
SELECT is((SELECT count(*)::int FROM spy.lines()), 300, 'a line for each, and a mark');

-- who is told of a marker
SELECT spy.say(:square, :alice, 1010) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is((SELECT seq FROM spy.mark(:square, (SELECT max(id) FROM crowd), 4)), 4::bigint, 'in a channel of more than receipts_max');
SELECT is((SELECT count(*)::int FROM spy.lines() l WHERE l LIKE '0 k %'), 0, 'nobody else is');
SELECT is(channel_reads(:square, 100), '[]'::jsonb, 'nor are they listed');
SELECT is(jsonb_array_length(channel_reads(:square, 151)), 151, 'in one of so many they are');
SELECT is(channel_reads(:open, 100), jsonb_build_array(jsonb_build_object('user', :alice, 'seq', 10), jsonb_build_object('user', :bob, 'seq', 8)),
	'with their markers, whatever they have marked as unread');
SELECT is(read_receipts_set(:open, :bob, false, 100), 'ok', 'receipts switched off in a channel');
SELECT is(spy.line('read')->'read_receipts', 'false'::jsonb, 'own instances are told');
SELECT is((SELECT l FROM spy.lines() l WHERE l LIKE '0 k %'), '0 k ' || :open || ' 0 ' || :bob || ' {"seq": null, "user": ' || :bob || '}',
	'the others let go of his mark');
SELECT is(read_receipts_set(:open, :bob, false, 100), 'again', 'twice is once');
SELECT is(channel_reads(:open, 100), jsonb_build_array(jsonb_build_object('user', :alice, 'seq', 10)), 'and do not see him');
SELECT is((SELECT seq FROM spy.mark(:open, :bob, 9)), 9::bigint, 'a private reader');
SELECT is((SELECT count(*)::int FROM spy.lines() l WHERE l LIKE '0 k %'), 0, 'is not told of');
SELECT is(read_receipts_set(:open, :bob, true, 100), 'ok', 'switched on again');
SELECT results_eq('SELECT spy.lines() OFFSET 1', ARRAY['0 k ' || :open || ' 0 ' || :bob || ' {"seq": 9, "user": ' || :bob || '}'], 'he is told of at once');
INSERT INTO user_settings (user_id, read_receipts) VALUES (:bob, false);
SELECT is((SELECT seq FROM spy.mark(:open, :bob, 10)), 10::bigint, 'switched off for all channels');
SELECT is((SELECT count(*)::int FROM spy.lines() l WHERE l LIKE '0 k %'), 0, 'nobody is told');
SELECT is(read_receipts_set(:open, :carol, true, 100), 'not_a_member', 'not by one who is out');
SELECT is(read_receipts_set(:closed, :carol, true, 100), 'not_found', 'nor where he sees nothing');
SELECT spy.forget() \g /dev/null

-- deliveries
SELECT channel AS pair FROM channel_direct(:alice, :carol) \gset
SELECT spy.say(:pair, :alice, 2000 + n) FROM generate_series(1, 5) n \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is((SELECT delivered FROM spy.mark(:pair, :carol, 0, 0, 0, 3)), 3::bigint, 'delivered');
SELECT results_eq('SELECT spy.lines()', ARRAY['0 k ' || :pair || ' 0 ' || :carol || ' {"seq": 0, "user": ' || :carol || ', "delivered": 3}'],
	'is told to the other one; to own instances it is nothing');
SELECT is((SELECT delivered FROM spy.mark(:pair, :carol, 0, 0, 0, 2)), 3::bigint, 'never back');
SELECT is((SELECT delivered FROM spy.mark(:pair, :carol, 0, 0, 0, 99)), 5::bigint, 'at most to the last message');
SELECT is((SELECT read_version FROM members WHERE channel_id = :pair AND user_id = :carol), 0::bigint, 'not a change of what he has read');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT delivered FROM spy.mark(:pair, :alice, 4)), 4::bigint, 'what is read has been delivered');
SELECT is((SELECT count(*)::int FROM spy.lines() l WHERE l LIKE '0 k %"seq": 4%"delivered": 4}'), 1, 'told as one');
SELECT is((SELECT delivered FROM spy.mark(:pair, :alice, 0, 0, 0, 4)), 4::bigint, 'delivered behind it');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'is no news');
SELECT is((SELECT delivered FROM spy.mark(:open, :alice, 0, 0, 0, 4)), NULL, 'not in a channel of many');
SELECT is((SELECT delivered_seq FROM members WHERE channel_id = :open AND user_id = :alice), 0::bigint, 'where nothing is kept of it');

-- mentions
SELECT read_marks(ARRAY[:open], ARRAY[:alice], ARRAY[99], ARRAY[0], ARRAY[0], ARRAY[0], 100, false) \g /dev/null
SELECT spy.say(:open, :bob, 3001, ARRAY[:alice, :bob, :carol, 9223372036854775807]) AS named \gset
SELECT results_eq(format('SELECT user_id FROM mentions WHERE channel_id = %s AND seq = %s', :open, :named), ARRAY[:alice::bigint],
	'a message names members, not those who are out, nor its sender');
SELECT spy.say(:open, :bob, 3002, ARRAY[:alice]) AS named2 \gset
SELECT spy.say(:open, :bob, 3003) AS plain \gset
SELECT is(spy.counts(:open, :alice), '3 2', 'unread, and how many of them name him');
SELECT is(spy.say(:open, :bob, 3002, ARRAY[:alice]), :named2::bigint, 'a retry');
SELECT is(spy.counts(:open, :alice), '3 2', 'names nobody twice');
SELECT is((SELECT seq FROM spy.mark(:open, :alice, :named)), :named::bigint, 'reading');
SELECT is(spy.counts(:open, :alice), '2 1', 'takes them along');
SELECT spy.mark(:open, :alice, 99) \g /dev/null
SELECT spy.mark(:open, :alice, 0, :named) \g /dev/null
SELECT is(spy.counts(:open, :alice), '3 2', 'marking as unread brings them back');
SELECT is(spy.counts(:open, :bob), '0 0', 'the sender has none of it');
SELECT spy.forget() \g /dev/null

-- deletion
SELECT stream_head() AS head \gset
SELECT is((SELECT code FROM message_delete(:open, :carol, :named)), 'not_a_member', 'one who is out deletes nothing');
SELECT is((SELECT code FROM message_delete(:closed, :carol, 1)), 'not_found', 'a private channel does not show itself');
SELECT is((SELECT code FROM message_delete(9223372036854775807, :root, 1)), 'not_found', 'no such channel');
SELECT is((SELECT code FROM message_delete(:open, :alice, 9223372036854775807)), 'no_message', 'no such message');
SELECT is((SELECT code FROM message_delete(:open, :bob, 1)), 'forbidden', 'a member deletes nobody else''s');
SELECT is(stream_head(), :head::bigint, 'nothing has happened');
SELECT results_eq(format('SELECT code, seq, sender, version, body, deleted_by FROM message_delete(%s, %s, %s)', :open, :bob, :named),
	format('VALUES (''ok'', %1$s::bigint, %2$s::bigint, 2::bigint, NULL::jsonb, %2$s::bigint)', :named, :bob), 'he does his own');
SELECT results_eq(format('SELECT kind::text, type, channel_id, audience, subject, data FROM events WHERE id > %s', :head),
	format('VALUES (''r'', ''message.deleted'', %s::bigint, 0::bigint, %s::bigint, NULL::jsonb)', :open, :named), 'the log has its name alone');
SELECT is(spy.line('read') - 'gone' - 'wide' - 'version', jsonb_build_object('type', 'read', 'channel', :open, 'seq', 13, 'last_seq', 13, 'unread', 2,
	'mentions', 1, 'unread_from', :named, 'read_receipts', true), 'whom it named is told of his counts');
SELECT is(spy.line('read')->'gone', jsonb_build_array(:named), 'and that they know of it');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb - 'cursor' - 'created_at' - 'id' FROM spy.lines() l WHERE l LIKE '% r ' || :open || ' 0 ' || :named || ' %'),
	jsonb_build_object('type', 'message.deleted', 'channel', :open, 'seq', :named, 'sender', :bob, 'version', 2, 'deleted', true,
		'deleted_by', :bob),
	'everyone is told what is left of it');
SELECT is((SELECT count(*)::int FROM mentions WHERE seq = :named AND channel_id = :open), 0, 'it names nobody any more');
SELECT is(spy.counts(:open, :alice), '2 1', 'it does not count');
SELECT results_eq(format('SELECT digest IS NULL, body IS NULL, deleted_at IS NOT NULL FROM messages WHERE channel_id = %s AND seq = %s', :open, :named),
	'VALUES (true, true, true)', 'text and digest are gone');
SELECT is((SELECT code FROM message_delete(:open, :bob, :named)), 'again', 'twice is once');
SELECT is(stream_head(), :head + 1::bigint, 'without a second event');
SELECT is((SELECT code FROM message_delete(:open, :alice, :named2)), 'ok', 'the channel''s owner deletes others''');
SELECT is((SELECT code FROM message_delete(:closed, :root, 1)), 'no_message', 'an admin might even from outside');
SELECT is((SELECT code FROM message_delete(:open, :root, :plain)), 'ok', 'and does');
SELECT is(spy.counts(:open, :alice), '0 0', 'nothing is left to read');
SELECT spy.mark(:open, :alice, 0, 1) \g /dev/null
SELECT is(spy.counts(:open, :alice), '5 0', 'nor when all is marked as unread');
SELECT is(spy.state(:open, :alice)->'gone', jsonb_build_array(:named, :named2, :plain), 'which is told along');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM message_delete(:open, :alice, 2)), 'ok', 'an old one');
SELECT is((SELECT count(*)::int FROM spy.lines() l WHERE l LIKE '0 s %'), 0, 'that named nobody is told by its event alone');
SELECT is(spy.counts(:open, :alice), '4 0', 'and does not count');
SELECT is((SELECT code FROM message_delete(:open, :alice, 3)), 'ok', 'an own one');
SELECT is(spy.counts(:open, :alice), '4 0', 'never did');

-- more deleted ones than are told along
SELECT spy.say(:closed, :bob, 4000 + n) FROM generate_series(1, 60) n \g /dev/null
SELECT message_delete(:closed, :bob, n) FROM generate_series(2, 51) n \g /dev/null
SELECT is(jsonb_array_length(spy.state(:closed, :alice)->'gone'), 50, 'fifty deleted ones are told along');
SELECT message_delete(:closed, :bob, 52) \g /dev/null
SELECT is(spy.state(:closed, :alice)->'gone', 'null'::jsonb, 'more are not');
SELECT is(spy.counts(:closed, :alice), '9 0', 'but counted');
UPDATE channels SET seq_floor = 30 WHERE id = :closed;
DELETE FROM messages WHERE channel_id = :closed AND seq <= 30;
SELECT is(spy.counts(:closed, :alice), '8 0', 'rows that are gone do not count');

-- what is kept of a marker: reading, marking as unread and sending at random, in a channel of thousands
SELECT channel AS long FROM channel_create(:alice, 'private', 't-long', '', ARRAY[:bob]) \gset
CREATE FUNCTION spy.write(channel bigint, senders bigint[], n int) RETURNS void LANGUAGE sql VOLATILE AS $$
	INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body, deleted_at)
	SELECT channel, l.seq + i, senders[1 + floor(random() * cardinality(senders))::int], gen_random_uuid(), now(), '{"text": "x"}',
		CASE WHEN random() < 0.01 THEN now() END
	FROM (SELECT coalesce(max(seq), 0) AS seq FROM messages WHERE channel_id = channel) l, generate_series(1, n) i
$$;
CREATE FUNCTION spy.wander(channel bigint, reader bigint, senders bigint[], steps int) RETURNS SETOF text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	last bigint;
	place bigint;
	kind int;
	counts text;
BEGIN
	FOR i IN 1 .. steps LOOP
		kind := floor(random() * 5);
		SELECT max(seq) INTO last FROM messages WHERE channel_id = channel;
		place := 1 + floor(random() * last * 1.05);
		IF kind = 0 THEN
			PERFORM spy.write(channel, senders, 1 + floor(random() * 40)::int);
		ELSIF kind = 1 THEN
			PERFORM unread_advance(reader);
		ELSE
			PERFORM read_marks(ARRAY[channel], ARRAY[reader], ARRAY[CASE WHEN kind = 2 THEN place ELSE 0 END],
				ARRAY[CASE WHEN kind > 2 THEN place ELSE 0 END], ARRAY[CASE WHEN kind > 3 THEN place + 20 ELSE 0 END], ARRAY[0], 100, false);
		END IF;
		counts := spy.counts(channel, reader);
		IF counts LIKE '%drift' THEN
			RETURN NEXT format('step %s of kind %s at %s of %s: %s', i, kind, place, last, counts);
		END IF;
	END LOOP;
END $$;
SELECT setseed(0.4) \g /dev/null
SELECT spy.write(:long, ARRAY[:alice, :bob], 3000) \g /dev/null
SELECT is(unread_advance(:bob), 1, 'thousands that were never read are counted once');
SELECT is(unread_advance(:bob), 0, 'and not again');
SELECT is((SELECT counted_own FROM members WHERE channel_id = :long AND user_id = :bob),
	(SELECT count(*) FROM messages WHERE channel_id = :long AND sender = :bob), 'his own among them');
SELECT is((SELECT array_agg(w) FROM spy.wander(:long, :bob, ARRAY[:alice, :bob], 150) w), NULL, 'wherever the marker goes, what is kept of it is right');
UPDATE channels SET seq_floor = 1500 WHERE id = :long;
DELETE FROM messages WHERE channel_id = :long AND seq <= 1500;
SELECT is((SELECT array_agg(w) FROM spy.wander(:long, :bob, ARRAY[:alice, :bob, :bob], 100) w), NULL, 'also where rows are gone');
SELECT spy.forget() \g /dev/null

-- drift is seen
SELECT is(spy.counts(:pair, :carol), '5 0', 'as it should be');
INSERT INTO mentions (user_id, channel_id, seq) VALUES (:carol, :pair, 2);
SELECT is(spy.counts(:pair, :carol), '5 1 drift', 'a mention of a message that names nobody is found');

SELECT * FROM finish();
ROLLBACK;
