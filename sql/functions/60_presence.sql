-- Presence (doc/presence.md): leases say who is there, `presence` what was told to others. Order of locks, for all: the node's
-- row, then rows of `presence` in user order, then leases, which belong to whoever holds their user's row in `presence`.
--
-- active_at of a lease: the last input by it; 'epoch': it was said that there is none; '-infinity': nothing is known.

-- Commits of this transaction wait for no disk: what a crash takes is put right by the next look at all (presence_sweep).
CREATE OR REPLACE FUNCTION presence_light() RETURNS void LANGUAGE sql VOLATILE AS $$
	SELECT set_config('synchronous_commit', 'off', true)
$$;

CREATE OR REPLACE FUNCTION ms(n bigint) RETURNS interval LANGUAGE sql IMMUTABLE AS $$ SELECT n * interval '1 millisecond' $$;

-- The later of two inputs. Each comes as an age, and later by what a statement takes: within a second they are one and the same.
CREATE OR REPLACE FUNCTION later_input(held timestamptz, heard timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN heard > coalesce(held, '-infinity') + interval '1 second' OR held IS NULL THEN heard ELSE held END
$$;

-- True while nobody is judged: who has no lease may not have been able to renew it, or it got lost in a crash.
CREATE OR REPLACE FUNCTION presence_held(lease_ms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT pg_postmaster_start_time() > now() - ms(lease_ms) OR coalesce((SELECT w.judged_from > now() FROM presence_watch w), true)
$$;

-- How it stands with each of the users, whatever was told to others and whatever they may see. away_in_ms: to when he is away
-- without further input; null: not to be expected.
CREATE OR REPLACE FUNCTION presence_now(users bigint[], lease_ms bigint, away_ms bigint)
RETURNS TABLE (user_id bigint, state text, last_active timestamptz, away_in_ms bigint) LANGUAGE sql STABLE AS $$
	WITH seen AS (
		SELECT u.id, u.deactivated_at, p.state AS told, p.last_active, l.active_at AS newest,
			CASE WHEN l.active_at = '-infinity' THEN p.last_active ELSE l.active_at END AS input
		FROM users u LEFT JOIN presence p ON p.user_id = u.id LEFT JOIN LATERAL (
			SELECT max(l.active_at) AS active_at FROM presence_leases l
			WHERE l.user_id = u.id AND CASE WHEN l.expires_at IS NOT NULL THEN l.expires_at > now()
				ELSE EXISTS (SELECT FROM presence_nodes n WHERE n.node = l.node AND n.expires_at > now()) END) l ON true
		WHERE u.id = ANY (users)
	), judged AS (
		SELECT s.*, CASE WHEN s.deactivated_at IS NOT NULL THEN 'offline'
			WHEN s.newest IS NULL THEN CASE WHEN presence_held(lease_ms) THEN coalesce(s.told, 'offline') ELSE 'offline' END
			WHEN s.input IS NULL OR s.input > now() - ms(away_ms) THEN 'online' -- of a program nothing may be known ever
			ELSE 'away' END AS state
		FROM seen s
	)
	SELECT j.id, j.state, later_input(j.last_active, CASE WHEN j.newest > 'epoch' THEN j.newest END),
		CASE WHEN j.state = 'online' AND j.input IS NOT NULL AND j.newest IS NOT NULL THEN
			ceil(extract(epoch FROM j.input + ms(away_ms) - now()) * 1000)::bigint END
	FROM judged j
$$;

-- A person's presence as others see it, by what was told last.
CREATE OR REPLACE FUNCTION presence_json(viewer bigint, u users) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT presence_json(u.id, coalesce(p.state, 'offline'), p.last_active, s, false)
		FROM (SELECT) one LEFT JOIN presence p ON p.user_id = u.id LEFT JOIN user_settings s ON s.user_id = u.id);
END $$;

-- Takes the users' rows in `presence`, which are made where there are none.
CREATE OR REPLACE FUNCTION presence_lock(users bigint[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	INSERT INTO presence (user_id) SELECT DISTINCT t.u FROM unnest(users) AS t(u)
	WHERE NOT EXISTS (SELECT FROM presence p WHERE p.user_id = t.u) ORDER BY t.u ON CONFLICT DO NOTHING;
	PERFORM FROM presence p WHERE p.user_id = ANY (users) ORDER BY p.user_id FOR NO KEY UPDATE;
END $$;

-- State lines on the bus (doc/events.md, section 3): a line w of each of `others` for those who watch him, one of each of `own` to
-- his own instances; in as few payloads as they fit into.
CREATE OR REPLACE FUNCTION presence_tell(others bigint[], own bigint[], lease_ms bigint, away_ms bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	payload_max CONSTANT int := 7900;
	payload text := '';
	line text;
BEGIN
	FOR line IN
		SELECT '0 w 0 0 ' || p.user_id || ' ' || presence_json(p.user_id, p.state, p.last_active, s, false)
		FROM presence p LEFT JOIN user_settings s ON s.user_id = p.user_id WHERE p.user_id = ANY (others)
		UNION ALL
		SELECT '0 s 0 ' || n.user_id || ' 0 ' || jsonb_build_object('type', 'presence', 'users',
			jsonb_build_array(presence_json(n.user_id, n.state, n.last_active, s, true)))
		FROM presence_now(own, lease_ms, away_ms) n LEFT JOIN user_settings s ON s.user_id = n.user_id
	LOOP
		IF octet_length(payload) + octet_length(line) + 1 > payload_max AND payload <> '' THEN
			PERFORM pg_notify('pulsechat', payload);
			payload := '';
		END IF;
		payload := payload || CASE WHEN payload = '' THEN '' ELSE E'\n' END || line;
	END LOOP;
	IF payload <> '' THEN
		PERFORM pg_notify('pulsechat', payload);
	END IF;
END $$;

-- Brings what was told to what is, for users whose rows are taken: one change, one line, whoever is first. inputs: when each was
-- last active, beside what his leases say; null: no more than that.
CREATE OR REPLACE FUNCTION presence_settle(users bigint[], inputs timestamptz[], lease_ms bigint, away_ms bigint)
RETURNS TABLE (user_id bigint, was text, state text, changed boolean, away_in_ms bigint) LANGUAGE plpgsql VOLATILE
SET plan_cache_mode = force_generic_plan AS $$ -- planning it takes longer than doing it
#variable_conflict use_column
BEGIN
	RETURN QUERY WITH asked AS (
		SELECT t.u, max(t.input) AS input FROM unnest(users, inputs) AS t(u, input) GROUP BY t.u
	), now_is AS (
		SELECT n.user_id, n.state, n.away_in_ms, later_input(n.last_active, a.input) AS last_active,
			coalesce(s.invisible, false) AS invisible, p.state AS was, p.last_active AS was_active
		FROM asked a JOIN presence_now(users, lease_ms, away_ms) n ON n.user_id = a.u JOIN presence p ON p.user_id = a.u
		LEFT JOIN user_settings s ON s.user_id = a.u
	), updated AS (
		UPDATE presence p SET state = CASE WHEN n.invisible THEN 'offline' ELSE n.state END,
			last_active = CASE WHEN n.invisible THEN p.last_active ELSE n.last_active END
		FROM now_is n
		WHERE p.user_id = n.user_id AND (p.state <> CASE WHEN n.invisible THEN 'offline' ELSE n.state END
			OR (NOT n.invisible AND n.last_active > coalesce(p.last_active, '-infinity')))
		RETURNING p.user_id, p.state <> n.was AS tell
	)
	SELECT n.user_id, n.was, n.state, coalesce(u.tell, false), n.away_in_ms FROM now_is n LEFT JOIN updated u ON u.user_id = n.user_id;
END $$;

-- Settles and tells. His own instances know that they are there and need not hear that nobody is.
CREATE OR REPLACE FUNCTION presence_publish(users bigint[], inputs timestamptz[], lease_ms bigint, away_ms bigint)
RETURNS TABLE (user_id bigint, changed boolean, away_in_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	found_users bigint[];
	found_changed boolean[];
	found_away bigint[];
	others bigint[];
	own bigint[];
BEGIN
	SELECT array_agg(t.user_id), array_agg(t.changed), array_agg(t.away_in_ms), array_agg(t.user_id) FILTER (WHERE t.changed),
		array_agg(t.user_id) FILTER (WHERE t.changed AND (t.state = 'away' OR t.was = 'away' AND t.state = 'online'))
	INTO found_users, found_changed, found_away, others, own FROM presence_settle(users, inputs, lease_ms, away_ms) t;
	IF others IS NOT NULL THEN
		PERFORM presence_tell(others, own, lease_ms, away_ms);
	END IF;
	RETURN QUERY SELECT t.u, t.c, t.a FROM unnest(found_users, found_changed, found_away) AS t(u, c, a);
END $$;

-- Renews a node, or makes it. False: it had run out, or got lost: what it says of users must be said again.
CREATE OR REPLACE FUNCTION presence_renew(in_node bigint, lease_ms bigint) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM presence_light();
	UPDATE presence_nodes n SET expires_at = now() + ms(lease_ms) WHERE n.node = in_node AND n.expires_at > now();
	IF FOUND THEN
		RETURN true;
	END IF;
	INSERT INTO presence_nodes (node, expires_at) VALUES (in_node, now() + ms(lease_ms))
	ON CONFLICT (node) DO UPDATE SET expires_at = excluded.expires_at;
	RETURN false;
END $$;

-- A node that ends as planned: who is there by it has the grace to come back by another.
CREATE OR REPLACE FUNCTION presence_leave(in_node bigint, grace_ms bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM presence_light();
	UPDATE presence_nodes n SET expires_at = now() + ms(grace_ms) WHERE n.node = in_node AND n.expires_at > now();
END $$;

-- Takes leases away: what they knew of input goes to the user's other ones, so that the end of one is no change of input.
-- The users' rows are taken. all_of: these users' leases by in_node; else what has run out, by itself or with a node of `dead`.
CREATE OR REPLACE FUNCTION presence_drop(users bigint[], in_node bigint, all_of boolean, dead bigint[],
	OUT whose bigint[], OUT inputs timestamptz[]) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	WITH gone AS (
		DELETE FROM presence_leases l WHERE l.user_id = ANY (users) AND CASE WHEN all_of THEN l.node = in_node
			ELSE l.expires_at <= now() OR (l.expires_at IS NULL AND l.node = ANY (dead)) END
		RETURNING l.user_id, l.active_at
	)
	SELECT array_agg(g.user_id), array_agg(g.active_at) INTO whose, inputs FROM (
		SELECT g.user_id, max(g.active_at) AS active_at FROM gone g GROUP BY g.user_id) g;
	UPDATE presence_leases l SET active_at = t.at FROM unnest(whose, inputs) AS t(u, at)
	WHERE l.user_id = t.u AND l.active_at < t.at;
	inputs := ARRAY(SELECT CASE WHEN t.at > 'epoch' THEN t.at END FROM unnest(inputs) WITH ORDINALITY AS t(at, o) ORDER BY t.o);
END $$;

-- What a node says of users, one row for each: known: as presence_renew(). Ages and inputs are ms ago. ages: the input by which he
-- is online or away, -1 not known, -2 none; idles: 1 where that is to count though it is older than what was said before.
-- inputs: the last true one, -1 not known. ends: -1 while he is there, else in how many ms the lease ends; 0: at once.
-- Node 0 needs no renewal: each of its leases has an end.
CREATE OR REPLACE FUNCTION presence_write(in_node bigint, users bigint[], ages bigint[], inputs bigint[], idles bigint[], ends bigint[],
	lease_ms bigint, away_ms bigint)
RETURNS TABLE (known boolean, user_id bigint, changed boolean, away_in_ms bigint) LANGUAGE plpgsql VOLATILE AS $$
#variable_conflict use_column
DECLARE
	alive boolean := true;
BEGIN
	PERFORM presence_light();
	IF in_node <> 0 THEN
		PERFORM FROM presence_nodes n WHERE n.node = in_node AND n.expires_at > now() FOR KEY SHARE;
		alive := FOUND OR presence_renew(in_node, lease_ms);
	END IF;
	PERFORM presence_lock(users);
	PERFORM presence_drop(ARRAY(SELECT t.u FROM unnest(users, ends) AS t(u, e) WHERE t.e = 0), in_node, true, NULL);
	UPDATE presence_leases l SET expires_at = CASE WHEN t.e > 0 THEN now() + ms(t.e) END, active_at = CASE
			WHEN t.idle = 1 AND t.age >= 0 THEN now() - ms(t.age)
			WHEN t.idle = 1 THEN CASE WHEN l.active_at > 'epoch' THEN least(l.active_at, now() - ms(away_ms)) ELSE 'epoch' END
			WHEN t.age >= 0 THEN later_input(l.active_at, now() - ms(t.age))
			ELSE l.active_at END
	FROM unnest(users, ages, idles, ends) AS t(u, age, idle, e) WHERE l.user_id = t.u AND l.node = in_node AND t.e <> 0;
	INSERT INTO presence_leases (user_id, node, active_at, expires_at)
	SELECT t.u, in_node, CASE t.age WHEN -1 THEN '-infinity' WHEN -2 THEN 'epoch' ELSE now() - ms(t.age) END,
		CASE WHEN t.e > 0 THEN now() + ms(t.e) END
	FROM unnest(users, ages, ends) AS t(u, age, e)
	WHERE t.e <> 0 AND NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = t.u AND l.node = in_node);
	RETURN QUERY SELECT alive, p.user_id, p.changed, p.away_in_ms
	FROM presence_publish(users, ARRAY(SELECT CASE WHEN t.input >= 0 THEN now() - ms(t.input) END
		FROM unnest(inputs) WITH ORDINALITY AS t(input, o) ORDER BY t.o), lease_ms, away_ms) p;
END $$;

-- Looks for what has run out, of whichever node. Any number of processes may; one does at a time. gap_ms: where nobody has looked
-- for so long the database, or everyone, was away: then nobody is judged for a lease. whole: looks for those too
-- whom no lease speaks of any more. Returns how many users were looked at; max_users: come again at once.
CREATE OR REPLACE FUNCTION presence_sweep(each_ms bigint, gap_ms bigint, lease_ms bigint, away_ms bigint, whole boolean,
	max_users bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	watch presence_watch;
	dead bigint[];
	users bigint[];
	whose bigint[];
	inputs timestamptz[];
BEGIN
	PERFORM presence_light();
	INSERT INTO presence_watch (swept_at, judged_from) VALUES (now(), now() + ms(lease_ms)) ON CONFLICT DO NOTHING;
	SELECT * INTO watch FROM presence_watch FOR UPDATE SKIP LOCKED;
	IF NOT FOUND OR (watch.swept_at > now() - ms(each_ms) / 2 AND NOT whole) THEN
		RETURN 0; -- another one looks, or has just looked
	END IF;
	UPDATE presence_watch SET swept_at = now(), judged_from = CASE WHEN swept_at < now() - ms(gap_ms)
		THEN greatest(judged_from, now() + ms(lease_ms)) ELSE judged_from END;
	IF presence_held(lease_ms) THEN
		RETURN 0;
	END IF;
	SELECT array_agg(n.node) INTO dead FROM (
		SELECT n.node FROM presence_nodes n WHERE n.expires_at <= now() ORDER BY n.node FOR UPDATE SKIP LOCKED) n;
	IF whole THEN
		dead := dead || ARRAY(SELECT DISTINCT l.node FROM presence_leases l
			WHERE l.expires_at IS NULL AND NOT EXISTS (SELECT FROM presence_nodes n WHERE n.node = l.node));
	END IF;
	SELECT array_agg(c.user_id) INTO users FROM (
		SELECT l.user_id FROM presence_leases l WHERE l.node = ANY (dead) AND l.expires_at IS NULL
		UNION SELECT l.user_id FROM presence_leases l WHERE l.expires_at <= now()
		UNION SELECT p.user_id FROM presence p WHERE whole AND p.state <> 'offline'
			AND NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = p.user_id)
		LIMIT max_users) c;
	SELECT array_agg(p.user_id) INTO users FROM (
		SELECT p.user_id FROM presence p WHERE p.user_id = ANY (users) ORDER BY p.user_id FOR NO KEY UPDATE SKIP LOCKED) p;
	IF users IS NOT NULL THEN
		SELECT d.whose, d.inputs INTO whose, inputs FROM presence_drop(users, 0, false, dead) d;
		PERFORM presence_publish(users, ARRAY(SELECT t.input FROM unnest(users) WITH ORDINALITY AS a(u, o)
			LEFT JOIN unnest(whose, inputs) AS t(u, input) ON t.u = a.u ORDER BY a.o), lease_ms, away_ms);
	END IF;
	DELETE FROM presence_nodes n WHERE n.node = ANY (dead) AND NOT EXISTS (SELECT FROM presence_leases l WHERE l.node = n.node);
	RETURN coalesce(cardinality(users), 0);
END $$;

-- What an instance says by way of a process that does not hold it: input null: it has gone; else active or idle. The processes
-- that hold it hear it by the bus (kind b); node 0 is nobody's, so it is done here.
CREATE OR REPLACE FUNCTION presence_say(person bigint, instance uuid, input text, grace_ms bigint, lease_ms bigint, away_ms bigint)
RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM presence_light();
	PERFORM pg_notify('pulsechat', '0 b 0 0 ' || person || ' ' ||
		jsonb_strip_nulls(jsonb_build_object('instance', instance, 'input', input)));
	IF NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = person AND l.node = 0) THEN
		RETURN;
	END IF;
	PERFORM presence_lock(ARRAY[person]);
	UPDATE presence_leases l SET expires_at = CASE WHEN input IS NULL THEN least(l.expires_at, now() + ms(grace_ms)) ELSE l.expires_at END,
		active_at = CASE input WHEN 'active' THEN now()
			WHEN 'idle' THEN CASE WHEN l.active_at > 'epoch' THEN least(l.active_at, now() - ms(away_ms)) ELSE 'epoch' END
			ELSE l.active_at END
	WHERE l.user_id = person AND l.node = 0;
	PERFORM presence_publish(ARRAY[person], ARRAY[CASE WHEN input = 'active' THEN now() END], lease_ms, away_ms);
END $$;

-- A poll of a process that keeps nothing (CGI, or [api] poll = plain). ends_ms: in how long its lease ends. Where the last one
-- still speaks for him nothing is written.
CREATE OR REPLACE FUNCTION presence_polled(person bigint, active boolean, ends_ms bigint, lease_ms bigint, away_ms bigint) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF active OR NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = person AND l.node = 0
			AND l.expires_at > now() + ms(ends_ms) * 0.9)
		OR EXISTS (SELECT FROM presence p JOIN presence_now(ARRAY[person], lease_ms, away_ms) n ON n.user_id = p.user_id
			WHERE p.state <> n.state) THEN
		PERFORM presence_write(0, ARRAY[person], ARRAY[CASE WHEN active THEN 0 ELSE -1 END], ARRAY[CASE WHEN active THEN 0 ELSE -1 END],
			ARRAY[0], ARRAY[ends_ms], lease_ms, away_ms);
	END IF;
END $$;

-- He is nowhere any more, whatever processes say: a closed account.
CREATE OR REPLACE FUNCTION presence_gone(person bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	PERFORM presence_lock(ARRAY[person]);
	DELETE FROM presence_leases l WHERE l.user_id = person;
	PERFORM presence_publish(ARRAY[person], ARRAY[NULL::timestamptz], 0, 0);
END $$;

-- A session has ended. Processes drop by themselves what was there by it; node 0 knows no sessions, so its lease goes where no
-- other session was in use of late.
CREATE OR REPLACE FUNCTION presence_signed_out(person bigint, session bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = person AND l.node = 0) OR EXISTS (
		SELECT FROM sessions s WHERE s.user_id = person AND s.id <> session AND s.revoked_at IS NULL
			AND s.last_used_at > now() - interval '2 minutes') THEN
		RETURN;
	END IF;
	PERFORM presence_lock(ARRAY[person]);
	PERFORM presence_drop(ARRAY[person], 0, true, NULL);
	IF NOT EXISTS (SELECT FROM presence_leases l WHERE l.user_id = person) THEN
		PERFORM presence_publish(ARRAY[person], ARRAY[NULL::timestamptz], 0, 0);
	END IF;
END $$;

-- --- settings

-- Changes those that the patch names, and tells: others by presence, his own instances by the log. patch: dnd_until a time, forever
-- or null; status {"emoji","text","until"} or null. Returns the settings.
CREATE OR REPLACE FUNCTION settings_change(person bigint, patch jsonb, lease_ms bigint, away_ms bigint, receipts_max bigint DEFAULT 100)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	was user_settings;
	s user_settings;
	shown jsonb;
	own_only boolean;
BEGIN
	PERFORM presence_lock(ARRAY[person]);
	INSERT INTO user_settings (user_id) VALUES (person) ON CONFLICT DO NOTHING;
	SELECT * INTO was FROM user_settings t WHERE t.user_id = person FOR NO KEY UPDATE;
	SELECT presence_json(person, p.state, p.last_active, was, false) INTO shown FROM presence p WHERE p.user_id = person;
	s := was;
	IF patch ? 'invisible' THEN
		s.invisible := (patch->>'invisible')::boolean;
	END IF;
	IF patch ? 'read_receipts' THEN
		s.read_receipts := (patch->>'read_receipts')::boolean;
	END IF;
	IF patch ? 'dnd_until' THEN
		s.dnd_until := CASE WHEN patch->>'dnd_until' = 'forever' THEN 'infinity'
			WHEN (patch->>'dnd_until')::timestamptz > now() THEN (patch->>'dnd_until')::timestamptz END;
	END IF;
	IF patch ? 'status' THEN
		s.status_emoji := patch->'status'->>'emoji';
		s.status_text := coalesce(patch->'status'->>'text', '');
		s.status_until := CASE WHEN s.status_emoji IS NOT NULL OR s.status_text <> '' THEN (patch->'status'->>'until')::timestamptz END;
	END IF;
	IF s IS NOT DISTINCT FROM was THEN
		RETURN settings_json(s);
	END IF;
	IF s.invisible AND NOT was.invisible THEN -- what he shows stays as of now
		UPDATE presence p SET last_active = n.last_active FROM presence_now(ARRAY[person], lease_ms, away_ms) n
		WHERE p.user_id = person AND n.last_active > coalesce(p.last_active, '-infinity');
	END IF;
	UPDATE user_settings t SET version = t.version + 1, invisible = s.invisible, read_receipts = s.read_receipts, dnd_until = s.dnd_until,
		status_emoji = s.status_emoji, status_text = s.status_text, status_until = s.status_until
	WHERE t.user_id = person RETURNING * INTO s;
	IF s.read_receipts <> was.read_receipts THEN
		PERFORM read_marks_share(person, s.read_receipts, receipts_max);
	END IF;
	PERFORM presence_settle(ARRAY[person], ARRAY[NULL::timestamptz], lease_ms, away_ms);
	own_only := shown IS NOT DISTINCT FROM (SELECT presence_json(person, p.state, p.last_active, s, false) FROM presence p WHERE p.user_id = person);
	PERFORM presence_tell(CASE WHEN NOT own_only THEN ARRAY[person] END, ARRAY[person], lease_ms, away_ms);
	PERFORM emit_event('p', 'settings.updated', 0, person, person, jsonb_build_object('settings', settings_json(s)));
	RETURN settings_json(s);
END $$;

-- What has run out of statuses and do-not-disturb. Returns of how many people.
CREATE OR REPLACE FUNCTION settings_sweep(lease_ms bigint, away_ms bigint) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	people bigint[];
BEGIN
	SELECT array_agg(t.user_id) INTO people FROM (
		SELECT t.user_id FROM user_settings t WHERE t.status_until <= now() OR t.dnd_until <= now() LIMIT 200) t;
	IF people IS NULL THEN
		RETURN 0;
	END IF;
	PERFORM presence_lock(people);
	WITH ended AS (
		UPDATE user_settings t SET version = t.version + 1,
			dnd_until = CASE WHEN t.dnd_until > now() THEN t.dnd_until END,
			status_emoji = CASE WHEN t.status_until <= now() THEN NULL ELSE t.status_emoji END,
			status_text = CASE WHEN t.status_until <= now() THEN '' ELSE t.status_text END,
			status_until = CASE WHEN t.status_until > now() THEN t.status_until END
		WHERE t.user_id = ANY (people) AND (t.status_until <= now() OR t.dnd_until <= now())
		RETURNING t.user_id
	)
	SELECT array_agg(e.user_id) INTO people FROM ended e;
	IF people IS NULL THEN -- another process was quicker
		RETURN 0;
	END IF;
	PERFORM presence_tell(ARRAY(SELECT s.user_id FROM user_settings s WHERE s.user_id = ANY (people) AND NOT s.invisible), people,
		lease_ms, away_ms);
	PERFORM emit_events(array_agg('p'::"char"), array_agg('settings.updated'::text), array_agg(0::bigint), array_agg(s.user_id),
		array_agg(s.user_id), array_agg(NULL::jsonb), array_agg(substr(jsonb_build_object('settings', settings_json(s))::text, 2)))
	FROM user_settings s WHERE s.user_id = ANY (people);
	RETURN cardinality(people);
END $$;

-- An IANA name, or null. False where the server knows no such zone.
CREATE OR REPLACE FUNCTION user_time_zone(person bigint, zone text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	u users;
BEGIN
	IF zone IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names z WHERE z.name = zone AND zone !~ '^(posix|right)/') THEN
		RETURN false;
	END IF;
	UPDATE users t SET time_zone = zone, version = t.version + 1 WHERE t.id = person AND t.time_zone IS DISTINCT FROM zone RETURNING * INTO u;
	IF u.id IS NOT NULL THEN
		PERFORM people_told('p', 'user.updated', u);
	END IF;
	RETURN true;
END $$;
