-- Signing in: who gets an account, invitations, roles by groups, the provider's documents, tries at passwords.
\ir include/site.sql
SELECT * FROM no_plan();

-- One log-in as lib/auth/login.c asks for it.
CREATE FUNCTION spy.come(sub text, mode text DEFAULT 'open', email text DEFAULT NULL, verified boolean DEFAULT false, invite text DEFAULT NULL,
	group_role text DEFAULT NULL, first boolean DEFAULT true) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	s record;
BEGIN
	SELECT * INTO s FROM user_sign_in('https://idp.test', sub, 't-' || sub, 'Name of ' || sub, NULL, email, verified, group_role, mode,
		'{example.org,corp.example}', encode(sha256(convert_to(invite, 'UTF8')), 'hex'), first);
	RETURN s.outcome || coalesce(' ' || (SELECT u.role FROM users u WHERE u.id = s.user_id), '');
END $$;
-- The last line of the audit log, people without the t- of their handles.
CREATE FUNCTION spy.audited() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT a.action || ' ' || substr(x.handle, 3) || ' ' || substr(y.handle, 3) || ' ' || a.details
	FROM audit a LEFT JOIN users x ON x.id = a.actor LEFT JOIN users y ON y.id = a.target ORDER BY a.id DESC LIMIT 1
$$;
-- Nobody is owner or admin, as on a new site.
UPDATE users SET role = 'member';

SELECT is(spy.come('one', 'invite'), 'in owner', 'the first person of a site is its owner, however registration is set');
SELECT is(spy.audited(), 'user.role one one {"by": "first", "to": "owner"}', 'which the audit log keeps');
SELECT is(spy.come('two'), 'in member', 'the second is not');
SELECT is((SELECT count(*)::int FROM audit WHERE id > :noted), 1, 'nor is an ordinary person''s coming kept there');
UPDATE users SET role = 'member';
SELECT is(spy.come('three', first => false), 'in member', 'nor the first where that is switched off');
SELECT is(spy.come('two'), 'in member', 'nor one who was there before');
UPDATE users SET role = 'owner' WHERE handle = 't-one';
SELECT ok(last_login_at IS NOT NULL, 'the log-in is noted') FROM identities WHERE subject = 'two';

-- by invitation
INSERT INTO invites (code_hash, max_uses, role) VALUES (sha256('twice'), 2, 'member'), (sha256('guests'), NULL, 'guest');
INSERT INTO invites (code_hash, expires_at) VALUES (sha256('late'), now() - interval '1 s');
INSERT INTO invites (code_hash, revoked_at) VALUES (sha256('taken back'), now());
SELECT is(spy.come('i1', 'invite'), 'invite_needed', 'by invitation alone');
SELECT is(spy.come('i1', 'invite', invite => 'never made'), 'invite_unknown', 'by one that exists');
SELECT is(spy.come('i1', 'invite', invite => 'late'), 'invite_expired', 'that has not expired');
SELECT is(spy.come('i1', 'invite', invite => 'taken back'), 'invite_revoked', 'nor was taken back');
SELECT is((SELECT count(*)::int FROM identities WHERE subject = 'i1'), 0, 'and whoever is refused leaves nothing behind');
SELECT is(spy.come('i1', 'invite', invite => 'twice'), 'in member', 'the first by it');
SELECT is(spy.come('i1', 'invite', invite => 'twice'), 'in member', 'who comes again');
SELECT is((SELECT uses FROM invites WHERE code_hash = sha256('twice')), 1, 'does not use it again');
SELECT is(spy.come('i1', 'invite'), 'in member', 'nor needs it');
SELECT is(spy.come('i2', 'invite', invite => 'twice'), 'in member', 'the second');
SELECT is(spy.come('i3', 'invite', invite => 'twice'), 'invite_used_up', 'there is no third');
SELECT is(spy.come('i3', 'open', invite => 'twice'), 'in member', 'but on an open site nobody needs one');
SELECT is(spy.come('i4', 'domains', invite => 'guests'), 'in guest', 'an invitation may be for guests, and goes before domains');
SELECT is((SELECT i.code_hash FROM users u JOIN invites i ON i.id = u.invite_id WHERE u.handle = 't-i4'), sha256('guests'),
	'by which one he came is kept');

