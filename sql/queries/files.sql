-- Uploads and files (sql/functions/80_files.sql).

-- client: 16 bytes as hex. sha256 in hex, null: in parts. duration: a number as text. thumbnail_of, width, height 0 or null: none.
-- name: upload_begin
-- in: owner int8, client text, channel int8, thumbnail_of int8, name text, size int8, type text, sha256 text, width int8, height int8
-- in: duration text, key text, part_size int8, quota_user int8, quota_day int8, put_ms int8
-- out: code text, upload int8, retry_s int8
SELECT code, upload, retry_s FROM upload_begin($1, $2::text::uuid, $3, $4, $5, $6, $7, decode($8, 'hex'), nullif($9::int8, 0)::int4,
	nullif($10::int8, 0)::int4, $11::text::float8, $12, nullif($13::int8, 0), $14, $15, $16);

-- One's own upload; put_ms not 0: it gets an address that holds for so long, where it is pending.
-- name: upload_get
-- in: owner int8, upload int8, put_ms int8
-- out: id int8, client_id text, state text, channel int8, file text, key text, type text, size int8, sha256 text, upload_id text, part_size int8, seq int8
WITH signed AS (
	UPDATE files f SET put_until = greatest(f.put_until, clock_timestamp() + $3::int8 * interval '1 millisecond')
	WHERE f.id = $2 AND f.owner = $1 AND f.state = 'pending' AND $3::int8 > 0 RETURNING f.id
)
SELECT f.id, f.client_id::text AS client_id, f.state, f.channel_id AS channel, file_json(f)::text AS file, f.key, f.declared_type AS type, f.size,
	encode(f.sha256, 'hex') AS sha256, f.upload_id, f.part_size, f.seq
FROM files f LEFT JOIN signed s ON true WHERE f.id = $2 AND f.owner = $1;

-- The store's id of its multipart upload, where it has none yet; no row where it has, or does not want one any more.
-- name: upload_multipart
-- in: upload int8, upload_id text
-- out: upload int8
UPDATE files f SET upload_id = $2 WHERE f.id = $1 AND f.upload_id IS NULL AND f.state = 'pending' RETURNING f.id AS upload;

-- name: upload_parts
-- in: owner int8, upload int8, numbers int8[], sizes int8[], hashes text[]
-- out: code text
SELECT upload_parts($1, $2, $3, $4, $5) AS code;

-- name: upload_part_list
-- in: upload int8
-- out: number int4, size int8, sha256 text
SELECT p.number, p.size, encode(p.sha256, 'hex') AS sha256 FROM file_parts p WHERE p.file_id = $1 ORDER BY p.number;

-- name: upload_check_begin
-- in: owner int8, upload int8, lease_ms int8
-- out: code text, checks int4
SELECT code, checks FROM upload_check_begin($1, $2, $3);

-- No row: the check is somebody else's now.
-- name: upload_check_renew
-- in: upload int8, checks int8, lease_ms int8
-- out: upload int8
UPDATE files f SET check_until = clock_timestamp() + $3::int8 * interval '1 millisecond'
WHERE f.id = $1 AND f.state = 'checking' AND f.checks = $2::int8 RETURNING f.id AS upload;

-- name: upload_check_end
-- in: upload int8, checks int8, state text, type text, differs text
-- out: ended bool
SELECT upload_check_end($1, $2::int8::int4, $3, $4, $5) AS ended;

-- A file that somebody may have: of a message that he may see, or forwarded with one, his own before it is in one, an emoji's, or that
-- of a person whom he knows (steady: these two).
-- name: file_get
-- in: reader int8, file int8
-- out: key text, name text, type text, steady bool
SELECT f.key, f.name, f.type, file_is_picture(f.state) AS steady FROM files f
WHERE f.id = $2 AND (f.state = 'emoji' OR (f.state = 'profile' AND knows_person($1, f.owner))
	OR (f.state = 'ready' AND f.owner = $1) OR (f.state = 'attached' AND EXISTS (
	SELECT FROM members m WHERE m.channel_id = f.channel_id AND m.user_id = $1 AND m.first_seq <= f.seq
	UNION ALL SELECT FROM file_copies c JOIN members m ON m.channel_id = c.channel_id AND m.user_id = $1 AND m.first_seq <= c.seq
	WHERE c.file_id = f.id)));

