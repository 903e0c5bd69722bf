-- What people say of themselves: names and pictures in place of the provider's, who changes them, what is told, what goes.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT user_insert('t-guest', 'Guest', NULL, NULL, false, 'guest') AS guest \gset
SELECT bot_insert(acting_of(:root, true, NULL, NULL), 't-bot', 'Bot') AS bot \gset
CREATE FUNCTION spy.picture(who bigint, kind text DEFAULT 'image/png', bytes bigint DEFAULT 100, in_state text DEFAULT 'ready') RETURNS bigint
LANGUAGE sql VOLATILE AS $$
	INSERT INTO files (owner, client_id, channel_id, name, size, declared_type, type, key, state, put_until)
	VALUES (who, gen_random_uuid(), (SELECT min(id) FROM channels), 'a.png', bytes, kind, kind, 'files/' || gen_random_uuid(), in_state, now())
	RETURNING id
$$;
CREATE FUNCTION spy.call(who bigint, person bigint, name text, admin boolean DEFAULT false) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM user_change(acting_of(who, admin, 'r', NULL), person, true, name, false, NULL)
$$;
CREATE FUNCTION spy.show(who bigint, file bigint) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM user_picture_set(acting_of(who, false, 'r', NULL), file, 1000)
$$;
CREATE FUNCTION spy.remove(who bigint, person bigint, admin boolean DEFAULT false) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT user_picture_remove(acting_of(who, admin, 'r', NULL), person)
$$;
CREATE FUNCTION spy.sign_in(name text, picture text DEFAULT NULL, email text DEFAULT NULL) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT user_for_identity('https://idp.test', 's1', 't-zoe', name, picture, email, true)
$$;
CREATE FUNCTION spy.looks(person bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT concat_ws(' ', u.name, user_json(u)->>'picture', u.version) FROM users u WHERE u.id = person
$$;
SELECT spy.sign_in('Zoe') AS zoe \gset
SELECT spy.forget() \g /dev/null

-- a name
SELECT is(spy.call(:zoe, :zoe, 'Zo'), 'ok', 'one says what one is called');
SELECT is(spy.looks(:zoe), 'Zo 2', 'which is shown');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'and told');
SELECT is(spy.call(:zoe, :zoe, 'Zo'), 'again', 'again is harmless');
SELECT is(spy.sign_in('Zoe Z'), :zoe::bigint, 'the provider says otherwise');
SELECT is(spy.looks(:zoe), 'Zo 2', 'which changes nothing');
SELECT spy.forget() \g /dev/null
SELECT is(spy.call(:zoe, :zoe, NULL), 'ok', 'one goes by what it says');
SELECT is(spy.looks(:zoe), 'Zoe Z 3', 'as it said last');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'which is told');
SELECT is(spy.sign_in('Zoe Y'), :zoe::bigint, 'it says another name');
SELECT is(spy.looks(:zoe), 'Zoe Y 4', 'which is taken over again');
SELECT spy.forget() \g /dev/null
SELECT is(spy.call(:zoe, :zoe, 'Zoe Y'), 'ok', 'one keeps the name that it says');
SELECT is((SELECT count(*) FROM spy.lines()), 0::bigint, 'with nothing to tell');
SELECT is(spy.sign_in('Zoe X'), :zoe::bigint, 'whatever it says then');
SELECT is(spy.looks(:zoe), 'Zoe Y 4', 'the name stays');
SELECT is(spy.call(:alice, :alice, NULL), 'no_provider_name', 'an account of this site alone has no other name');
SELECT is(spy.call(:bot, :bot, 'Robot'), 'bot_name', 'a bot does not say what it is called');
SELECT is(spy.call(:guest, :guest, 'Visitor'), 'ok', 'a guest does');
UPDATE users SET muted_until = now() + interval '1 hour' WHERE id IN (:bob, :zoe);
SELECT ok((SELECT code = 'muted' AND until_us > 0 FROM user_change(acting_of(:bob, false, NULL, NULL), :bob, true, 'Bobby', false, NULL)),
	'who is muted does not, and hears until when');
