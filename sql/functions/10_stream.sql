-- The stream: epoch, sequencer, and the one function that emits events (doc/events.md).

-- Eight characters of base32 from 40 random bits.
CREATE OR REPLACE FUNCTION stream_new_mark() RETURNS text LANGUAGE sql VOLATILE AS $$
	-- bytes 6 and 8 of a random UUID are not all random: taken from its ends
	SELECT string_agg(substr('abcdefghijklmnopqrstuvwxyz234567', 1 + get_byte(b, i) % 32, 1), '')
	FROM (SELECT decode(replace(gen_random_uuid()::text, '-', ''), 'hex') AS b) r,
	     unnest(ARRAY[0, 1, 2, 3, 12, 13, 14, 15]) i
$$;

-- The mark to use now, drawn anew where this database is not the one it was drawn for: another cluster (dump and
-- reload), another timeline (recovery, promotion), another database (CREATE DATABASE ... TEMPLATE).
-- Called at each start and after each reconnect. force: draw anew in any case.
CREATE OR REPLACE FUNCTION stream_open(force boolean DEFAULT false) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	sysid bigint := (SELECT system_identifier FROM pg_control_system());
	tli text := substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
	dboid oid := (SELECT oid FROM pg_database WHERE datname = current_database());
	s stream;
BEGIN
	SELECT * INTO s FROM stream;
	IF NOT force AND s.mark IS NOT NULL AND (s.system_identifier, s.timeline, s.database_oid) = (sysid, tli, dboid) THEN
		RETURN s.mark;
	END IF;
	LOCK TABLE stream IN SHARE ROW EXCLUSIVE MODE;
	SELECT * INTO s FROM stream; -- another process may have drawn it meanwhile
	IF s.mark IS NULL THEN
		INSERT INTO stream (mark, system_identifier, timeline, database_oid)
		VALUES (stream_new_mark(), sysid, tli, dboid) RETURNING * INTO s;
	ELSIF force OR (s.system_identifier, s.timeline, s.database_oid) <> (sysid, tli, dboid) THEN
		UPDATE stream SET mark = stream_new_mark(), system_identifier = sysid, timeline = tli, database_oid = dboid
		RETURNING * INTO s;
	END IF;
	RETURN s.mark;
END $$;

