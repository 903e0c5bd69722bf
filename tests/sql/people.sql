-- People: handles, accounts of a provider, sessions, closing an account.
\ir include/site.sql
SELECT * FROM no_plan();

-- handle_from
SELECT is(handle_from(wish), handle, 'a handle from ' || coalesce(quote_literal(wish), 'nothing')) FROM (VALUES
	('Alice', 'alice'), ('alice@example.org', 'alice'), ('Jo Ann  Doe', 'jo-ann-doe'), ('..a..', 'a'), ('--', 'user'), ('',
		'user'), (NULL, 'user'),
	('@', 'user'), ('Ünal', 'nal'), ('日本', 'user'), ('a.b_c-d', 'a.b_c-d'), (repeat('x', 100), repeat('x', 28)), ('9to5', '9to5'),
	(E'a\u202eb', 'a-b'), ('.hidden', 'hidden')) v(wish, handle);
SELECT ok(bool_and(handle_from(chr(c) || 'x') ~ '^[a-z0-9][a-z0-9._-]{0,31}$'), 'whatever a name begins with')
	FROM generate_series(1, 9000) c WHERE c NOT BETWEEN 55296 AND 57343;
SELECT ok(bool_and(handle_from(repeat('x', 27) || chr(c) || 'yz') ~ '^[a-z0-9][a-z0-9._-]{0,31}$'),
	'wherever it is cut') FROM generate_series(32, 126) c;

-- user_insert
SELECT stream_head() AS head \gset
SELECT user_insert('t-eve', 'Eve', 'https://example.org/e.png', 'eve@example.org', true, 'guest') AS eve \gset
SELECT results_eq('SELECT handle, name, picture, email, email_verified, role, version, deactivated_at FROM users WHERE id = ' || :eve,
	$$VALUES ('t-eve', 'Eve', 'https://example.org/e.png', 'eve@example.org', true, 'guest', 1::bigint, NULL::timestamptz)$$,
		'a person is stored');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :eve || ' user.created', 'p 0 ' || :eve || ' ' || :eve || ' user.created'],
	'and told to everyone; to himself too, who is a guest');
SELECT is((SELECT event_tail(e) FROM events e WHERE id = :head + 1) LIKE '%example.org"%', false, 'without the e-mail address');
SELECT user_insert('T-Eve', 'Eve', NULL, NULL, false, 'member') AS eve2 \gset
SELECT is((SELECT handle FROM users WHERE id = :eve2), 't-eve-2', 'a taken handle gets a number');
SELECT user_insert(repeat('q', 60), 'Q', NULL, NULL, false, 'member') AS q \gset
SELECT user_insert(repeat('q', 60), 'Q', NULL, NULL, false, 'member') AS q2 \gset
SELECT is((SELECT handle FROM users WHERE id = :q2), repeat('q', 28) || '-2', 'a long one has room for it');
CREATE TEMP TABLE reserved AS SELECT w, user_insert(w, 'A', NULL, NULL, false, 'member') AS id
	FROM unnest('{admin,administrator,owner,everyone,here,channel,system,pulsechat}'::text[]) w;
SELECT is(u.handle, r.w || '-2', 'so does a reserved one') FROM reserved r JOIN users u ON u.id = r.id;
SELECT throws_ok($$SELECT user_insert('t-x', '', NULL, NULL, false, 'member')$$, '23514', NULL, 'a name is not empty');
SELECT throws_ok($$SELECT user_insert('t-x', repeat('x', 81), NULL, NULL, false, 'member')$$, '23514', NULL, 'nor of 81 characters');
SELECT throws_ok($$SELECT user_insert('t-x', 'X', NULL, NULL, false, 'king')$$, '23514', NULL, 'roles are those of the list');
SELECT spy.forget() \g /dev/null

-- user_for_identity
SELECT user_for_identity('https://idp.test', 's1', 't-zoe', 'Zoe', NULL, 'zoe@example.org', true) AS zoe \gset
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.created'], 'the first log-in makes an account');
SELECT is(user_for_identity('https://idp.test', 's1', 't-other', 'Zoe', NULL, 'zoe@example.org', true), :zoe::bigint, 'the second finds it');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'with nothing to tell where nothing has changed');
SELECT is(user_for_identity('https://idp.test', 's1', 't-other', 'Zoe Z', 'https://example.org/z.png', 'zoe@example.org', true),
	:zoe::bigint, 'a new name and picture');