-- making and withdrawing them
SELECT (invite_make(acting_of(:root, true, 'r1', '192.0.2.7'), sha256('made'), 'choir', 'guest', 3, '2099-01-01T00:00:00Z')).id AS made \gset
SELECT is((SELECT (actor, action, target, details, request_id, address) FROM audit ORDER BY id DESC LIMIT 1), (:root::bigint,
	'invite.created'::text, NULL::bigint,
	format('{"invite": %s, "role": "guest", "max_uses": 3, "note": "choir", "expires_at": "2099-01-01T00:00:00.000Z"}', :made)::jsonb, 'r1'::text,
	'192.0.2.7'::text), 'an invitation is kept in the audit log, without its code');
SELECT is((SELECT created_by FROM invites WHERE id = :made), :root::bigint, 'and who made it');
SELECT ok(invite_withdraw(acting_of(0, true, NULL, NULL), :made), 'it is withdrawn');
SELECT is((SELECT (actor IS NULL, action, details) FROM audit ORDER BY id DESC LIMIT 1), (true, 'invite.revoked'::text, format('{"invite": %s}', :made)::jsonb),
	'which is kept');
SELECT count(*) AS kept FROM audit \gset
SELECT ok(invite_withdraw(acting_of(0, true, NULL, NULL), :made), 'again is harmless');
SELECT ok(NOT invite_withdraw(acting_of(0, true, NULL, NULL), -1), 'there is none of that id');
SELECT is((SELECT count(*) FROM audit), :kept::bigint, 'neither is kept');

-- by domain
SELECT is(spy.come('d1', 'domains'), 'domain', 'without an address');
SELECT is(spy.come('d1', 'domains', 'd1@elsewhere.example', true), 'domain', 'of another domain');
SELECT is(spy.come('d1', 'domains', 'd1@sub.example.org', true), 'domain', 'of a part of it');
SELECT is(spy.come('d1', 'domains', 'd1@example.org@elsewhere.example', true), 'domain', 'the last @ counts');
SELECT is(spy.come('d1', 'domains', 'd1@example.org', false), 'unverified', 'that the provider does not vouch for');
SELECT is(spy.come('d1', 'domains', 'd1@Example.ORG', true), 'in member', 'in whatever case');
SELECT is(spy.come('d1', 'domains', 'd1@elsewhere.example', true), 'in member', 'who is in stays in');
SELECT is((SELECT email FROM users WHERE handle = 't-d1'), 'd1@elsewhere.example', 'and his new address is noted');

-- AU-3: an address never leads to an account
SELECT is(spy.come('v1', 'open', 'victim@example.org', true), 'in member', 'AU-3: somebody has an address');
SELECT is(spy.come(sub, 'open', mail, sure), 'in member', 'AU-3: another subject bears it') FROM (VALUES ('a1', 'victim@example.org', false),
	('a2', 'victim@example.org', true), ('a3', 'VICTIM@example.org', true)) v(sub, mail, sure);
SELECT is((SELECT count(DISTINCT user_id)::int FROM identities WHERE subject IN ('v1', 'a1', 'a2', 'a3')), 4, 'AU-3: these are four people');

-- roles by groups
SELECT is(spy.come('g1', 'invite', group_role => 'admin'), 'in admin', 'an admin by his groups needs no invitation');
SELECT is(spy.audited(), 'user.role g1 g1 {"by": "groups", "to": "admin"}', 'which is kept, and that it was the groups');
SELECT is(spy.come('g2', 'invite', group_role => 'guest'), 'invite_needed', 'a guest by his groups does');
SELECT id AS g1 FROM users WHERE handle = 't-g1' \gset
SELECT member_add(:open, :g1, :g1, 100) \g /dev/null
UPDATE members SET role = 'moderator' WHERE (channel_id, user_id) = (:open, :g1);
SELECT spy.forget() \g /dev/null
SELECT is(spy.come('g1', group_role => 'guest'), 'in guest', 'his groups change, and so does he');
SELECT is((SELECT array_agg(r) FROM spy.routes() r), ARRAY['p ' || :open || ' 0 ' || :g1 || ' member.updated',
	'g 0 -1 ' || :g1 || ' user.updated', 'p 0 ' || :g1 || ' ' || :g1 || ' user.updated'],
	'who moderates nothing any more; what is for everyone is not for him from there on');