SELECT is((SELECT code FROM user_change(acting_of(:bob, false, NULL, NULL), :bob, false, NULL, true, 'Asia/Tokyo')), 'ok',
	'a time zone says nothing');
SELECT is(spy.call(:zoe, :zoe, NULL), 'ok', 'what the provider says neither');
UPDATE users SET muted_until = NULL WHERE id IN (:bob, :zoe);
SELECT is(spy.call(:bob, :alice, 'Mallory'), 'admins_only', 'nobody says it of another');
SELECT is(spy.call(:root, :alice, 'Mallory'), 'admins_only', 'an admin''s token without the scope neither');
SELECT is((SELECT count(*) FROM audit WHERE id > :noted AND action = 'user.renamed'), 0::bigint, 'of all this nothing is noted');
SELECT is(spy.call(:root, :alice, 'Alice A', true), 'ok', 'an admin does');
SELECT is(spy.call(:root, :bot, 'Robot', true), 'ok', 'of a bot too');
SELECT results_eq(format('SELECT actor, target, details FROM audit WHERE id > %s AND action = ''user.renamed'' ORDER BY id', :noted),
	format('VALUES (%s::bigint, %s::bigint, ''{"from": "Alice", "to": "Alice A"}''::jsonb), (%1$s, %3$s, ''{"from": "Bot", "to": "Robot"}'')',
		:root, :alice, :bot), 'which is noted');
