-- Presence: leases, what is told of them and when, settings. Time stands still in a transaction: what has passed is set.
\ir include/site.sql
SELECT * FROM no_plan();
\set lease 45000
\set away 300000
\set everyone 'ARRAY[:alice, :bob, :carol]'

-- The server has run for long, and somebody looks every few seconds.
CREATE FUNCTION spy.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() - interval '1 day' $$;
DELETE FROM presence_watch;
INSERT INTO presence_watch (swept_at, judged_from) VALUES (now(), now() - interval '1 hour');

-- One user, as lib/live/presence_lease.c writes: ages in ms, -1 not known, -2 none; ends -1 there, else in so many ms.
CREATE FUNCTION spy.write(node bigint, person bigint, age bigint, ends bigint, idle bigint DEFAULT 0, input bigint DEFAULT NULL)
RETURNS SETOF record LANGUAGE sql VOLATILE AS $$
	SELECT w.known, w.changed, w.away_in_ms FROM presence_write(node, ARRAY[person], ARRAY[age], ARRAY[coalesce(input, age)],
		ARRAY[idle], ARRAY[ends], 45000, 300000) w
$$;
CREATE FUNCTION spy.sweep(whole boolean DEFAULT false) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	UPDATE presence_watch SET swept_at = now() - interval '6 s';
	RETURN presence_sweep(5000, 25000, 45000, 300000, whole, 500);
END $$;
CREATE FUNCTION spy.passes(t interval) RETURNS void LANGUAGE sql VOLATILE AS $$
	UPDATE presence_nodes SET expires_at = expires_at - t;
	UPDATE presence_leases SET expires_at = expires_at - t, active_at = active_at - t;
	UPDATE presence SET last_active = last_active - t;
$$;
-- The lines so far as `KIND AUDIENCE SUBJECT STATE`.
CREATE FUNCTION spy.told() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	SELECT split_part(l, ' ', 2) || ' ' || split_part(l, ' ', 4) || ' ' || split_part(l, ' ', 5) || ' ' ||
		coalesce((regexp_match(l, '"state": "([a-z]+)"'))[1], '') FROM spy.lines() l
$$;
CREATE FUNCTION spy.state(person bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT n.state FROM presence_now(ARRAY[person], 45000, 300000) n
$$;

-- coming and going
SELECT is(presence_renew(1, :lease), false, 'a node that was not there says so');
SELECT is(presence_renew(1, :lease), true, 'then it is known');
SELECT is(presence_renew(2, :lease), false, 'another one');
SELECT is(spy.state(:alice), 'offline', 'nobody is there');
SELECT results_eq('SELECT * FROM spy.write(1, ' || :alice || ', -1, -1) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, true, NULL::bigint)', 'one comes; of her input nothing is known');
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :alice || ' online'],
	'one line for others; her own instances know');
SELECT results_eq('SELECT * FROM spy.write(2, ' || :alice || ', 0, -1) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, false, 300000::bigint)', 'she comes by another node too, with input');
SELECT results_eq('SELECT * FROM spy.write(2, ' || :alice || ', 0, 30000) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, false, 300000::bigint)', 'and goes there: her grace begins');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'which is nothing to tell');
SELECT spy.passes('20 s') \g /dev/null
SELECT is(presence_renew(1, :lease), true, 'node 1 lives on');
SELECT is(spy.sweep(), 0::bigint, 'within the grace nothing has run out');
SELECT spy.passes('11 s') \g /dev/null
SELECT is(spy.sweep(), 1::bigint, 'then a lease has');
SELECT is((SELECT count(*)::int FROM presence_leases WHERE user_id = :alice), 1, 'and goes');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'she is still there by the other one');
SELECT is((SELECT last_active FROM presence WHERE user_id = :alice), now() - interval '31 s', 'that she was active is not lost with it');
SELECT is((SELECT active_at FROM presence_leases WHERE user_id = :alice), now() - interval '31 s', 'nor for the lease that stays');
SELECT results_eq('SELECT * FROM spy.write(1, ' || :alice || ', -1, 30000) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, false, 269000::bigint)', 'she goes there too');
SELECT spy.passes('31 s') \g /dev/null
SELECT is(spy.state(:alice), 'offline', 'who asks is told at once that the grace is over');
SELECT is(spy.sweep(), 1::bigint, 'one sweeps');
SELECT is(spy.sweep(), 0::bigint, 'another one finds nothing');
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :alice || ' offline'], 'so she goes once');
SELECT is((SELECT last_active FROM presence WHERE user_id = :alice), now() - interval '62 s', 'transport has not touched when she was active');

