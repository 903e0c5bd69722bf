-- Sessions that get a new secret, programs' accounts, back-channel logout.

-- The secret that a session had before its last log-in, for requests that were under way just then.
ALTER TABLE sessions ADD former_hash bytea CHECK (length(former_hash) = 32), ADD former_until timestamptz;
CREATE INDEX sessions_former_hash_idx ON sessions (former_hash) WHERE former_hash IS NOT NULL;

-- access: a provider's own access token (RFC 9068) that was verified; its hash stands for it until its end.
ALTER TABLE sessions DROP CONSTRAINT sessions_kind_check;
ALTER TABLE sessions ADD CONSTRAINT sessions_kind_check CHECK (kind IN ('session', 'token', 'access'));

-- A program's account: nobody signs in to it, it acts by its tokens alone.
ALTER TABLE users ADD bot boolean NOT NULL DEFAULT false;

-- Logout tokens that were acted upon: none counts twice.
CREATE TABLE logout_tokens (
	issuer text NOT NULL,
	jti text NOT NULL CHECK (length(jti) BETWEEN 1 AND 255),
	expires_at timestamptz NOT NULL,
	PRIMARY KEY (issuer, jti)
);
CREATE INDEX logout_tokens_expires_at_idx ON logout_tokens (expires_at);
