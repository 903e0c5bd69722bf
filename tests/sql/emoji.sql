-- Custom emoji: who adds and removes them, of which files, what is told, and reactions with one that is gone.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT user_insert('t-guest', 'Guest', NULL, NULL, false, 'guest') AS guest \gset
CREATE FUNCTION spy.picture(who bigint, kind text DEFAULT 'image/png', bytes bigint DEFAULT 100, in_state text DEFAULT 'ready') RETURNS bigint
LANGUAGE sql VOLATILE AS $$
	INSERT INTO files (owner, client_id, channel_id, name, size, declared_type, type, key, state, put_until)
	VALUES (who, gen_random_uuid(), (SELECT min(id) FROM channels), 'a.png', bytes, kind, kind, 'files/' || gen_random_uuid(), in_state, now())
	RETURNING id
$$;
CREATE FUNCTION spy.add(who bigint, name text, file bigint, everyone boolean DEFAULT true, admin boolean DEFAULT false, emoji_max int DEFAULT 3)
RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM custom_emoji_add(acting_of(who, admin, 'r', NULL), name, file, everyone, emoji_max, 1000)
$$;
CREATE FUNCTION spy.remove(who bigint, name text, admin boolean DEFAULT false) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT custom_emoji_remove(acting_of(who, admin, 'r', NULL), name)
$$;
SELECT spy.picture(:alice) AS one, spy.picture(:bob) AS two, spy.picture(:root) AS three, spy.picture(:guest) AS hers \gset
SELECT spy.forget() \g /dev/null

-- adding
SELECT is(spy.add(:alice, 'party', :one), 'ok', 'a member adds one');
SELECT is((SELECT custom_emoji_json(e) - 'at' FROM custom_emoji e),
	jsonb_build_object('name', 'party', 'file', :one, 'by', :alice, 'version', 1), 'which says so');
SELECT is((SELECT state FROM files WHERE id = :one), 'emoji', 'the file is the site''s');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -2 1 emoji.updated'], 'everybody is told, guests too');
SELECT is((SELECT '{' || event_tail(e) FROM events e ORDER BY id DESC LIMIT 1)::jsonb,
	(SELECT jsonb_build_object('name', 'party', 'emoji', custom_emoji_json(e), 'version', 1) FROM custom_emoji e), 'replay says what the line said');
SELECT is(spy.add(:alice, 'party', :one), 'again', 'again is harmless');
SELECT is(spy.add(:bob, 'party', :two), 'emoji_taken', 'a name is one''s alone');
SELECT is(spy.add(:alice, 'other', :one), 'not_a_loose_file', 'a picture is one emoji');
SELECT is(spy.add(:alice, 'other', :two), 'not_a_loose_file', 'a picture of one''s own');
SELECT is(spy.add(:alice, 'other', 0), 'not_a_loose_file', 'one that is there');
SELECT is(spy.add(:alice, 'other', spy.picture(:alice, in_state => 'pending')), 'not_a_loose_file', 'and ready');
SELECT is(spy.add(:alice, 'other', spy.picture(:alice, 'image/svg+xml')), 'picture_type', 'a raster image');
SELECT is(spy.add(:alice, 'other', spy.picture(:alice, 'image/png', 1001)), 'picture_size', 'not a large one');
SELECT is(spy.add(:guest, 'hers', :hers), 'guest_emoji', 'guests add none');
SELECT is(spy.add(:bob, 'two', :two, everyone => false), 'admins_only', 'where only admins do, a member does not');
SELECT is(spy.add(:root, 'three', :three, everyone => false), 'admins_only', 'an admin''s token without the scope neither');
SELECT is(spy.add(:root, 'three', :three, everyone => false, admin => true), 'ok', 'an admin does');
UPDATE users SET muted_until = now() + interval '1 hour' WHERE id = :bob;
SELECT ok((SELECT code = 'muted' AND until_us > 0 FROM custom_emoji_add(acting_of(:bob, false, NULL, NULL), 'two', :two, true, 3, 1000)),
	'who is muted does not, and hears until when');
UPDATE users SET muted_until = NULL WHERE id = :bob;
SELECT is(spy.add(:bob, 'two', :two, emoji_max => 2), 'too_many_emoji', 'as many as there may be');
SELECT is(spy.add(:bob, 'two', :two), 'ok', 'with room he does');

