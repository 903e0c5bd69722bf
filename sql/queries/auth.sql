-- Sessions, personal access tokens, log-ins. Hashes come as hex: 64 characters.

-- What a credential's hash stands for. No row: unknown. state: live, ended (revoked, past its end, unused for too long) or
-- deactivated (the person). stale: session_touch is due. A session answers to the secret that it had before for half a minute more.
-- name: session_find
-- in: secret_hash text
-- out: id int8, user_id int8, kind text, role text, reads bool, writes bool, expires_us int8, state text, stale bool, left_ms int8, files bool, admin bool
-- out: by_provider bool
SELECT s.id, s.user_id, s.kind, u.role, 'read' = ANY (s.scopes) AS reads, 'write' = ANY (s.scopes) AS writes,
	(extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us,
	CASE WHEN u.deactivated_at IS NOT NULL THEN 'deactivated'
		WHEN s.revoked_at IS NOT NULL OR s.expires_at <= now() OR s.last_used_at + s.idle_limit <= now() THEN 'ended'
		ELSE 'live' END AS state,
	s.last_used_at < now() - least(interval '1 minute', s.idle_limit / 4) OR (s.kind = 'token' AND s.last_used_at = s.created_at) AS stale,
	ceil(extract(epoch FROM s.expires_at - now()) * 1000)::int8 AS left_ms,
	s.kind = 'session' OR 'files' = ANY (s.scopes) AS files, s.kind = 'session' OR 'admin' = ANY (s.scopes) AS admin,
	s.issuer IS NOT NULL AS by_provider
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.secret_hash = decode($1, 'hex') OR (s.former_hash = decode($1, 'hex') AND s.former_until > now());

-- Notes that a session is in use, at most once a minute and without waiting for another that does.
-- name: session_touch
-- in: session int8
UPDATE sessions SET last_used_at = now() WHERE id = (
	SELECT s.id FROM sessions s WHERE s.id = $1
		AND (s.last_used_at < now() - least(interval '1 minute', s.idle_limit / 4) OR (s.kind = 'token' AND s.last_used_at = s.created_at))
		AND s.revoked_at IS NULL AND (s.idle_limit IS NULL OR s.last_used_at + s.idle_limit > now())
	FOR NO KEY UPDATE SKIP LOCKED);

-- A browser session; no row where the person is deactivated. issuer null: by a password of this site.
-- name: session_create
-- in: secret_hash text, user_id int8, name text, issuer text, provider_sid text, absolute_ms int8, idle_ms int8
-- out: id int8, expires_us int8
INSERT INTO sessions (secret_hash, kind, user_id, name, scopes, issuer, provider_sid, expires_at, idle_limit)
SELECT decode($1, 'hex'), 'session', u.id, $3, ARRAY['read', 'write'], $4, $5, now() + $6::int8 * interval '1 millisecond',
	$7::int8 * interval '1 millisecond'
FROM users u WHERE u.id = $2 AND u.deactivated_at IS NULL
RETURNING id, (extract(epoch FROM expires_at) * 1000000)::int8 AS expires_us;

-- The same person signed in again in the same browser: the session goes on, so that other tabs' streams do, under a new secret. No row
-- where it has ended, or has got a new one by another log-in just now.
-- name: session_renew
-- in: session int8, issuer text, provider_sid text, absolute_ms int8, idle_ms int8, old_hash text, new_hash text
-- out: id int8, expires_us int8
UPDATE sessions s SET last_used_at = now(), issuer = $2, provider_sid = $3, expires_at = now() + $4::int8 * interval '1 millisecond',
	idle_limit = $5::int8 * interval '1 millisecond', secret_hash = decode($7, 'hex'), former_hash = s.secret_hash,
	former_until = now() + interval '30 seconds'
WHERE s.id = $1 AND s.kind = 'session' AND s.revoked_at IS NULL AND s.secret_hash = decode($6, 'hex')
RETURNING s.id, (extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us;

-- Ends a session or token and its streams. false: there was none to end.
-- name: session_revoke
-- in: session int8
-- out: ended bool
SELECT session_revoke($1) AS ended;

-- A person's browser sessions, the one that was used last at first. agent: what the browser said it was.
-- name: session_list
-- in: user_id int8
-- out: id int8, agent text, created_us int8, last_used_us int8, expires_us int8
SELECT s.id, s.name AS agent, (extract(epoch FROM s.created_at) * 1000000)::int8 AS created_us,
	(extract(epoch FROM s.last_used_at) * 1000000)::int8 AS last_used_us,
	(extract(epoch FROM least(s.expires_at, s.last_used_at + s.idle_limit)) * 1000000)::int8 AS expires_us
FROM sessions s WHERE s.user_id = $1 AND s.kind = 'session' AND session_live(s) ORDER BY s.last_used_at DESC, s.id DESC LIMIT 200;

-- Ends a session or token of somebody (0: of whomever) of a kind (null: any). null: there is none; false: it had ended already.
-- name: session_end
-- in: actor int8, admin bool, request text, address text, session int8, user_id int8, kind text
-- out: ended bool
SELECT session_end(acting_of($1, $2, $3, $4), $5, $6, $7) AS ended;

-- Ends all of a person's sessions but one.
-- name: session_revoke_others
-- in: user_id int8, spared int8
-- out: ended int8
SELECT sessions_revoke_others($1, $2) AS ended;

-- The provider says that someone has signed out. ended null: this token was here before.
-- name: session_backchannel_logout
-- in: issuer text, jti text, until_s int8, sid text, subject text
-- out: ended int8
SELECT backchannel_logout($1, $2, $3, $4, $5) AS ended;

-- A personal access token; no row where the person is deactivated or unknown. ttl_ms null: no end. id null: he has `most` of them.
-- name: access_token_create
-- in: actor int8, admin bool, request text, address text, secret_hash text, user_id int8, name text, scopes text[], ttl_ms int8, most int8
-- out: id int8
SELECT access_token_insert(acting_of($1, $2, $3, $4), decode($5, 'hex'), u.id, $7, $8, now() + $9::int8 * interval '1 millisecond', $10) AS id
FROM users u WHERE u.id = $6 AND u.deactivated_at IS NULL;

-- A provider's access token that was found good. known false: its subject has no account. Twice is once.
-- name: access_admit
-- in: secret_hash text, issuer text, subject text, client text, scopes text[], until_s int8
-- out: known bool
WITH who AS (SELECT i.user_id FROM identities i WHERE (i.issuer, i.subject) = ($2, $3)),
	made AS (
		INSERT INTO sessions (secret_hash, kind, user_id, name, scopes, issuer, expires_at)
		SELECT decode($1, 'hex'), 'access', w.user_id, $4, $5, $2, to_timestamp($6::int8) FROM who w
		ON CONFLICT (secret_hash) DO NOTHING)
SELECT EXISTS (SELECT FROM who) AS known;

-- A person's live tokens. last_used_us null: never used.
-- name: access_token_list
-- in: user_id int8
-- out: id int8, name text, scopes text, created_us int8, last_used_us int8, expires_us int8
SELECT s.id, s.name, array_to_string(s.scopes, ' ') AS scopes, (extract(epoch FROM s.created_at) * 1000000)::int8 AS created_us,
	CASE WHEN s.last_used_at > s.created_at THEN (extract(epoch FROM s.last_used_at) * 1000000)::int8 END AS last_used_us,
	(extract(epoch FROM s.expires_at) * 1000000)::int8 AS expires_us
FROM sessions s WHERE s.user_id = $1 AND s.kind = 'token' AND session_live(s) ORDER BY s.id;

-- A log-in begins. Clears away up to 100 that nobody finished, and those of this browser beyond the newest 31: whoever opens it on a
-- hundred tabs, or makes a page do so, keeps the table small.
-- name: login_attempt_create
-- in: state_hash text, browser_hash text, nonce text, code_verifier text, return_to text, ttl_ms int8, invite_hash text
WITH swept AS (
	DELETE FROM login_attempts WHERE state_hash IN (
		SELECT o.state_hash FROM login_attempts o WHERE o.expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)),
crowded AS (
	DELETE FROM login_attempts WHERE state_hash IN (
		SELECT o.state_hash FROM login_attempts o WHERE o.browser_hash = decode($2, 'hex') AND o.expires_at > now()
		ORDER BY o.expires_at DESC OFFSET 31))
INSERT INTO login_attempts (state_hash, browser_hash, nonce, code_verifier, return_to, expires_at, invite_hash)
VALUES (decode($1, 'hex'), decode($2, 'hex'), $3, $4, $5, now() + $6::int8 * interval '1 millisecond', decode($7, 'hex'));

-- The log-in that this state began, gone by this very look: nobody gets it twice.
-- name: login_attempt_take
-- in: state_hash text
-- out: browser_hash text, nonce text, code_verifier text, return_to text, fresh bool, invite_hash text
DELETE FROM login_attempts a WHERE a.state_hash = decode($1, 'hex')
RETURNING encode(a.browser_hash, 'hex') AS browser_hash, a.nonce, a.code_verifier, a.return_to, a.expires_at > now() AS fresh,
	encode(a.invite_hash, 'hex') AS invite_hash;
