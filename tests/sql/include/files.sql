-- Uploads that are ready, and messages that bear them.

-- An upload of 100 bytes; client: which one.
CREATE FUNCTION spy.begin(who bigint, place bigint, client int, bytes bigint DEFAULT 100, thumb bigint DEFAULT 0, quota_all bigint DEFAULT 0,
	quota_day bigint DEFAULT 0, OUT code text, OUT upload bigint, OUT retry_s bigint) LANGUAGE sql VOLATILE AS $$
	SELECT code, upload, retry_s FROM upload_begin(who, spy.uuid(client), place, thumb, 'a.png', bytes, 'image/png', sha256('x'), 3, 2, NULL,
		'files/aa/' || who || '-' || client, NULL, quota_all, quota_day, 3600000)
$$;
CREATE FUNCTION spy.made(who bigint, place bigint, client int, thumb bigint DEFAULT 0) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	b record := spy.begin(who, place, client, thumb => thumb);
	c record := upload_check_begin(who, b.upload, 60000);
BEGIN
	PERFORM upload_check_end(b.upload, c.checks, 'ready', 'image/png', NULL);
	RETURN b.upload;
END $$;
-- A message that bears files, as write_batch gets it from lib/db/write_args.c; root: it replies to that in its thread alone.
CREATE FUNCTION spy.bear(who bigint, place bigint, client int, bears bigint[], root bigint DEFAULT NULL)
RETURNS TABLE (status int, seq bigint, event bigint) LANGUAGE sql VOLATILE AS $$
	SELECT b.status, b.seq, b.event FROM write_batch(ARRAY[place], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who],
		ARRAY[spy.uuid(client)], ARRAY[substring(sha256(convert_to(bears::text, 'UTF8')) FOR 16)], ARRAY[NULL::bigint],
		ARRAY['{"text":"é"}'], ARRAY['"sender":' || who || ',"version":1,"body":{"text":"é"}}'], ARRAY[1], false, false, NULL, NULL,
		array_fill(1, ARRAY[cardinality(bears)]), bears,
		CASE WHEN root IS NOT NULL THEN ARRAY[1] END, CASE WHEN root IS NOT NULL THEN ARRAY[root] END) b
$$;
CREATE FUNCTION spy.post(who bigint, place bigint, client int, VARIADIC bears bigint[])
RETURNS TABLE (status int, seq bigint, event bigint) LANGUAGE sql VOLATILE AS 'SELECT * FROM spy.bear(who, place, client, bears)';