-- signing out: at once
SELECT * FROM spy.write(1, :bob, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT * FROM spy.write(1, :bob, 0, 0) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' offline'], 'a lease that ends at once');
SELECT is((SELECT count(*)::int FROM presence_leases WHERE user_id = :bob), 0, 'is gone');
SELECT * FROM spy.write(1, :bob, 0, 0) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'twice is once');

-- away, and back
SELECT * FROM spy.write(1, :bob, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT spy.passes('299 s') \g /dev/null
SELECT presence_renew(1, :lease) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT results_eq('SELECT * FROM spy.write(1, ' || :bob || ', 299000, -1) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, false, 1000::bigint)', 'a second is left');
SELECT spy.passes('1 s') \g /dev/null
SELECT results_eq('SELECT * FROM spy.write(1, ' || :bob || ', 300000, -1) AS (k boolean, c boolean, a bigint)',
	'VALUES (true, true, NULL::bigint)', 'then he is away');
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' away', 's ' || :bob || ' 0 away'], 'which is told');
SELECT * FROM spy.write(2, :bob, -1, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'that he comes by another node is no input');
SELECT * FROM spy.write(2, :bob, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' online', 's ' || :bob || ' 0 online'], 'a key is');
SELECT * FROM spy.write(2, :bob, 300000, -1, 0, 1000) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'older news change nothing');
SELECT * FROM spy.write(2, :bob, 300000, -1, 1, 1000) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' away', 's ' || :bob || ' 0 away'], 'but that he locks his screen does');
SELECT is((SELECT last_active FROM presence WHERE user_id = :bob), now(), 'when he was active stays true');
SELECT * FROM spy.write(1, :carol, -2, -1, 1, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is(spy.state(:carol), 'away', 'one who comes with a locked screen is away');
SELECT is((SELECT last_active FROM presence_now(ARRAY[:carol], :lease, :away)), NULL, 'and was never active');
SELECT spy.forget() \g /dev/null

-- a node that dies, one that comes back too late, one that ends as planned
SELECT spy.passes('20 s') \g /dev/null
SELECT presence_renew(1, :lease) \g /dev/null
SELECT spy.passes('26 s') \g /dev/null
SELECT is((SELECT count(*)::int FROM presence_nodes WHERE expires_at <= now()), 1, 'node 2 has not renewed for 46 s');
SELECT spy.sweep() \g /dev/null
SELECT is((SELECT count(*)::int FROM presence_leases WHERE node = 2), 0, 'what it said is gone');
SELECT is((SELECT count(*)::int FROM presence_nodes WHERE node = 2), 0, 'and it itself');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'Bob is there by node 1');
SELECT is(presence_renew(2, :lease), false, 'where it comes back it says all again');
UPDATE presence SET last_active = now() - interval '109 s' WHERE user_id = :alice;
SELECT results_eq('SELECT * FROM spy.write(3, ' || :alice || ', -1, -1) AS (k boolean, c boolean, a bigint)',
	'VALUES (false, true, 191000::bigint)', 'one that never renewed is made, and says so too');
SELECT is(spy.state(:alice), 'online', 'her last input, of before, counts');
SELECT spy.forget() \g /dev/null
SELECT presence_leave(1, 30000) \g /dev/null
SELECT spy.passes('29 s') \g /dev/null
SELECT presence_renew(3, :lease) \g /dev/null
SELECT spy.sweep() \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'a planned stop: who was there by it has the grace');
SELECT spy.passes('2 s') \g /dev/null
SELECT spy.sweep() \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' offline', 'w 0 ' || :carol || ' offline'], 'and is gone then');

-- a crash of the database, or a long absence
DELETE FROM presence_leases; DELETE FROM presence_nodes; DELETE FROM presence_watch;
SELECT is(spy.state(:alice), 'online', 'the leases are lost: what was told holds');
SELECT spy.sweep(true) \g /dev/null
SELECT is((SELECT judged_from FROM presence_watch), now() + interval '45 s', 'the first look gives everyone a lease''s time');
SELECT * FROM spy.write(4, :bob, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT results_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' online'], 'who comes meanwhile is there');
SELECT * FROM spy.write(4, :bob, 0, 0) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'who goes is told of later');
UPDATE presence_watch SET judged_from = now();
SELECT spy.sweep(false) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'a look at what runs out finds nobody');
SELECT is(spy.sweep(true), 2::bigint, 'a whole look those whom no lease speaks of');
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :alice || ' offline', 'w 0 ' || :bob || ' offline'], 'who are offline now');
UPDATE presence_watch SET swept_at = now() - interval '26 s';
SELECT is(presence_sweep(5000, 25000, :lease, :away, false, 500), 0::bigint, 'nobody has looked for longer than leases live');
SELECT is((SELECT judged_from FROM presence_watch), now() + interval '45 s', 'so everyone was away, and has time again');
UPDATE presence_watch SET swept_at = now() - interval '1 s', judged_from = now() - interval '1 s';
SELECT is(presence_sweep(5000, 25000, :lease, :away, false, 500), 0::bigint, 'where another one has just looked');
SELECT is((SELECT swept_at FROM presence_watch), now() - interval '1 s', 'one need not');
CREATE OR REPLACE FUNCTION spy.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() - interval '44 s' $$;
SELECT ok(presence_held(:lease), 'a database that has just started judges nobody');
CREATE OR REPLACE FUNCTION spy.pg_postmaster_start_time() RETURNS timestamptz LANGUAGE sql STABLE AS $$ SELECT now() - interval '45 s' $$;
SELECT ok(NOT presence_held(:lease), 'for a lease''s time');