-- the file
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM file_erase(acting_of(:alice, false, NULL, NULL), :one, false)), 'an_emoji', 'the picture is not erased by itself');
SELECT is((SELECT code FROM file_erase(acting_of(:alice, false, NULL, NULL), :one, true)), 'ok', 'ending its upload is harmless');
SELECT is((SELECT code FROM file_erase(acting_of(:root, true, NULL, NULL), :one, false)), 'no_file', 'nor by an admin');
SELECT is((SELECT erased FROM files_erase_some(acting_of(:bob, false, NULL, NULL), :bob, 10)), 0, 'nor with all of one''s files');
SELECT is(files_collect(0, 100) > 0 AND (SELECT state = 'emoji' FROM files WHERE id = :one), true, 'it is not collected');
SELECT is((SELECT code FROM upload_check_begin(:alice, :one, 1000)), 'done', 'its upload is complete');
SELECT is((SELECT count(*) FROM spy.lines()), 0::bigint, 'and nobody is told of any of this');

-- reactions
INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body) VALUES (:open, 1, :alice, gen_random_uuid(), now(), '{"text":"x"}');
SELECT is((SELECT code FROM reaction_set(:open, :alice, 1, ':party:', true, 3, 2)), 'ok', 'one reacts with it');
SELECT is((SELECT code FROM reaction_set(:open, :alice, 1, ':nothing:', true, 3, 2)), 'no_emoji', 'not with one that is none');
SELECT is((SELECT code FROM reaction_set(:open, :alice, 1, ':nothing:', false, 3, 2)), 'again', 'which there is none of to take away');

-- statuses
CREATE FUNCTION spy.status(who bigint, emoji text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT settings_change(who, jsonb_build_object('status', jsonb_build_object('emoji', emoji)), 45000, 300000)->'status'->>'emoji'
$$;
SELECT is(spy.status(:bob, ':PARTY:'), ':party:', 'a status bears one, in lower case');
SELECT is(settings_change(:bob, '{"status": {"emoji": ":nothing:"}, "invisible": true}', 45000, 300000), NULL, 'none that is not there');
SELECT ok((SELECT NOT invisible AND status_emoji = ':party:' FROM user_settings WHERE user_id = :bob), 'and nothing has changed');
SELECT is(spy.status(:alice, x), x, 'this is no name: ' || x) FROM unnest(ARRAY['🌴', ':', '::', ':a b:', 'party', ':pärty:']) x;

-- removing
SELECT is(spy.remove(:bob, 'party'), 'not_your_emoji', 'another member does not remove it');
SELECT is(spy.remove(:root, 'party'), 'not_your_emoji', 'nor an admin''s token without the scope');
SELECT spy.forget() \g /dev/null
SELECT is(spy.remove(:alice, 'party'), 'ok', 'its creator does');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 -2 4 emoji.updated'], 'which everybody is told');
SELECT is((SELECT '{' || event_tail(e) FROM events e ORDER BY id DESC LIMIT 1)::jsonb, '{"name": "party", "emoji": null, "version": 4}', 'with no emoji');
SELECT ok((SELECT state = 'erased' AND erase_at IS NOT NULL FROM files WHERE id = :one), 'its picture goes');
SELECT is((SELECT count(*) FROM audit WHERE id > :noted), 0::bigint, 'what one does with one''s own is nobody''s business');
SELECT is(spy.remove(:alice, 'party'), 'again', 'again is harmless');
SELECT is(reactions_json(:open, 1)->'reactions',
	jsonb_build_array(jsonb_build_object('emoji', ':party:', 'count', 1, 'users', ARRAY[:alice])), 'a reaction stays');
SELECT is((SELECT status_emoji FROM user_settings WHERE user_id = :bob), ':party:', 'so does a status');
SELECT is(spy.status(:bob, ':Party:'), ':party:', 'as it is');
SELECT is(spy.status(:alice, ':party:'), NULL, 'nobody else takes it');
SELECT is((SELECT code FROM reaction_set(:open, :bob, 1, ':party:', true, 3, 2)), 'no_emoji', 'nobody joins it');
SELECT is((SELECT code FROM reaction_set(:open, :alice, 1, ':party:', true, 3, 2)), 'again', 'who has it has it');
SELECT is((SELECT code FROM reaction_set(:open, :alice, 1, ':party:', false, 3, 2)), 'ok', 'and takes it away');
SELECT is(spy.remove(:root, 'two', true), 'ok', 'an admin removes anybody''s');
SELECT results_eq(format('SELECT actor, action, target, details FROM audit WHERE id > %s', :noted),
	format('VALUES (%s::bigint, ''emoji.removed'', %s::bigint, ''{"name": "two", "file": %s}''::jsonb)', :root, :bob, :two), 'which is noted');
SELECT is(spy.remove(0, 'three', true), 'ok', 'the command too');
SELECT is(spy.add(:alice, 'party', spy.picture(:alice)), 'ok', 'a name is free again');
SELECT throws_ok($$UPDATE custom_emoji SET name = 'Party'$$, '23514', NULL, 'in lower case alone');

SELECT * FROM finish();
ROLLBACK;
