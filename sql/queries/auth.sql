-- Sessions, personal access tokens, log-ins. Hashes come as hex: 64 characters.

-- What a credential's hash stands for. No row: unknown. state: live, ended (revoked, past its end, unused for too long) or
-- deactivated (the person). stale: session_touch is due.
-- name: session_find
-- in: secret_hash text
-- out: id int8, user_id int8, kind text, role text, can_read bool, can_write bool, expires_us int8, state text, stale bool, left_ms int8, can_admin bool
SELECT s.id, s.user_id, s.kind, u.role, 'read' = ANY (s.scopes) AS can_read, 'write' = ANY (s.scopes) AS can_write,
	(extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us,
	CASE WHEN u.deactivated_at IS NOT NULL THEN 'deactivated'
		WHEN s.revoked_at IS NOT NULL OR s.expires_at <= now() OR s.last_used_at + s.idle_limit <= now() THEN 'ended'
		ELSE 'live' END AS state,
	s.last_used_at < now() - least(interval '1 minute', s.idle_limit / 4) AS stale,
	ceil(extract(epoch FROM s.expires_at - now()) * 1000)::int8 AS left_ms,
	s.kind = 'session' OR 'admin' = ANY (s.scopes) AS can_admin
FROM sessions s JOIN users u ON u.id = s.user_id WHERE s.secret_hash = decode($1, 'hex');

-- Notes that a session is in use, at most once a minute and without waiting for another that does.
-- name: session_touch
-- in: session int8
UPDATE sessions SET last_used_at = now() WHERE id = (
	SELECT s.id FROM sessions s WHERE s.id = $1 AND s.last_used_at < now() - least(interval '1 minute', s.idle_limit / 4)
		AND s.revoked_at IS NULL AND (s.idle_limit IS NULL OR s.last_used_at + s.idle_limit > now())
	FOR NO KEY UPDATE SKIP LOCKED);

-- A browser session; no row where the person is deactivated.
-- name: session_create
-- in: secret_hash text, user_id int8, name text, issuer text, provider_sid text, absolute_ms int8, idle_ms int8
-- out: id int8, expires_us int8
INSERT INTO sessions (secret_hash, kind, user_id, name, scopes, issuer, provider_sid, expires_at, idle_limit)
SELECT decode($1, 'hex'), 'session', u.id, $3, ARRAY['read', 'write'], $4, $5, now() + $6::int8 * interval '1 millisecond',
	$7::int8 * interval '1 millisecond'
FROM users u WHERE u.id = $2 AND u.deactivated_at IS NULL
RETURNING id, (extract(epoch FROM expires_at) * 1000000)::int8 AS expires_us;

-- The same person signed in again in the same browser: the session goes on, so that other tabs' streams do.
-- name: session_renew
-- in: session int8, issuer text, provider_sid text, absolute_ms int8, idle_ms int8
-- out: id int8, expires_us int8
UPDATE sessions s SET last_used_at = now(), issuer = $2, provider_sid = $3, expires_at = now() + $4::int8 * interval '1 millisecond',
	idle_limit = $5::int8 * interval '1 millisecond'
WHERE s.id = $1 AND s.kind = 'session' AND s.revoked_at IS NULL
RETURNING s.id, (extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us;

-- Ends a session or token and its streams. false: there was none to end.
-- name: session_revoke
-- in: session int8
-- out: ended bool
SELECT session_revoke($1) AS ended;

-- A personal access token; no row where the person is deactivated or unknown. ttl_ms null: no end.
-- name: access_token_create
-- in: secret_hash text, user_id int8, name text, scopes text[], ttl_ms int8
-- out: id int8, expires_us int8
INSERT INTO sessions (secret_hash, kind, user_id, name, scopes, expires_at)
SELECT decode($1, 'hex'), 'token', u.id, $3, $4, now() + $5::int8 * interval '1 millisecond'
FROM users u WHERE u.id = $2 AND u.deactivated_at IS NULL
RETURNING id, (extract(epoch FROM expires_at) * 1000000)::int8 AS expires_us;

-- name: access_token_list
-- in: user_id int8
-- out: id int8, name text, scopes text, created_us int8, last_used_us int8, expires_us int8
SELECT s.id, s.name, array_to_string(s.scopes, ' ') AS scopes, (extract(epoch FROM s.created_at) * 1000000)::int8 AS created_us,
	(extract(epoch FROM s.last_used_at) * 1000000)::int8 AS last_used_us,
	(extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us
FROM sessions s WHERE s.user_id = $1 AND s.kind = 'token' AND s.revoked_at IS NULL ORDER BY s.id;

-- A log-in begins. Clears away up to 100 that nobody finished.
-- name: login_attempt_create
-- in: state_hash text, browser_hash text, nonce text, code_verifier text, return_to text, ttl_ms int8
WITH swept AS (
	DELETE FROM login_attempts WHERE state_hash IN (
		SELECT o.state_hash FROM login_attempts o WHERE o.expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED))
INSERT INTO login_attempts (state_hash, browser_hash, nonce, code_verifier, return_to, expires_at)
VALUES (decode($1, 'hex'), decode($2, 'hex'), $3, $4, $5, now() + $6::int8 * interval '1 millisecond');

-- The log-in that this state began, gone by this very look: nobody gets it twice.
-- name: login_attempt_take
-- in: state_hash text
-- out: browser_hash text, nonce text, code_verifier text, return_to text, fresh bool
DELETE FROM login_attempts a WHERE a.state_hash = decode($1, 'hex')
RETURNING encode(a.browser_hash, 'hex') AS browser_hash, a.nonce, a.code_verifier, a.return_to, a.expires_at > now() AS fresh;

-- The account of a verified (issuer, subject); null: deactivated.
-- name: login_user
-- in: issuer text, subject text, handle text, name text, picture text, email text, email_verified bool
-- out: user_id int8
WITH seen AS (UPDATE identities SET last_login_at = now() WHERE (issuer, subject) = ($1, $2))
SELECT user_for_identity($1, $2, $3, $4, $5, $6, $7) AS user_id;