SELECT is(spy.audited(), 'user.role g1 g1 {"by": "groups", "to": "guest", "from": "admin"}', 'which is kept');
SELECT is(spy.come('g1'), 'in member', 'groups that give nothing any more');
SELECT is((SELECT array_agg(r) FROM spy.routes() r), ARRAY['n 0 -1 ' || :g1 || ' user.updated'], 'from there on all of it is for him again');
SELECT user_set_role(acting_of(0, true, NULL, NULL), :g1, 'admin') \g /dev/null
SELECT is(spy.come('g1'), 'in admin', 'a role that was given here stays while his groups stay');
SELECT is(spy.come('one', group_role => 'guest'), 'in owner', 'no group makes an owner less');
SELECT spy.forget();
SELECT is(spy.come('two', group_role => 'admin'), 'in admin', 'a member becomes admin');
SELECT ok(bool_or(l LIKE '% user.updated'), 'which is told') FROM spy.routes() l;
SELECT is(user_deactivate((SELECT id FROM users WHERE handle = 't-g1')), true, 'an account is closed');
SELECT is(spy.come('g1', group_role => 'owner'), 'deactivated', 'and nothing opens it');

-- the provider's documents
CREATE FUNCTION spy.doc(have text DEFAULT NULL, newer boolean DEFAULT false, hold bigint DEFAULT 60000) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT d.verdict || coalesce(' ' || d.body, '') FROM provider_document('https://idp.test', 'jwks', encode(sha256(convert_to(have, 'UTF8')),
		'hex'), newer, hold) d
$$;
SELECT is(spy.doc(), 'fetch', 'the first is to fetch');
SELECT is(spy.doc(), 'wait', 'the second to wait for it');
SELECT provider_document_fail('https://idp.test', 'jwks');
SELECT is(spy.doc(hold => 0), 'fetch', 'after a failure the next may try');
SELECT is(spy.doc(), 'fetch', 'and where nothing is heard of him, another');
SELECT provider_document_put('https://idp.test', 'jwks', 'A', 600000);
SELECT is(spy.doc(), 'have A', 'then all have it');
SELECT ok(d.left_ms BETWEEN 590000 AND 600000, 'and know for how long') FROM provider_document('https://idp.test', 'jwks', NULL, false, 1) d;
SELECT is(spy.doc('B', true), 'have A', 'who misses something in another one has it too');
SELECT is(spy.doc('A', true), 'fetch A', 'in this one: fetched anew');
SELECT is(spy.doc('A', true), 'wait A', 'by one process');
SELECT is(spy.doc('A'), 'have A', 'the others go on meanwhile');
SELECT provider_document_put('https://idp.test', 'jwks', 'C', 600000);
SELECT is(spy.doc('A', true), 'have C', 'who waited');
SELECT is(spy.doc('C', true), 'none C', 'AU-4: again within the minute it is not');
UPDATE provider_documents SET newer_at = newer_at - interval '1 minute', due_at = now() - interval '1 s';
SELECT is(spy.doc('C', true), 'fetch C', 'after it, it is');
SELECT is(spy.doc('C'), 'wait C', 'one that is old goes on while another process looks');

-- tries at a password
SELECT is(array_agg(password_try('t-who')), '{0,0,0,0}', 'four tries are free') FROM generate_series(1, 4);
SELECT ok(password_try('t-who') BETWEEN 1 AND 5000, 'then one has to wait');
SELECT is((SELECT tries FROM password_tries WHERE name_hash = sha256('t-who')), 4, 'which is no try');
UPDATE password_tries SET last_at = last_at - interval '6 s';
SELECT is(password_try('t-who'), 0::bigint, 'after it there is one');
SELECT ok(password_try('t-who') BETWEEN 5001 AND 10000, 'and a longer wait');
UPDATE password_tries SET tries = 10000;
SELECT ok(password_try('t-who') BETWEEN 895000 AND 900000, 'of a quarter of an hour at most');
SELECT is(password_try('t-another'), 0::bigint, 'other names are free');
UPDATE password_tries SET last_at = last_at - interval '1 day';
SELECT is(password_try('t-who'), 0::bigint, 'a day later all is forgotten');