-- polls of processes that keep nothing, and what is said without a stream
SELECT presence_polled(:bob, false, 40000, :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' online'], 'a poll makes its lease');
SELECT spy.passes('3 s') \g /dev/null
SELECT presence_polled(:bob, false, 40000, :lease, :away) \g /dev/null
SELECT is((SELECT expires_at FROM presence_leases WHERE user_id = :bob), now() + interval '37 s', 'the next one need not write');
SELECT spy.passes('3 s') \g /dev/null
SELECT presence_polled(:bob, false, 40000, :lease, :away) \g /dev/null
SELECT is((SELECT expires_at FROM presence_leases WHERE user_id = :bob), now() + interval '40 s', 'the one after does');
SELECT presence_say(:bob, spy.uuid(7), NULL, 30000, :lease, :away) \g /dev/null
SELECT results_eq('SELECT * FROM spy.lines()', ARRAY['0 b 0 0 ' || :bob || ' {"instance": "00000000-0000-4000-8000-000000000007"}'],
	'a beacon is passed on');
SELECT is((SELECT expires_at FROM presence_leases WHERE user_id = :bob), now() + interval '30 s', 'and begins the grace');
SELECT presence_say(:bob, spy.uuid(7), 'idle', 30000, :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['b 0 ' || :bob || ' ', 'w 0 ' || :bob || ' away', 's ' || :bob || ' 0 away'], 'so is idle');
SELECT presence_say(:bob, spy.uuid(7), 'active', 30000, :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['b 0 ' || :bob || ' ', 'w 0 ' || :bob || ' online', 's ' || :bob || ' 0 online'], 'and active');
SELECT presence_say(:carol, spy.uuid(8), 'active', 30000, :lease, :away) \g /dev/null
SELECT is(spy.state(:carol), 'offline', 'which makes nobody come');
SELECT is((SELECT count(*)::int FROM spy.told()), 1, 'and is only passed on');
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p1'), 'session', :bob, '{read}') RETURNING id AS s1 \gset
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p2'), 'session', :bob, '{read}') RETURNING id AS s2 \gset
SELECT session_revoke(:s1) \g /dev/null
SELECT is(spy.state(:bob), 'online', 'he signs out in one of two browsers');
SELECT spy.forget() \g /dev/null
SELECT session_revoke(:s2) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :bob || ' offline', 'x ' || :bob || ' ' || :s2 || ' '],
	'in the other one too: gone at once');

-- invisible, do-not-disturb, status
SELECT presence_renew(1, :lease) \g /dev/null
SELECT * FROM spy.write(1, :alice, 1000, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is(settings_json(NULL::user_settings), '{"invisible": false, "dnd_until": null, "status": null, "read_receipts": true, "version": 1}',
	'what everybody begins with');
SELECT spy.forget() \g /dev/null
SELECT is((settings_change(:alice, '{"status": {"emoji": "🌴", "text": "away"}, "dnd_until": "forever"}', :lease, :away)->>'version')::int,
	2, 'a status');
SELECT results_eq('SELECT l FROM spy.lines() l LIMIT 2', ARRAY[
	'0 w 0 0 ' || :alice || ' ' || jsonb_build_object('user', :alice, 'state', 'online', 'last_active', time_text(now() - interval '1 s'),
		'dnd', true, 'status', '{"emoji": "🌴", "text": "away", "until": null}'::jsonb),
	'0 s 0 ' || :alice || ' 0 ' || jsonb_build_object('type', 'presence', 'users', jsonb_build_array(jsonb_build_object('user', :alice,
		'state', 'online', 'last_active', time_text(now() - interval '1 s'), 'dnd', true, 'invisible', false,
		'status', '{"emoji": "🌴", "text": "away", "until": null}'::jsonb)))], 'is told to others and to her own instances');
SELECT is((SELECT event_tail(e)::text FROM events e ORDER BY e.id DESC LIMIT 1), substr(jsonb_build_object('settings',
	(SELECT settings_json(s) FROM user_settings s WHERE s.user_id = :alice))::text, 2), 'the log renders the settings as they are');
SELECT is((settings_change(:alice, '{"dnd_until": "forever"}', :lease, :away)->>'version')::int, 2, 'what is no change');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'is told to nobody');
SELECT settings_change(:alice, '{"read_receipts": false}', :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['s ' || :alice || ' 0 online', 'p ' || :alice || ' ' || :alice || ' ',
	'k 0 ' || :alice || ' '], 'what others do not see is told to her own alone, but for the mark in her channel: it goes');
