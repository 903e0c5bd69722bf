-- What the tests of sql/ share: a transaction that is rolled back at its end, people, channels, and a spy in the place of
-- pg_notify(), since a transaction does not hear its own notifications.
\set ON_ERROR_STOP 1
\set QUIET 1
BEGIN;
CREATE SCHEMA spy;
CREATE TABLE spy.notified (nth int GENERATED ALWAYS AS IDENTITY, payload text NOT NULL);
CREATE FUNCTION spy.pg_notify(channel text, payload text) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	IF channel <> 'pulsechat' OR octet_length(payload) >= 8000 THEN -- as PostgreSQL would
		RAISE EXCEPTION 'payload string too long, or a strange channel' USING ERRCODE = 'invalid_parameter_value';
	END IF;
	INSERT INTO spy.notified (payload) VALUES (payload);
END $$;
SET LOCAL search_path = spy, public, pg_catalog;

-- The lines of all payloads so far, taken out.
CREATE FUNCTION spy.lines() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	WITH taken AS (DELETE FROM spy.notified RETURNING nth, payload)
	SELECT l.line FROM taken t, regexp_split_to_table(t.payload, E'\n') WITH ORDINALITY AS l(line, ord) ORDER BY t.nth, l.ord
$$;
-- The same as `KIND CHANNEL AUDIENCE SUBJECT TYPE`; the id of the first is `head` + 1.
CREATE FUNCTION spy.routes() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	SELECT regexp_replace(l, '^[0-9]+ (. [-0-9]+ [-0-9]+ [-0-9]+)(?: \{"type": ?"([a-z._]+)".*)?$', '\1 \2') FROM spy.lines() l
$$;
CREATE FUNCTION spy.forget() RETURNS void LANGUAGE sql VOLATILE AS 'DELETE FROM spy.notified';

CREATE FUNCTION spy.uuid(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
	SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;
-- An item of write_batch, as lib/db/write_args.c sends it.
CREATE FUNCTION spy.item(channel bigint, sender bigint, client int, words text, epoch bigint DEFAULT NULL, kind text DEFAULT 's')
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('kind', kind, 'channel', channel, 'sender', sender, 'client', spy.uuid(client), 'epoch', epoch,
		'body', jsonb_build_object('text', words)::text)
$$;
-- Every fourth item ends a payload; the hints are right for some channels, too low for others, too high for others.
CREATE FUNCTION spy.batch_of(wait boolean, items jsonb, look boolean DEFAULT false)
RETURNS TABLE (status int, seq bigint, id bigint, event bigint, at_us bigint) LANGUAGE sql VOLATILE AS $$
	SELECT b.* FROM (
		SELECT array_agg(DISTINCT (i->>'channel')::bigint ORDER BY (i->>'channel')::bigint) AS list FROM jsonb_array_elements(items) i) c, (
		SELECT array_agg((i->>'kind')::"char" ORDER BY o) AS kinds, array_agg(room::int ORDER BY o) AS rooms, array_agg(nth::int ORDER BY o) AS nths,
			array_agg((i->>'sender')::bigint ORDER BY o) AS senders, array_agg((i->>'client')::uuid ORDER BY o) AS clients,
			array_agg(substring(sha256(convert_to(i->>'body', 'UTF8')) FOR 16) ORDER BY o) AS digests,
			array_agg((i->>'epoch')::bigint ORDER BY o) AS epochs, array_agg(i->>'body' ORDER BY o) AS bodies,
			array_agg('"sender":' || (i->>'sender') || ',"client_id":"' || (i->>'client') || '","version":1,"body":' ||
				(i->>'body') || '}' ORDER BY o) AS tails,
			array_agg(o::int ORDER BY o) FILTER (WHERE o % 4 = 0 OR o = jsonb_array_length(items)) AS ends
		FROM (
			SELECT i, o, dense_rank() OVER (ORDER BY (i->>'channel')::bigint) AS room,
				row_number() OVER (PARTITION BY (i->>'channel')::bigint ORDER BY o) AS nth
			FROM jsonb_array_elements(items) WITH ORDINALITY AS t(i, o)) i) a,
		write_batch(c.list, (SELECT array_agg((ARRAY[NULL, 0, 1, 1000000])[1 + n % 4]) FROM generate_series(1, cardinality(c.list)) n),
			a.kinds, a.rooms, a.nths, a.senders, a.clients, a.digests, a.epochs, a.bodies, a.tails, a.ends, look, wait) b
$$;
CREATE FUNCTION spy.batch(VARIADIC items jsonb[])
RETURNS TABLE (status int, seq bigint, id bigint, event bigint, at_us bigint) LANGUAGE sql VOLATILE AS $$
	SELECT * FROM spy.batch_of(false, to_jsonb(items))
$$;
-- True where the log since `head` is without a gap and each message of the channels has its event.
CREATE FUNCTION spy.log_is_whole() RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT (SELECT count(*) = coalesce(max(e.id) - min(e.id) + 1, 0) FROM events e) AND NOT EXISTS (
		SELECT FROM messages m WHERE (SELECT count(*) FROM events e
			WHERE e.kind = 'm' AND e.channel_id = m.channel_id AND e.subject = m.seq) <> 1)
$$;

SELECT stream_open() AS mark \gset
SELECT user_insert('t-alice', 'Alice', NULL, NULL, false, 'member') AS alice \gset
SELECT user_insert('t-bob', 'Bob', NULL, NULL, false, 'member') AS bob \gset
SELECT user_insert('t-carol', 'Carol', NULL, NULL, false, 'member') AS carol \gset
SELECT user_insert('t-root', 'Root', NULL, NULL, false, 'admin') AS root \gset
SELECT channel AS open FROM channel_create(:alice, 'public', 't-open', 'for all', ARRAY[:bob]) \gset
SELECT channel AS closed FROM channel_create(:alice, 'private', 't-closed', '', ARRAY[:bob]) \gset
SELECT stream_head() AS head, (SELECT coalesce(max(id), 0) FROM audit) AS noted \gset
SELECT spy.forget() \g /dev/null