UPDATE users SET role = 'owner' WHERE id = :carol;
SELECT is(spy.call(:root, :carol, 'Less', true), 'above', 'not of who stands above');
SELECT is(spy.call(:root, 0, 'None', true), 'no_user', 'nor of nobody');
SELECT throws_ok(format('UPDATE users SET provider_name = '''' WHERE id = %s', :zoe), '23514', NULL, 'a provider''s name is one');

-- a picture
SELECT spy.picture(:zoe) AS one, spy.picture(:zoe) AS two, spy.picture(:bob) AS his \gset
SELECT spy.sign_in('Zoe', 'https://idp.test/z.png') \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT version AS v FROM users WHERE id = :zoe \gset
SELECT is(spy.show(:zoe, :one), 'ok', 'one shows a picture');
SELECT is(spy.looks(:zoe), 'Zoe /api/v1/files/' || :one || ' ' || :v + 1, 'in place of the provider''s');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'which is told');
SELECT is(spy.show(:zoe, :one), 'again', 'again is harmless');
SELECT is((SELECT state FROM files WHERE id = :one), 'profile', 'the file is that alone');
SELECT is(spy.sign_in('Zoe', 'https://idp.test/zz.png'), :zoe::bigint, 'the provider has another one');
SELECT is(spy.looks(:zoe), 'Zoe /api/v1/files/' || :one || ' ' || :v + 1, 'which changes nothing');
SELECT is(spy.show(:bob, :two), 'not_a_loose_file', 'a picture of one''s own');
SELECT is(spy.show(:bob, :one), 'not_a_loose_file', 'and nobody else''s');
SELECT is(spy.show(:bob, 0), 'not_a_loose_file', 'one that is there');
SELECT is(spy.show(:bob, spy.picture(:bob, in_state => 'pending')), 'not_a_loose_file', 'and ready');
SELECT is(spy.show(:bob, spy.picture(:bob, 'image/svg+xml')), 'picture_type', 'a raster image');
SELECT is(spy.show(:bob, spy.picture(:bob, 'image/png', 1001)), 'picture_size', 'not a large one');
UPDATE users SET muted_until = 'infinity' WHERE id = :bob;
SELECT ok((SELECT code = 'muted' AND until_us IS NULL FROM user_picture_set(acting_of(:bob, false, NULL, NULL), :his, 1000)), 'who is muted shows none');
UPDATE users SET muted_until = NULL WHERE id = :bob;
SELECT is((SELECT code FROM custom_emoji_add(acting_of(:zoe, false, 'r', NULL), 'zoe', :one, true, 3, 1000)), 'not_a_loose_file', 'it becomes no emoji');
SELECT is((SELECT code FROM file_erase(acting_of(:zoe, false, NULL, NULL), :one, false)), 'a_picture', 'it is not erased by itself');
SELECT is((SELECT code FROM file_erase(acting_of(:zoe, false, NULL, NULL), :one, true)), 'ok', 'ending its upload is harmless');
SELECT is((SELECT code FROM file_erase(acting_of(:root, true, NULL, NULL), :one, false)), 'no_file', 'nor by an admin');
SELECT is(files_collect(0, 100) > 0 AND (SELECT state = 'profile' FROM files WHERE id = :one), true, 'it is not collected');
SELECT is((SELECT code FROM upload_check_begin(:zoe, :one, 1000)), 'done', 'its upload is complete');
SELECT spy.picture(:zoe) AS two \gset
SELECT spy.forget() \g /dev/null
SELECT is(spy.show(:zoe, :two), 'ok', 'another one');
SELECT ok((SELECT state = 'erased' AND erase_at IS NOT NULL FROM files WHERE id = :one), 'takes the place of the first, which goes');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'and one line tells of both');
SELECT is(spy.remove(:zoe, :zoe), 'ok', 'one takes it away');
SELECT is(spy.looks(:zoe), 'Zoe https://idp.test/zz.png ' || :v + 3, 'and is shown as the provider says');
SELECT is(spy.remove(:zoe, :zoe), 'again', 'again is harmless');
SELECT ok((SELECT state = 'erased' FROM files WHERE id = :two), 'it goes');
SELECT is((SELECT count(*) FROM audit WHERE id > :noted AND action = 'user.picture_removed'), 0::bigint, 'which is one''s own affair');

-- by others
SELECT spy.picture(:zoe) AS three, spy.picture(:carol) AS hers \gset
SELECT spy.show(:zoe, :three), spy.show(:carol, :hers) \g /dev/null
SELECT is(spy.remove(:bob, :zoe), 'admins_only', 'nobody takes another''s');
SELECT is(spy.remove(:root, :zoe), 'admins_only', 'an admin''s token without the scope neither');
SELECT is(spy.remove(:root, :carol, true), 'above', 'an admin takes none of who stands above');
SELECT is(spy.remove(:root, 0, true), 'no_user', 'nor of nobody');
SELECT spy.forget() \g /dev/null
SELECT is(spy.remove(:root, :zoe, true), 'ok', 'an admin does');
SELECT is((SELECT substr(l.spy, strpos(l.spy, '{"type"'))::jsonb->'user' FROM (SELECT spy.lines() AS spy) l),
	(SELECT user_json(u) FROM users u WHERE id = :zoe), 'the line says what a fresh load says');
SELECT results_eq(format('SELECT actor, target, details FROM audit WHERE id > %s AND action = ''user.picture_removed''', :noted),
	format('VALUES (%s::bigint, %s::bigint, ''{"file": %s}''::jsonb)', :root, :zoe, :three), 'which is noted');
SELECT is(spy.remove(0, :carol, true), 'ok', 'the command too');

-- all of one's files
SELECT spy.picture(:zoe) AS four, spy.picture(:zoe) AS five \gset
SELECT spy.show(:zoe, :four) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is((SELECT erased FROM files_erase_some(acting_of(:root, true, 'r', NULL), :zoe, 100)), 2, 'go with it');
SELECT is(spy.looks(:zoe), 'Zoe https://idp.test/zz.png ' || (SELECT version FROM users WHERE id = :zoe), 'it is shown no more');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :zoe || ' user.updated'], 'which is told');
SELECT ok((SELECT bool_and(state = 'erased') FROM files WHERE id IN (:four, :five)), 'both are erased');
SELECT ok(spy.log_is_whole(), 'the log is whole');

SELECT * FROM finish();
ROLLBACK;
