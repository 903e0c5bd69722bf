-- The index of messages: what is stored, by whom and when; what is proposed, to whom. Words are lib/search's matter (tests/unit).
\ir include/site.sql
SELECT * FROM no_plan();

SELECT spy.batch(VARIADIC ARRAY(SELECT spy.item(:open, CASE WHEN n % 2 = 0 THEN :bob ELSE :alice END, n, 'x') FROM generate_series(1, 6) n)) \g /dev/null
UPDATE search_state SET event = 7, walking = false, channel_id = 0, seq = 0;
CREATE FUNCTION spy.store(from_event bigint, to_event bigint, seqs bigint[], vectors text[], version bigint DEFAULT 1) RETURNS boolean
LANGUAGE sql VOLATILE AS $$
	SELECT search_index_store(from_event, false, 0, 0, to_event, false, 0, 0, array_fill((SELECT max(channel_id) FROM messages), ARRAY[cardinality(seqs)]),
		seqs, array_fill(version, ARRAY[cardinality(seqs)]), vectors)
$$;
CREATE FUNCTION spy.find(reader bigint, template text, below bigint DEFAULT 1000000000000000, want int DEFAULT 10, budget int DEFAULT 10000) RETURNS text
LANGUAGE sql STABLE AS $$
	SELECT coalesce(string_agg(f.seq::text, ' ' ORDER BY f.id DESC), '') FROM search_find(reader, template, 'infinity', '-infinity', below, want, budget) f
$$;
SELECT id AS third FROM messages WHERE channel_id = :open AND seq = 3 \gset

-- storing
SELECT ok(NOT spy.store(6, 9, ARRAY[1], ARRAY['''%wa''']), 'from a place where the index does not stand nothing is stored');
SELECT is((SELECT count(*)::int FROM message_index), 0, 'nothing at all');
SELECT ok(spy.store(7, 9, ARRAY[1, 2, 3, 4], ARRAY['''%wa'' ''%wb''', '''%wa''', '''%wab''', '''%wc''']), 'from where it stands it goes on');
SELECT is((SELECT event FROM search_state), 9::bigint, 'to the next place');
SELECT is((SELECT words::text FROM message_index WHERE seq = 1), format('''%1$swa'' ''%1$swb''', to_hex(id >> 15)),
	'each lexeme begins with the mark of its part') FROM message_index WHERE seq = 1;
SELECT ok(NOT spy.store(7, 9, ARRAY[5], ARRAY['''%wa''']), 'twice is once');
SELECT ok(spy.store(9, 10, ARRAY[5], ARRAY['''%wa'''], 2), 'of another version than it has now:');
SELECT is((SELECT count(*)::int FROM message_index WHERE seq = 5), 0, 'it is left to the event that tells of that');
SELECT ok(spy.store(10, 11, ARRAY[2], ARRAY['''%wz''']), 'stored again');
SELECT is((SELECT words::text FROM message_index WHERE seq = 2), format('''%swz''', to_hex(id >> 15)), 'the words are the new ones')
	FROM message_index WHERE seq = 2;
SELECT is((SELECT count(*)::int FROM search_parts), 1, 'there is one part');
SELECT ok((SELECT first_at = min(m.created_at) AND last_at = max(m.created_at) FROM messages m WHERE m.seq <= 5 AND m.channel_id = :open),
	'which knows between when its messages were sent') FROM search_parts;

