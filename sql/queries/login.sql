-- The provider's documents, invitations, passwords of local accounts. Hashes come as hex: 64 characters.

-- name: provider_document
-- in: issuer text, what text, have text, newer bool, hold_ms int8
-- out: verdict text, body text, left_ms int8
SELECT d.verdict, d.body, d.left_ms FROM provider_document($1, $2, $3, $4, $5) d;

-- name: provider_document_put
-- in: issuer text, what text, body text, age_ms int8
SELECT FROM provider_document_put($1, $2, $3, $4);

-- name: provider_document_fail
-- in: issuer text, what text
SELECT FROM provider_document_fail($1, $2);

-- A verified person of the provider comes in; outcome says how, or why not (sql/functions/55_login.sql).
-- name: login_user
-- in: issuer text, subject text, handle text, name text, picture text, email text, email_verified bool, group_role text, mode text
-- in: domains text[], invite_hash text, first bool
-- out: user_id int8, outcome text
SELECT s.user_id, s.outcome FROM user_sign_in($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) s;

-- 0 stands for none: any number of uses, no end. actor, admin, request, address: who acts and how (lib/chat/acting.h).
-- name: invite_create
-- in: actor int8, admin bool, request text, address text, code_hash text, note text, role text, max_uses int8, ttl_ms int8
-- out: id int8, invite text
SELECT i.id, invite_json(i)::text AS invite
FROM invite_make(acting_of($1, $2, $3, $4), decode($5, 'hex'), $6, $7, nullif($8::int8, 0)::int4,
	now() + nullif($9::int8, 0) * interval '1 millisecond') i;

-- Newest first.
-- name: invite_list
-- in: before int8, limit int8
-- out: invites text, next int8
SELECT '[' || coalesce(string_agg(invite_json(p.i)::text, ',' ORDER BY p.nth) FILTER (WHERE p.nth <= $2), '') || ']' AS invites,
	CASE WHEN count(*) > $2 THEN min((p.i).id) FILTER (WHERE p.nth = $2) END AS next
FROM (SELECT v AS i, row_number() OVER (ORDER BY v.id DESC) AS nth FROM invites v WHERE v.id < $1 ORDER BY v.id DESC LIMIT $2::int8 + 1) p;

-- For the pulsechat command.
-- name: invite_table
-- in: before int8, limit int8
-- out: id int8, state text, uses int8, max_uses int8, expires_us int8, role text, note text
SELECT v.id, invite_state(v) AS state, v.uses::int8 AS uses, v.max_uses::int8 AS max_uses,
	(extract(epoch FROM v.expires_at) * 1000000)::int8 AS expires_us, v.role, v.note
FROM invites v WHERE v.id < $1 ORDER BY v.id DESC LIMIT $2;

-- Again is harmless. False: there is none.
-- name: invite_revoke
-- in: actor int8, admin bool, request text, address text, invite int8
-- out: found bool
SELECT invite_withdraw(acting_of($1, $2, $3, $4), $5) AS found;

-- name: invite_look
-- in: code_hash text
-- out: state text
SELECT invite_state(v) AS state FROM (SELECT) one LEFT JOIN invites v ON v.code_hash = decode($1, 'hex');

-- name: password_try
-- in: name text
-- out: wait_ms int8
SELECT password_try($1) AS wait_ms;

-- name: password_succeeded
-- in: name text
DELETE FROM password_tries WHERE name_hash = sha256(convert_to($1, 'UTF8'));

-- No row: nobody of that handle has a password, or his account is closed, or a bot's.
-- name: password_find
-- in: handle text
-- out: user_id int8, hash text
SELECT p.user_id, p.hash FROM users u JOIN passwords p ON p.user_id = u.id WHERE u.handle = $1 AND u.deactivated_at IS NULL AND NOT u.bot;

-- The same password by today's cost.
-- name: password_rehash
-- in: user_id int8, old text, new text
UPDATE passwords SET hash = $3 WHERE user_id = $1 AND hash = $2;

-- False: a bot's account, which has none.
-- name: password_set
-- in: actor int8, admin bool, request text, address text, user_id int8, hash text, spared int8
-- out: done bool
SELECT password_set(acting_of($1, $2, $3, $4), $5, $6, $7) AS done;

-- Whether somebody signs in by a password of this site.
-- name: password_has
-- in: user_id int8
-- out: handle text, has bool
SELECT u.handle, p.user_id IS NOT NULL AS has FROM users u LEFT JOIN passwords p ON p.user_id = u.id WHERE u.id = $1;

-- Somebody comes by an invitation, with a password of this site.
-- name: user_join
-- in: invite_hash text, handle text, name text, hash text, first bool
-- out: user_id int8, outcome text
SELECT j.user_id, j.outcome FROM user_join($1, $2, $3, $4, $5) j;