SELECT results_eq('SELECT handle, name, picture, version FROM users WHERE id = ' || :zoe, $$VALUES ('t-zoe', 'Zoe Z',
	'https://example.org/z.png', 2::bigint)$$,
	'are taken over; the handle stays');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'and told');
SELECT isnt(user_for_identity('https://idp.test', 's2', 't-zoe', 'Zoe', NULL, 'zoe@example.org', true), :zoe::bigint,
	'the same e-mail address under another subject is another person');
SELECT isnt(user_for_identity('https://other.test', 's1', 't-zoe', 'Zoe', NULL, 'zoe@example.org', true), :zoe::bigint,
	'the same subject of another provider too');
SELECT spy.forget() \g /dev/null

-- user_add_identity
SELECT user_add_identity(acting_of(0, true, NULL, NULL), 'https://idp.test', 's9', 't-hand', 'Hand', 'admin') AS hand \gset
SELECT is((SELECT array_agg((actor, action, target, details)::text) FROM audit WHERE id > :noted), ARRAY[(NULL::bigint, 'user.added', :hand::bigint,
	'{"role": "admin"}'::jsonb)::text], 'who is made by hand is in the audit log');
SELECT is(user_add_identity(acting_of(0, true, NULL, NULL), 'https://idp.test', 's9', 't-hand', 'Hand', 'admin'), :hand::bigint, 'again');
SELECT is((SELECT count(*)::int FROM audit WHERE id > :noted), 1, 'is nothing new');
SELECT spy.forget() \g /dev/null

-- session_revoke
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('t1'), 'session', :zoe, '{read}') RETURNING id AS session \gset
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('t2'), 'token', :zoe, '{read}') RETURNING id AS token \gset
SELECT ok(session_revoke(:session), 'a session is ended');
SELECT results_eq('SELECT spy.routes()', ARRAY['x 0 ' || :zoe || ' ' || :session || ' session.revoked'], 'and its streams are told');
SELECT isnt((SELECT revoked_at FROM sessions WHERE id = :session), NULL, 'it is over');
SELECT ok(NOT session_revoke(:session), 'twice is once');
SELECT ok(NOT session_revoke(-1), 'there is none of that id');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'which is told to nobody');

-- sessions_revoke_others, backchannel_logout
INSERT INTO sessions (secret_hash, kind, user_id, scopes, issuer, provider_sid)
	SELECT sha256(('b' || n)::bytea), 'session', :zoe, '{read}', 'https://idp.test', 'sid' || n FROM generate_series(1, 5) n;
SELECT id AS b1 FROM sessions WHERE secret_hash = sha256('b1') \gset
SELECT spy.forget() \g /dev/null
SELECT is(backchannel_logout('https://idp.test', 'j1', 4102444800, 'sid2', 's1'), 1::bigint, 'by the provider''s session id');
SELECT is(backchannel_logout('https://idp.test', 'j1', 4102444800, 'sid3', 's1'), NULL, 'no token counts twice');
SELECT is(backchannel_logout('https://other.test', 'j1', 4102444800, 'sid3', NULL), 0::bigint, 'another provider''s is another');
SELECT is(backchannel_logout('https://idp.test', 'j2', 4102444800, 'sid3', 's2'), 0::bigint, 'nor by a session id of somebody else');
SELECT is((SELECT count(*)::int FROM spy.lines()), 1, 'one was told');
SELECT is(sessions_revoke_others(:zoe, :b1), 3::bigint, 'all sessions but one');
SELECT is((SELECT array_agg(name ORDER BY id) FROM sessions WHERE user_id = :zoe AND revoked_at IS NULL AND kind = 'token'), ARRAY[''],
	'a token is no session');