-- finding
SELECT is(spy.find(:alice, '''%wa'''), '1', 'a whole word');
SELECT is(spy.find(:alice, '''%wa'':*'), '3 1', 'the beginning of words, newest first');
SELECT is(spy.find(:alice, '''%wa'':*', :third), '1', 'below a message');
SELECT is(spy.find(:alice, '''%wa'':*', 1000000000000000, 1), '3', 'no more than are wanted');
SELECT is(spy.find(:alice, ''), '4 3 2 1', 'any words');
SELECT is(spy.find(:carol, '''%wa'':*'), '', 'nothing for who is not in the channel');
SELECT is(spy.find(:carol, ''), '', 'nor of any words');
SELECT is((SELECT count(*)::int FROM search_find(:alice, '''%wa'':*', 'infinity', now() + interval '1 hour', 1000000, 10, 1000)), 0, 'sent too early');
SELECT is((SELECT count(*)::int FROM search_find(:alice, '''%wa'':*', now() - interval '1 hour', '-infinity', 1000000, 10, 1000)), 0, 'sent too late');
DELETE FROM members WHERE channel_id = :open AND user_id = :alice;
SELECT is(spy.find(:alice, '''%wa'':*'), '', 'nor for who was removed');
INSERT INTO members (channel_id, user_id, since) VALUES (:open, :alice, 0);
UPDATE messages SET deleted_at = now(), body = NULL, version = 2 WHERE channel_id = :open AND seq = 3;
SELECT is(spy.find(:alice, '''%wa'':*'), '1', 'what is deleted is not found, though its words are still there');
SELECT ok(spy.store(11, 12, ARRAY[3], ARRAY['']), 'until the index comes to the deletion');
SELECT is((SELECT count(*)::int FROM message_index WHERE seq = 3), 0, 'then they are gone');
SELECT ok(spy.store(12, 13, ARRAY[3], ARRAY['''%wa'''], 1) AND NOT EXISTS (SELECT FROM message_index WHERE seq = 3), 'and do not come back');

-- parts and time
INSERT INTO messages (channel_id, seq, id, sender, client_id, created_at, body)
SELECT :open, 6 + n, n * 32768 + 5, :alice, spy.uuid(900 + n), now(), '{"text": "x"}' FROM generate_series(10, 12) n;
SELECT ok(spy.store(13, 14, ARRAY[16, 17, 18], array_fill('''%wfar'''::text, ARRAY[3])), 'messages of other parts');
SELECT is((SELECT count(*)::int FROM search_parts), 4, 'have theirs');
SELECT is(spy.find(:alice, '''%wfar'''), '18 17 16', 'one after the other is asked');
SELECT is(spy.find(:alice, '''%wfar''', 12 * 32768), '17 16', 'from a part''s beginning on');
SELECT is((SELECT string_agg(coalesce(f.seq::text, 'rest ' || f.id / 32768), ' ')
	FROM search_find(:alice, '''%wfar''', 'infinity', '-infinity', 1000000000000000, 10, -1) f),
	'rest 13', 'where the time is over it is said from where on nobody has looked');

-- whom and where
SELECT is((SELECT senders FROM search_scope(:alice, ARRAY['me', (SELECT handle FROM users WHERE id = :bob)], '{}', '', '')),
	ARRAY[:alice, :bob]::bigint[], 'people by their handles, and oneself');
SELECT is((SELECT no_sender FROM search_scope(:alice, ARRAY['nobody'], '{}', '', '')), 'nobody', 'nobody by that handle');
SELECT is((SELECT rooms FROM search_scope(:alice, '{}', ARRAY[upper((SELECT name FROM channels WHERE id = :open))], '', '')), ARRAY[:open]::bigint[],
	'a channel by its name in any case');
SELECT is((SELECT no_room FROM search_scope(:carol, '{}', ARRAY[(SELECT name FROM channels WHERE id = :open)], '', '')),
	(SELECT name FROM channels WHERE id = :open), 'none that one is not in');
UPDATE users SET time_zone = 'Pacific/Auckland' WHERE id = :alice;
SELECT is((SELECT (before_at, after_at)::text FROM search_scope(:alice, '{}', '{}', '2026-01-02', '2026-01-01')),
	(SELECT ('2026-01-02 00:00+13'::timestamptz, '2026-01-01 00:00+13'::timestamptz)::text), 'days are those of his time zone');
SELECT ok((SELECT whole FROM search_scope(:alice, '{}', '{}', '', '')) = EXISTS (SELECT FROM events WHERE id = 15),
	'the log tells what comes next, or it is said');
UPDATE search_state SET walking = true;
SELECT ok(NOT (SELECT whole FROM search_scope(:alice, '{}', '{}', '', '')), 'while all is walked through, the index is not whole');

SELECT * FROM finish();
ROLLBACK;
