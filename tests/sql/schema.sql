-- The schema: foreign keys and what finds their rows, bounds that the tables themselves keep, plans of the hot statements.
\ir include/site.sql
SELECT * FROM no_plan();

-- each foreign key has an index that begins with its columns: else deleting or locking a parent reads the whole child.
-- A partial index does where its condition excludes nulls alone or the key is null outside it.
CREATE TEMP TABLE fk AS SELECT c.conname, c.conrelid, c.conkey, EXISTS (
	SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indisvalid
		AND (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey) AS indexed
	FROM pg_constraint c WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace;
SELECT cmp_ok((SELECT count(*)::int FROM fk), '>=', 7, 'there are foreign keys to look at');
SELECT ok(fk.indexed, format('the foreign key %s of %s has its index', fk.conname, fk.conrelid::regclass)) FROM fk ORDER BY fk.conname;
SELECT is((SELECT count(*)::int FROM pg_constraint WHERE contype = 'f' AND conrelid IN ('messages'::regclass, 'events'::regclass)), 0,
	'messages and events have none: write_batch has judged');
SELECT ok(i.indisvalid, format('the index %s is valid', i.indexrelid::regclass)) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
	WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisvalid;
SELECT is((SELECT count(*)::int FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'events'::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'), 0, 'the log has no default partition');
SELECT cmp_ok((SELECT count(*)::int FROM pg_inherits WHERE inhparent = 'events'::regclass), '>=', 2, 'and two partitions at least');
SELECT is(p.provolatile::text, 'v', p.proname || ' is volatile: it must see what was committed while it waited') FROM pg_proc p
	WHERE p.pronamespace = 'public'::regnamespace AND p.proname IN ('stream_head_locked', 'emit_events', 'emit_event',
		'write_batch', 'members_insert', 'read_marks', 'read_receipts_set', 'message_delete',
		'channel_create', 'channel_direct', 'member_add', 'member_remove', 'user_insert', 'user_for_identity',
			'session_revoke', 'user_deactivate', 'user_sign_in', 'user_take_role', 'provider_document', 'password_try', 'password_set',
			'user_join');

-- what the tables themselves refuse
SELECT throws_ok($$INSERT INTO stream (mark, system_identifier, timeline, database_oid) VALUES ('aaaaaaaa', 1, '1', 1)$$, '23505',
	NULL, 'a second stream');
SELECT throws_ok($$UPDATE stream SET mark = 'AAAAAAAA'$$, '23514', NULL, 'a mark of other characters');
SELECT throws_ok(format($$INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES ('short', 'token', %s, '{}')$$, :alice),
	'23514', NULL, 'a secret that is no hash');
SELECT throws_ok($$INSERT INTO users (handle, name) VALUES ('Upper', 'U')$$, '23514', NULL, 'a handle in capitals');
SELECT throws_ok(format($$INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body) VALUES (%s, 0, 1,
	gen_random_uuid(), now(), '{}')$$, :open), '23514', NULL,
	'a message of seq 0');
SELECT throws_ok(format($$INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body) VALUES (%s, 1, 1,
	gen_random_uuid(), now(), '[]')$$, :open), '23514', NULL,
	'a body that is no object');
SELECT throws_ok($$INSERT INTO channels (kind, name) VALUES ('direct', 'x')$$, '23514', NULL, 'a direct channel with a name');
SELECT throws_ok($$INSERT INTO channels (kind) VALUES ('public')$$, '23514', NULL, 'a public one without');
SELECT throws_ok(format($$INSERT INTO channels (kind, direct_low, direct_high) VALUES ('direct', %s, %s)$$, :bob, :alice), '23514',
	NULL, 'a pair in the wrong order');

-- plans, on tables that are large enough for a scan to be dear
INSERT INTO users (handle, name) SELECT 't-plan-' || n, 'P' FROM generate_series(1, 2000) n;
INSERT INTO channels (kind, name) SELECT 'public', CASE WHEN n <= 300 THEN 't-plan-' ELSE 't-quiet-' END || n FROM generate_series(1, 4000) n;
INSERT INTO members (channel_id, user_id, since) SELECT c.id, u.id, 1 FROM channels c, LATERAL (
	SELECT x.id FROM users x WHERE x.handle LIKE 't-plan-%' AND x.id % 100 = c.id % 100) u WHERE c.name LIKE 't-plan-%';
INSERT INTO messages (channel_id, seq, sender, client_id, digest, created_at, body)
	SELECT c.id, n, :alice, gen_random_uuid(), '\x00112233445566778899aabbccddeeff', now(), '{"text": "x"}'
	FROM channels c, generate_series(1, 40) n WHERE c.name LIKE 't-plan-%';
INSERT INTO events (id, kind, type, channel_id, audience, subject)
	SELECT stream_head() + row_number() OVER (), 'm', 'message', m.channel_id, 0, m.seq FROM messages m;
INSERT INTO sessions (secret_hash, kind, user_id, scopes) SELECT sha256(convert_to('p' || n, 'UTF8')), 'session', :alice,
	'{read}' FROM generate_series(1, 5000) n;
ANALYZE users, channels, members, messages, events, sessions;

-- The tables that a statement would read whole.
CREATE FUNCTION spy.scanned(statement text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT JSON) ' || statement INTO plan;
	RETURN (SELECT string_agg(DISTINCT n->>'Relation Name', ' ') FROM jsonb_path_query(plan::jsonb, '$.** ? (@."Node Type" == "Seq Scan")') n
		WHERE n->>'Relation Name' <> 'stream');
END $$;
SELECT id AS busy FROM channels WHERE name = 't-plan-7' \gset
SELECT id AS reader FROM users WHERE handle = 't-plan-7' \gset
SELECT stream_head() AS head \gset
SELECT is(spy.scanned('SELECT e.id FROM events e ORDER BY e.id DESC LIMIT 1'), NULL, 'the head of the log');
SELECT is(spy.scanned(format('SELECT * FROM events WHERE id > %s AND id <= %s ORDER BY id LIMIT 500', :head - 500, :head)), NULL,
	'a window of the log');
SELECT is(spy.scanned(format('SELECT * FROM messages WHERE channel_id = %s AND seq < 30 ORDER BY seq DESC LIMIT 20', :busy)), NULL,
	'a page of history');
SELECT is(spy.scanned(format('SELECT * FROM messages WHERE channel_id = %s AND sender = %s AND client_id = spy.uuid(1)', :busy,
	:alice)), NULL, 'a message by its client id');
SELECT is(spy.scanned(format('SELECT channel_json_for(c, %s) FROM members m JOIN channels c ON c.id = m.channel_id
	WHERE m.user_id = %1$s ORDER BY m.channel_id LIMIT 20',
	:reader)), NULL, 'the channels of one reader');
SELECT is(spy.scanned(format('SELECT u.* FROM members m, unread_counts(m) u WHERE m.user_id = %s', :reader)), NULL, 'what is unread');
SELECT is(spy.scanned(format('SELECT * FROM members WHERE channel_id = %s AND user_id > 0 ORDER BY user_id LIMIT 100', :busy)), NULL,
	'the members of a channel');
SELECT is(spy.scanned($$SELECT * FROM sessions s JOIN users u ON u.id = s.user_id
	WHERE s.secret_hash = sha256('p1') OR (s.former_hash = sha256('p1') AND s.former_until > now())$$), NULL, 'a session by its secret');
SELECT is(spy.scanned(format('SELECT * FROM sessions s WHERE s.user_id = %s AND s.kind = ''session'' AND session_live(s)', :reader)), NULL,
	'a person''s sessions');
SELECT is(spy.scanned($$SELECT * FROM users u WHERE u.handle = 't-plan-7'$$), NULL, 'a person by his handle');
SELECT is(spy.scanned($$SELECT * FROM users u WHERE u.handle ~>~ 't-plan-7' ORDER BY u.handle USING ~<~ LIMIT 20$$), NULL, 'people from a handle on');
SELECT is(spy.scanned($$SELECT * FROM messages WHERE body IS NULL$$), 'messages', 'and this test can see a scan');

SELECT * FROM finish();
ROLLBACK;