SELECT is(backchannel_logout('https://idp.test', 'j3', 4102444800, NULL, 's1'), 1::bigint, 'by the subject: all that there are');
SELECT is(backchannel_logout('https://idp.test', 'j4', 4102444800, NULL, 'nobody'), 0::bigint, 'nobody is nobody');
SELECT throws_ok($$SELECT backchannel_logout('https://idp.test', '', 4102444800, NULL, 's1')$$, '23514', NULL, 'a token has a name');
SELECT is(access_token_insert(acting_of(:zoe, false, NULL, NULL), sha256('n1'), :zoe, 'a', '{read}', NULL, 1), NULL, 'a person has so many tokens');
SELECT isnt(access_token_insert(acting_of(:zoe, false, NULL, NULL), sha256('n1'), :zoe, 'a', '{read}', now(), 2), NULL, 'one more');
SELECT is((SELECT count(*)::int FROM audit WHERE action <> 'user.added'), 0, 'one''s own is nothing for the audit log');
SELECT access_token_insert(acting_of(0, true, NULL, NULL), sha256('n2'), :zoe, 'a', '{read}', NULL, 2) AS made \gset
SELECT ok(:made > 0, 'what has ended does not count');
SELECT is((SELECT (actor IS NULL, action, target, details) FROM audit ORDER BY id DESC LIMIT 1), (true, 'token.created'::text, :zoe::bigint,
	format('{"name": "a", "token": %s, "scopes": ["read"]}', :made)::jsonb), 'another''s is in it');
SELECT is(session_end(acting_of(:zoe, false, NULL, NULL), :made, :bob, 'token'), NULL, 'who has none of that id');
SELECT is(session_end(acting_of(:zoe, false, NULL, NULL), :made, :zoe, 'session'), NULL, 'nor of that kind');
SELECT is(session_end(acting_of(:root, true, 'r1', '192.0.2.7'), :made, :zoe, 'token'), true, 'an admin ends it');
SELECT is((SELECT (actor, action, target, details, request_id) FROM audit ORDER BY id DESC LIMIT 1), (:root::bigint, 'token.revoked'::text, :zoe::bigint,
	format('{"name": "a", "token": %s}', :made)::jsonb, 'r1'::text), 'which is kept');
SELECT is(session_end(acting_of(:root, true, NULL, NULL), :made, 0, NULL), false, 'twice is once');
SELECT is((SELECT count(*)::int FROM audit WHERE action LIKE 'token.%'), 2, 'in the log too');

-- bot_insert
SELECT spy.forget() \g /dev/null
SELECT user_set_role(acting_of(0, true, NULL, NULL), :bob, 'guest') \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT bot_insert(acting_of(:root, true, NULL, NULL), 't-bot', 'Bot') AS bot \gset
SELECT results_eq('SELECT handle, bot, role, version FROM users WHERE id = ' || :bot, $$VALUES ('t-bot', true, 'member', 2::bigint)$$, 'a bot');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :bot || ' user.created', 'p 0 -1 ' || :bot || ' user.updated'],
	'is told of, not to guests');
SELECT is((SELECT (actor, action, target) FROM audit ORDER BY id DESC LIMIT 1), (:root::bigint, 'bot.created'::text, :bot::bigint), 'and kept');
SELECT user_set_role(acting_of(0, true, NULL, NULL), :bob, 'member') \g /dev/null

-- user_deactivate
SELECT member_add(:open, :zoe, :zoe, 100) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT ok(user_deactivate(:zoe), 'an account is closed');
SELECT results_eq('SELECT spy.routes()', ARRAY['d 0 -1 ' || :zoe || ' user.deactivated'], 'which ends all streams');
SELECT isnt((SELECT revoked_at FROM sessions WHERE id = :token), NULL, 'and all sessions and tokens');
SELECT ok(EXISTS (SELECT FROM members WHERE channel_id = :open AND user_id = :zoe), 'memberships stay');
SELECT ok(NOT user_deactivate(:zoe), 'twice is once');
SELECT ok(NOT user_deactivate(-1), 'nobody is nobody');
SELECT is(user_for_identity('https://idp.test', 's1', 't-zoe', 'New', NULL, NULL, false), NULL, 'no log-in opens it again');
SELECT is((SELECT name FROM users WHERE id = :zoe), 'Zoe Z', 'nor changes it');
SELECT is((SELECT (user_json(u)->>'active')::boolean FROM users u WHERE id = :zoe), false, 'it shows as inactive');

SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT * FROM finish();
ROLLBACK;