-- A new mark in place of one that has been found false; harmless where another process has drawn it already.
CREATE OR REPLACE FUNCTION stream_renew(stale text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
	LOCK TABLE stream IN SHARE ROW EXCLUSIVE MODE;
	RETURN stream_open((SELECT s.mark = stale FROM stream s));
END $$;

-- Takes the sequencer until the transaction ends and returns the last event id. The lock and the look are two statements,
-- and read committed: under one snapshot for both, numbers would repeat.
CREATE OR REPLACE FUNCTION stream_head_locked() RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	head bigint;
BEGIN
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'events are emitted under read committed only' USING ERRCODE = 'invalid_transaction_state';
	END IF;
	PERFORM pg_advisory_xact_lock(8020600001);
	SELECT e.id INTO head FROM events e ORDER BY e.id DESC LIMIT 1;
	IF head IS NULL THEN
		SELECT s.floor INTO STRICT head FROM stream s;
	END IF;
	RETURN head;
END $$;

-- The last event id, for readers: one snapshot with the statement it stands in. In PL/pgSQL, as what follows, since that keeps its plans:
-- a function in SQL that is not inlined plans anew in each statement, which was half the time of a page of history.
CREATE OR REPLACE FUNCTION stream_head() RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN coalesce((SELECT e.id FROM events e ORDER BY e.id DESC LIMIT 1), (SELECT s.floor FROM stream s), 0);
END $$;

-- A cursor of the log's head, for answers: one snapshot with the statement it stands in.
CREATE OR REPLACE FUNCTION stream_cursor() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN (SELECT s.mark FROM stream s) || '.' || stream_head();
END $$;

-- A NOTIFY payload of whole lines; beyond what PostgreSQL takes (below 8,000 bytes) of ids only.
CREATE OR REPLACE FUNCTION stream_payload(whole text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE WHEN octet_length(whole) <= 7900 THEN whole
		ELSE regexp_replace(whole, '^(\S+) \S+ (\S+ \S+ \S+) .*$', '\1 f \2', 'gn') END
$$;

-- Appends events in the order of the arrays and rings the bell. Whatever makes an event calls this last of all (write_batch, which
-- makes one of a kind by the hundred, does the same by itself): nothing slow may stand between it and COMMIT.
-- Returns the id of the first; the others follow without a gap.
-- tails: the line after `{"type":…,"cursor":…,`, which must end the JSON object.
DROP FUNCTION IF EXISTS emit_events("char"[], text[], bigint[], bigint[], bigint[], jsonb[], text[], int[]);
CREATE OR REPLACE FUNCTION emit_events(kinds "char"[], types text[], channels bigint[], audiences bigint[],
	subjects bigint[], datas jsonb[], tails text[]) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	payload_max CONSTANT int := 7900; -- bytes
	head bigint;
	epoch text;
	room int := payload_max;
	piece int := 0;
	pieces int[]; -- which payload an event goes into
BEGIN
	FOR i IN 1 .. cardinality(kinds) LOOP
		room := room - octet_length(tails[i]) - 150;
		IF room < 0 THEN
			piece := piece + 1;
			room := payload_max - octet_length(tails[i]) - 150;
		END IF;
		pieces[i] := piece;
	END LOOP;
	SELECT s.mark INTO STRICT epoch FROM stream s;
	head := stream_head_locked();
	INSERT INTO events (id, kind, type, channel_id, audience, subject, data)
	SELECT head + t.ord, t.kind, t.type, t.channel, t.audience, t.subject, t.data
	FROM unnest(kinds, types, channels, audiences, subjects, datas) WITH ORDINALITY
		AS t(kind, type, channel, audience, subject, data, ord);
	PERFORM pg_notify('pulsechat', stream_payload(p.whole))
	FROM (
		SELECT string_agg(l.route || ' ' || l.kind || ' ' || l.channel || ' ' || l.audience || ' ' || l.subject ||
			' {"type":"' || l.type || '","cursor":"' || epoch || '.' || l.route || '",' || l.tail, E'\n' ORDER BY l.ord) AS whole
		FROM (
			SELECT t.ord, t.kind::text, t.type, t.channel, t.audience, t.subject, t.tail, t.piece, (head + t.ord)::text AS route
			FROM unnest(kinds, types, channels, audiences, subjects, tails, pieces) WITH ORDINALITY
				AS t(kind, type, channel, audience, subject, tail, piece, ord)
		) l
		GROUP BY l.piece ORDER BY l.piece
	) p;
	RETURN head + 1;
END $$;

-- One event, for those who make one.
CREATE OR REPLACE FUNCTION emit_event(kind "char", type text, channel bigint, audience bigint, subject bigint, tail jsonb,
	data jsonb DEFAULT NULL) RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT emit_events(ARRAY[kind], ARRAY[type], ARRAY[channel], ARRAY[audience], ARRAY[subject], ARRAY[data],
		ARRAY[substr(tail::text, 2)])
$$;

-- Events that take the place of messages' former lines, one each, in the order of the arrays; none is fine.
CREATE OR REPLACE FUNCTION emit_replaced(type text, channels bigint[], seqs bigint[], tails text[]) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	n CONSTANT int := cardinality(seqs);
BEGIN
	IF n > 0 THEN
		PERFORM emit_events(array_fill('r'::"char", ARRAY[n]), array_fill(type, ARRAY[n]), channels, array_fill(0::bigint, ARRAY[n]), seqs,
			array_fill(NULL::jsonb, ARRAY[n]), tails);
	END IF;
END $$;

-- A state event: no id, not stored, to one user's instances. The latest wins.
CREATE OR REPLACE FUNCTION notify_state(audience bigint, line jsonb) RETURNS void LANGUAGE sql VOLATILE AS $$
	SELECT pg_notify('pulsechat', '0 s 0 ' || audience || ' 0 ' || line::text)
$$;

-- How many partitions of the log are wholly free above the one that the next event goes into. -1: there is none for it, sends fail.
CREATE OR REPLACE FUNCTION events_spare() RETURNS int LANGUAGE sql STABLE AS $$
	SELECT (count(*) - 1)::int
	FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
	WHERE i.inhparent = 'events'::regclass AND substring(c.relname FROM '^events_([0-9]+)$')::bigint > stream_head()
$$;

-- Partitions of the log: few and large, made ahead by LIKE and ATTACH, which hold nobody up. Returns how many are spare then.
CREATE OR REPLACE FUNCTION events_extend(partition_size bigint DEFAULT 4000000, ahead int DEFAULT 2) RETURNS int
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	top bigint;
	name text;
	spare int;
BEGIN
	PERFORM pg_advisory_xact_lock(8020600002);
	LOOP
		spare := events_spare();
		EXIT WHEN spare >= ahead;
		SELECT greatest(coalesce(max(substring(c.relname FROM '^events_([0-9]+)$')::bigint), 0),
			stream_head() / partition_size * partition_size) INTO top
		FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass;
		name := 'events_' || (top + partition_size);
		EXECUTE format('CREATE TABLE IF NOT EXISTS %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)', name);
		-- from 1: id 0 is what state events bear
		EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, top + 1, top + partition_size + 1);
	END LOOP;
	RETURN spare;
END $$;