SELECT settings_change(:alice, '{"invisible": true}', :lease, :away) \g /dev/null
SELECT results_eq('SELECT l FROM spy.lines() l LIMIT 1', ARRAY['0 w 0 0 ' || :alice || ' ' || jsonb_build_object('user', :alice, 'state',
	'offline', 'last_active', time_text(now() - interval '1 s'), 'dnd', false, 'status', NULL)], 'she goes invisible: offline for others');
SELECT * FROM spy.write(1, :alice, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT settings_change(:alice, '{"status": null}', :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['s ' || :alice || ' 0 online', 'p ' || :alice || ' ' || :alice || ' '], 'nobody hears of her');
SELECT is((SELECT last_active FROM presence WHERE user_id = :alice), now() - interval '1 s', 'nor sees when she was active');
SELECT settings_change(:alice, '{"invisible": false, "dnd_until": null}', :lease, :away) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :alice || ' online', 's ' || :alice || ' 0 online', 'p ' || :alice || ' ' || :alice || ' '],
	'until she shows herself');
SELECT settings_change(:alice, jsonb_build_object('status', jsonb_build_object('text', 'x', 'until', now() + interval '1 min'), 'dnd_until',
	now() + interval '1 min'), :lease, :away) \g /dev/null
SELECT is(settings_sweep(:lease, :away), 0::bigint, 'a status that holds');
SELECT spy.forget() \g /dev/null
UPDATE user_settings SET status_until = now(), dnd_until = now() WHERE user_id = :alice;
SELECT is(settings_sweep(:lease, :away), 1::bigint, 'runs out');
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :alice || ' online', 's ' || :alice || ' 0 online', 'p ' || :alice || ' ' || :alice || ' '],
	'which is told');
SELECT is((SELECT (settings_json(s) - 'version')::text FROM user_settings s WHERE s.user_id = :alice),
	'{"status": null, "dnd_until": null, "invisible": false, "read_receipts": false}', 'and is gone');

-- many at once: payloads that fit
SELECT array_agg(user_insert('t-many', repeat('m', 80), NULL, NULL, false, 'member')) AS many FROM generate_series(1, 60) \gset
INSERT INTO user_settings (user_id, status_text) SELECT u, repeat('😀', 100) FROM unnest(:'many'::bigint[]) u;
SELECT spy.forget() \g /dev/null
SELECT is((SELECT count(*)::int FROM presence_write(1, :'many', array_fill(0::bigint, '{60}'), array_fill(0::bigint, '{60}'),
	array_fill(0::bigint, '{60}'), array_fill(-1::bigint, '{60}'), :lease, :away) w WHERE w.changed), 60, 'sixty come');
SELECT cmp_ok((SELECT count(*)::int FROM spy.notified), '<', 20, 'in few payloads');
SELECT is((SELECT count(*)::int FROM spy.told()), 60, 'with all lines');

-- closing an account, and a process that does not know of it yet
SELECT * FROM spy.write(1, :carol, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT user_deactivate(:carol) \g /dev/null
SELECT set_eq('SELECT spy.told()', ARRAY['w 0 ' || :carol || ' offline', 'd -1 ' || :carol || ' '],
	'a closed account is gone at once');
SELECT * FROM spy.write(1, :carol, 0, -1) AS (k boolean, c boolean, a bigint) \g /dev/null
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'whatever processes say');

-- time zones
CREATE FUNCTION spy.zone(who bigint, zone text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM user_change(acting_of(who, false, NULL, NULL), who, false, NULL, true, zone)
$$;
SELECT is(spy.zone(:alice, 'Europe/Zurich'), 'ok', 'a time zone');
SELECT is((SELECT user_json(u)->>'time_zone' FROM users u WHERE u.id = :alice), 'Europe/Zurich', 'is shown');
SELECT set_eq('SELECT spy.routes()', ARRAY['p 0 -1 ' || :alice || ' user.updated'], 'and told');
SELECT is(spy.zone(:alice, 'Europe/Zurich'), 'again', 'again');
SELECT is(spy.zone(:alice, 'Europe/Nowhere'), 'no_zone', 'no such zone');
SELECT is(spy.zone(:alice, 'europe/zurich'), 'no_zone', 'nor in other letters');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'tells nobody anything');
SELECT is(spy.zone(:alice, NULL), 'ok', 'none');

SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT * FROM finish();
ROLLBACK;