-- password_set
SELECT id AS who FROM users WHERE handle = 't-i1' \gset
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p1'), 'session', :who, '{read}') RETURNING id AS session \gset
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p2'), 'token', :who, '{read}') RETURNING id AS token \gset
SELECT throws_ok(format($$SELECT password_set(acting_of(0, true, NULL, NULL), %s, 'plain', 0)$$, :who), '23514', NULL, 'a password is no plain text');
SELECT password_set(acting_of(0, true, NULL, NULL), :who, '$argon2id$v=19$x', 0) \g /dev/null
SELECT ok(password_set(acting_of(0, true, NULL, NULL), :who, '$argon2id$v=19$y', 0), 'it is set again');
SELECT is((SELECT (actor IS NULL, action, target, details) FROM audit ORDER BY id DESC LIMIT 1), (true, 'user.password'::text, :who::bigint, '{}'::jsonb),
	'that it was set is kept');
SELECT bot_insert(acting_of(0, true, NULL, NULL), 't-robot', 'Robot') AS robot \gset
SELECT is(password_set(acting_of(0, true, NULL, NULL), :robot, '$argon2id$v=19$x', 0), false, 'a bot has none');
SELECT is((SELECT count(*)::int FROM passwords WHERE user_id = :robot), 0, 'nor gets one');
SELECT is((SELECT hash FROM passwords WHERE user_id = :who), '$argon2id$v=19$y', 'the newest counts');
SELECT isnt((SELECT revoked_at FROM sessions WHERE id = :session), NULL, 'browser sessions end with the old one');
SELECT is((SELECT revoked_at FROM sessions WHERE id = :token), NULL, 'tokens do not');
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p3'), 'session', :who, '{read}') RETURNING id AS session \gset
INSERT INTO sessions (secret_hash, kind, user_id, scopes) VALUES (sha256('p4'), 'session', :who, '{read}') RETURNING id AS spared \gset
SELECT ok(password_set(acting_of(:who, false, NULL, NULL), :who, '$argon2id$v=19$z', :spared), 'somebody sets his own');
SELECT is((SELECT array_agg(id) FROM sessions WHERE id IN (:session, :spared) AND revoked_at IS NULL), ARRAY[:spared::bigint], 'and stays where he is');

-- user_join
CREATE FUNCTION spy.join(invite text, handle text, first boolean DEFAULT true) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	j record;
BEGIN
	SELECT * INTO j FROM user_join(encode(sha256(convert_to(invite, 'UTF8')), 'hex'), handle, 'Somebody', '$argon2id$v=19$j', first);
	RETURN j.outcome || coalesce(' ' || (SELECT u.handle || ' ' || u.role FROM users u WHERE u.id = j.user_id), '');
END $$;
INSERT INTO invites (code_hash, max_uses, role) VALUES (sha256('joins'), 3, 'guest');
SELECT is(spy.join('never made', 't-j1'), 'unknown', 'an invitation that there is not');
SELECT is(spy.join('late', 't-j1'), 'expired', 'one that has expired');
SELECT is(spy.join('taken back', 't-j1'), 'revoked', 'one that was taken back');
SELECT is(spy.join('joins', 'admin'), 'taken', 'a reserved handle');
SELECT is(spy.join('joins', 't-one'), 'taken', 'somebody''s');
SELECT is((SELECT uses FROM invites WHERE code_hash = sha256('joins')), 0, 'and nothing is used by that');
SELECT is(spy.join('joins', 't-j1'), 'in t-j1 guest', 'somebody joins');
SELECT is((SELECT p.hash FROM passwords p JOIN users u ON u.id = p.user_id WHERE u.handle = 't-j1'), '$argon2id$v=19$j', 'with his password');
SELECT is((SELECT i.code_hash FROM users u JOIN invites i ON i.id = u.invite_id WHERE u.handle = 't-j1'), sha256('joins'), 'by which one is kept');
UPDATE users SET role = 'member' WHERE role IN ('owner', 'admin');
SELECT is(spy.join('joins', 't-j2', false), 'in t-j2 guest', 'the first is as any other, where that is switched off');
SELECT is(spy.join('joins', 't-j3'), 'in t-j3 owner', 'the first of a site is its owner');
SELECT is(spy.audited(), 'user.role j3 j3 {"by": "first", "to": "owner"}', 'which is kept');
SELECT is(spy.join('joins', 't-j4'), 'used_up', 'three were let in');

SELECT throws_ok($$INSERT INTO login_attempts SELECT sha256('s9'), sha256('b'), 'n', 'v', '/', now(), now(), 'short'$$, '23514', NULL,
	'an invitation is kept by its hash alone');

SELECT * FROM finish();
ROLLBACK;