-- Columns as message_delete; channel_id null: it is in no message.
-- name: file_erase
-- in: actor int8, admin bool, request text, address text, file int8, loose bool
-- out: code text
-- out: channel_id int8, seq int8, id int8, sender int8, client_id uuid, created_us int8, version int8, body jsonb, edited_us int8, deleted_by int8
-- out: reactions jsonb, reactions_version int8, thread int8, aside bool, replies jsonb
SELECT d.code, d.channel_id, d.seq, d.id, d.sender, d.client_id, d.created_us, d.version, d.body, d.edited_us, d.deleted_by,
	re.list AS reactions, re.version AS reactions_version, m.thread, m.aside,
	CASE WHEN t.root IS NOT NULL THEN replies_json(t) END AS replies
FROM file_erase(acting_of($1, $2, $3, $4), $5, $6) d
LEFT JOIN messages m ON m.channel_id = d.channel_id AND m.seq = d.seq
LEFT JOIN message_reactions re ON re.channel_id = d.channel_id AND re.seq = d.seq
LEFT JOIN threads t ON t.channel_id = d.channel_id AND t.root = d.seq;

-- name: files_erase_some
-- in: actor int8, admin bool, request text, address text, person int8, most int8
-- out: code text, erased int4
SELECT code, erased FROM files_erase_some(acting_of($1, $2, $3, $4), $5, $6::int8::int4);

-- A person's files, newest first, before an id, without thumbnails; bytes: of all that he has. found: there is such a person.
-- name: file_list
-- in: person int8, before int8, limit int8
-- out: cursor text, files text, next int8, bytes int8, found bool
SELECT stream_cursor() AS cursor, '[' || coalesce(string_agg(jsonb_build_object('file', file_json(p.file), 'state', (p.file).state,
		'channel', (p.file).channel_id, 'seq', (p.file).seq, 'created_at', time_text((p.file).created_at))::text, ',' ORDER BY p.nth)
		FILTER (WHERE p.nth <= $3), '') || ']' AS files,
	CASE WHEN count(*) > $3 THEN min((p.file).id) FILTER (WHERE p.nth <= $3) END AS next,
	(SELECT coalesce(sum(f.size), 0) FROM files f WHERE f.owner = $1 AND f.state <> 'erased' AND NOT file_is_picture(f.state))::int8 AS bytes,
	EXISTS (SELECT FROM users u WHERE u.id = $1) AS found
FROM (
	SELECT f AS file, row_number() OVER (ORDER BY f.id DESC) AS nth FROM files f
	WHERE f.owner = $1 AND f.id < $2 AND f.state <> 'erased' AND NOT file_is_picture(f.state) AND f.thumbnail_of IS NULL
	ORDER BY f.id DESC LIMIT $3::int8 + 1
) p;

-- The files of a channel that the reader may see, with what access.c judges by. which: images, others, all.
-- name: channel_files
-- in: channel int8, reader int8, before int8, limit int8, which text
-- out: kind text, archived bool, role text, cursor text, files text, next int8
SELECT kind_for(c.kind, r.role, $2) AS kind, c.archived_at IS NOT NULL AS archived, r.role, stream_cursor() AS cursor, p.files, p.next
FROM channels c LEFT JOIN members r ON r.channel_id = c.id AND r.user_id = $2
LEFT JOIN LATERAL channel_files(c.id, r.first_seq, $3, $4,
	CASE $5 WHEN 'images' THEN '{t}' WHEN 'others' THEN '{f}' ELSE '{t,f}' END::bool[]) p ON r.user_id IS NOT NULL
WHERE c.id = $1;

-- name: files_collect
-- in: unattached_ms int8, most int8
-- out: erased int4
SELECT files_collect($1, $2::int8::int4) AS erased;

-- name: copies_settle
-- in: most int8
-- out: settled int4
SELECT copies_settle($1::int8::int4) AS settled;

-- name: files_due
-- in: pause_ms int8, most int8
-- out: file int8, key text, upload_id text
SELECT file, key, upload_id FROM files_due($1, $2::int8::int4);

-- name: files_deleted
-- in: file int8
-- out: done text
SELECT files_deleted($1)::text AS done;

-- name: files_forget
-- out: forgotten int8
SELECT files_forget() AS forgotten;
