-- Roles at work: what each function changes, tells and keeps; mutes in write_batch; the audit log. Who may do what, by REST:
-- tests/api/roles.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

SELECT user_insert('t-owner', 'Owner', NULL, NULL, false, 'owner') AS boss \gset
SELECT user_insert('t-guest', 'Guest', NULL, NULL, false, 'guest') AS guest \gset
SELECT member_add(:closed, :alice, :guest, 100) \g /dev/null
CREATE FUNCTION spy.by(person bigint) RETURNS acting LANGUAGE sql IMMUTABLE AS $$ SELECT acting_of(person, true, 'r1', '192.0.2.7') $$;
CREATE FUNCTION spy.audited() RETURNS text LANGUAGE sql STABLE AS $$
	SELECT a.action || ' ' || coalesce(a.actor, 0) || ' ' || coalesce(a.target, 0) || ' ' || coalesce(a.channel_id, 0) || ' ' || a.details
	FROM audit a ORDER BY a.id DESC LIMIT 1
$$;
CREATE FUNCTION spy.routed() RETURNS text[] LANGUAGE sql VOLATILE AS $$ SELECT array_agg(r) FROM spy.routes() r $$;
SELECT spy.forget() \g /dev/null

-- roles of the site
SELECT is(user_set_role(spy.by(:bob), :carol, 'admin'), 'admins_only', 'a member gives no roles');
SELECT is(user_set_role(acting_of(:root, false, NULL, NULL), :carol, 'admin'), 'admins_only', 'nor an admin by a token that lacks the scope');
SELECT is(user_set_role(spy.by(:root), :carol, 'owner'), 'above_self', 'an admin makes no owner');
SELECT is(user_set_role(spy.by(:root), :boss, 'member'), 'above', 'nor anything of an owner');
SELECT is(user_set_role(spy.by(:root), 9223372036854775807, 'member'), 'no_user', 'nor of nobody');
UPDATE users SET role = 'member' WHERE role = 'owner' AND id <> :boss;
SELECT is(user_set_role(spy.by(:boss), :boss, 'admin'), 'last_owner', 'the last owner stays');
SELECT is((SELECT count(*)::int FROM audit WHERE id > :noted), 0, 'what is refused is not in the audit log');
SELECT is(user_set_role(spy.by(:root), :carol, 'admin'), 'ok', 'an admin makes another');
SELECT is(spy.audited(), 'user.role ' || :root || ' ' || :carol || ' 0 {"to": "admin", "from": "member"}', 'which is kept');
SELECT is((SELECT (request_id, address) FROM audit ORDER BY id DESC LIMIT 1), ('r1'::text, '192.0.2.7'::text), 'with the request and whence it came');
SELECT is(spy.routed(), ARRAY['p 0 -1 ' || :carol || ' user.updated'], 'and told to everyone');
SELECT is(user_set_role(spy.by(:root), :bob, 'member'), 'again', 'what he is already changes nothing');
SELECT is(user_set_role(spy.by(:root), :carol, 'member'), 'above', 'and does nothing to his like');
SELECT is(user_set_role(spy.by(:carol), :carol, 'member'), 'ok', 'who may step down himself');
SELECT spy.forget() \g /dev/null
SELECT member_set_role(spy.by(:alice), :closed, :bob, 'moderator') \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is(user_set_role(spy.by(:root), :bob, 'guest'), 'ok', 'a guest is made');
SELECT is((SELECT role FROM members WHERE channel_id = :closed AND user_id = :bob), 'member', 'who has no say in a channel any more');
SELECT is(spy.routed(), ARRAY['p ' || :closed || ' 0 ' || :bob || ' member.updated', 'g 0 -1 ' || :bob || ' user.updated',
	'p 0 ' || least(:guest::bigint, :bob) || ' ' || :bob || ' user.updated', 'p 0 ' || greatest(:guest::bigint, :bob) || ' ' || :bob || ' user.updated'],
	'told to everyone, and to guests who share a channel, himself too, by an event of their own');
SELECT is(user_set_role(spy.by(:root), :bob, 'member'), 'ok', 'and a member again');
SELECT is((spy.routed())[1], 'n 0 -1 ' || :bob || ' user.updated', 'from there on everything is for him again');

-- what a guest knows
SELECT ok(knows_person(:guest, :alice) AND knows_person(:guest, :bob) AND knows_person(:guest, :guest), 'a guest knows those in his channels');
SELECT ok(NOT knows_person(:guest, :carol) AND NOT knows_person(:guest, :root), 'and nobody else');
SELECT ok(knows_person(:carol, :guest), 'a member knows everyone');
SELECT is((SELECT code FROM channel_direct(:guest, :carol)), 'unknown_member', 'he writes to no stranger');
SELECT is((SELECT code FROM channel_direct(:guest, :alice)), 'ok', 'but to whom he knows');
SELECT is((SELECT code FROM channel_direct(:carol, :guest)), 'ok', 'others write to him');
SELECT ok(knows_person(:guest, :carol), 'which makes them known');
SELECT is(member_add(:open, :guest, :guest, 100), 'not_found', 'a public channel is none for him');
SELECT is(member_add(:closed, :guest, :carol, 100), 'guest', 'he adds nobody');
SELECT is(member_set_role(spy.by(:alice), :closed, :guest, 'moderator'), 'guest_role', 'he moderates nothing');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :guest, 1, 'x'))), 4, 'nor does a send show him that there is one');

-- mutes
SELECT spy.forget() \g /dev/null
SELECT is(member_mute(spy.by(:bob), :open, :alice, 'infinity', ''), 'forbidden', 'a member mutes nobody');
SELECT is(member_mute(spy.by(:carol), :closed, :alice, 'infinity', ''), 'not_found', 'a private channel does not show itself');
SELECT is(member_mute(spy.by(:carol), :open, :alice, 'infinity', ''), 'not_a_member', 'who is out mutes nobody');
SELECT is(member_mute(spy.by(:alice), :open, :alice, 'infinity', ''), 'yourself', 'nobody himself');
SELECT is(member_mute(spy.by(:alice), :open, :root, 'infinity', ''), 'above', 'nobody an admin of the site');
SELECT is(member_mute(spy.by(:alice), :open, :bob, now() - interval '1 second', ''), 'past', 'nor until yesterday');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'of which nobody hears');
SELECT is(member_mute(spy.by(:alice), :open, :bob, now() + interval '1 hour', 'too loud'), 'ok', 'an owner mutes a member');
SELECT is(spy.routed(), ARRAY['p ' || :open || ' 0 ' || :bob || ' member.updated', 'p 0 ' || :bob || ' ' || :bob || ' moderated'],
	'the channel is told, and he why');
SELECT is(spy.audited(), 'member.muted ' || :alice || ' ' || :bob || ' ' || :open || ' ' || jsonb_build_object('until',
	until_text(now() + interval '1 hour'), 'reason', 'too loud'), 'the audit log too');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 2, 'x'))), 10, 'he may not write');
SELECT is((SELECT at_us FROM spy.batch(spy.item(:open, :bob, 2, 'x'))), ceil(extract(epoch FROM now() + interval '1 hour') * 1000000)::bigint,
	'and hears until when');
SELECT results_eq(format('SELECT status FROM spy.batch(spy.item(%1$s, %2$s, 3, ''x''), spy.item(%1$s, %3$s, 3, ''y''), spy.item(%4$s, %2$s, 3, ''z''))',
	:open, :bob, :alice, :closed), 'VALUES (10), (0), (0)', 'one bad item fails alone; elsewhere he writes');
SELECT is((SELECT status FROM typing_send(ARRAY[:bob::bigint], ARRAY[:open::bigint], ARRAY[0::bigint], '{0}', '{}', 100)), 10, 'nor is his typing told');
SELECT is(member_remove(:open, :bob, :bob), 'ok', 'who goes');
SELECT is(member_add(:open, :bob, :bob, 100), 'ok', 'and comes again');
SELECT is((SELECT muted_until FROM members WHERE channel_id = :open AND user_id = :bob), now() + interval '1 hour', 'is as muted as before');
SELECT is(member_mute(spy.by(:alice), :open, :bob, NULL, ''), 'ok', 'it is lifted');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 2, 'x'))), 0, 'and he writes');
SELECT is(member_mute(spy.by(:alice), :open, :bob, NULL, ''), 'again', 'once');
UPDATE members SET muted_until = now() - interval '1 second' WHERE channel_id = :open AND user_id = :bob;
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 4, 'x'))), 0, 'a mute whose time is over is none');
SELECT is((SELECT member_json(m)->>'muted_until' FROM members m WHERE channel_id = :open AND user_id = :bob), NULL, 'and shows none');
SELECT spy.forget() \g /dev/null
SELECT is(user_mute(spy.by(:alice), :bob, 'infinity', ''), 'admins_only', 'on the site admins do it');
SELECT is(user_mute(spy.by(:root), :boss, 'infinity', ''), 'above', 'with those below them');
SELECT is(user_mute(spy.by(:root), :bob, 'infinity', 'spam'), 'ok', 'like this');
SELECT results_eq(format('SELECT status, at_us FROM spy.batch(spy.item(%1$s, %2$s, 5, ''x''), spy.item(%3$s, %2$s, 5, ''x''))', :open, :bob, :closed),
	'VALUES (10, 0::bigint), (10, 0::bigint)', 'he writes nowhere, without an end');
SELECT is((SELECT user_json(u)->>'muted_until' FROM users u WHERE id = :bob), 'forever', 'which shows');
SELECT is(user_mute(spy.by(:root), :bob, NULL, ''), 'ok', 'lifted');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 5, 'x'))), 0, 'he writes');

-- bans
SELECT spy.forget() \g /dev/null
SELECT is(member_set_role(spy.by(:bob), :open, :bob, 'moderator'), 'owners_only', 'nobody promotes himself');
SELECT is(member_set_role(spy.by(:alice), :open, :bob, 'moderator'), 'ok', 'an owner makes a moderator');
SELECT is(spy.routed(), ARRAY['p ' || :open || ' 0 ' || :bob || ' member.updated'], 'the channel is told');
SELECT is(member_ban(spy.by(:bob), :open, :alice, 'infinity', ''), 'above', 'who bans no owner');
SELECT member_add(:open, :carol, :carol, 100) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT is(member_ban(spy.by(:bob), :open, :carol, 'infinity', 'no'), 'ok', 'but a member');
SELECT is(spy.routed(), ARRAY['l ' || :open || ' 0 ' || :carol || ' member.left', 'p 0 ' || :carol || ' ' || :carol || ' moderated'], 'who is out then');
SELECT is(member_add(:open, :carol, :carol, 100), 'banned', 'and does not come in again');
SELECT is(member_add(:open, :alice, :carol, 100), 'banned_member', 'nor by others');
SELECT is(member_ban(spy.by(:bob), :open, :carol, NULL, ''), 'ok', 'until it is lifted');
SELECT is(member_add(:open, :alice, :carol, 100), 'ok', 'then he does');
SELECT is(member_ban(spy.by(:bob), :open, :carol, now() + interval '1 hour', ''), 'ok', 'or for an hour');
UPDATE restrictions SET until = now() WHERE kind = 'ban' AND user_id = :carol;
SELECT is(member_add(:open, :carol, :carol, 100), 'ok', 'which is over some time');

-- the channel
SELECT spy.forget() \g /dev/null
SELECT is(channel_change(spy.by(:carol), :open, 't-new', NULL, NULL), 'forbidden', 'a member renames nothing');
SELECT is(channel_change(spy.by(:bob), :open, 'T-CLOSED', NULL, NULL), 'conflict', 'a name that is taken stays so');
SELECT is(channel_change(spy.by(:bob), :open, 't-new', 'why', NULL), 'ok', 'a moderator renames');
SELECT is(spy.routed(), ARRAY['p ' || :open || ' -1 0 channel.updated'], 'everyone hears of a public one');
SELECT is(spy.audited(), 'channel.updated ' || :bob || ' 0 ' || :open || ' {"name": {"to": "t-new", "from": "t-open"}, "topic": true}',
	'without the topic''s text');
SELECT is(channel_change(spy.by(:bob), :open, NULL, NULL, true), 'owners_only', 'but archives nothing');
SELECT is(channel_change(spy.by(:alice), :open, NULL, NULL, true), 'ok', 'the owner does');
SELECT is((SELECT status FROM spy.batch(spy.item(:open, :bob, 6, 'x'))), 7, 'nobody writes there then');
SELECT is(channel_change(spy.by(:alice), :open, 't-newer', NULL, NULL), 'unprocessable', 'nor renames it');
SELECT is(channel_change(spy.by(:alice), :open, NULL, NULL, false), 'ok', 'until it is opened again');
SELECT spy.forget() \g /dev/null
SELECT is(channel_change(spy.by(:root), :closed, NULL, 'x', NULL), 'ok', 'an admin does so where he is not');
SELECT is(spy.routed(), ARRAY['p ' || :closed || ' 0 0 channel.updated'], 'members hear of a private one');
SELECT is(member_set_role(spy.by(:alice), :open, :alice, 'member'), 'last_channel_owner', 'the last owner of a channel stays');
SELECT is(channel_hand_over(spy.by(:alice), :open, :bob), 'ok', 'or hands it over');
SELECT results_eq(format('SELECT role FROM members WHERE channel_id = %s AND user_id IN (%s, %s) ORDER BY user_id', :open, :alice, :bob),
	ARRAY['moderator', 'owner'], 'and is a moderator then');
SELECT is(channel_hand_over(spy.by(:alice), :open, :alice), 'owners_only', 'who takes nothing back');

-- an account
SELECT is(user_close(spy.by(:root), :root, ''), 'yourself', 'nobody closes his own account so');
SELECT is(user_close(spy.by(:root), :boss, ''), 'above', 'nor an owner''s');
SELECT is(user_close(spy.by(:root), :carol, 'left'), 'ok', 'an admin closes one');
SELECT is(user_close(spy.by(:root), :carol, ''), 'again', 'once');
SELECT is(user_reopen(spy.by(:root), :carol), 'ok', 'and opens it');
SELECT is((SELECT (deactivated_at, role) FROM users WHERE id = :carol), (NULL::timestamptz, 'member'::text), 'as it was');
SELECT is(user_close(acting_of(0, true, NULL, NULL), :carol, ''), 'ok', 'so does the command');
SELECT is(spy.audited(), 'user.deactivated 0 ' || :carol || ' 0 {}', 'which is kept as nobody''s');
SELECT user_reopen(spy.by(:root), :carol) \g /dev/null
SELECT is(user_close(acting_of(0, true, NULL, NULL), :boss, ''), 'last_owner', 'the last owner stays, whoever asks');

-- reports
SELECT seq AS bad FROM spy.batch(spy.item(:closed, :bob, 70, 'something bad')) \gset
SELECT seq AS worse FROM spy.batch(spy.item(:closed, :bob, 71, 'something worse')) \gset
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM report_make(spy.by(:carol), :closed, :bad, 'spam', '')), 'not_found', 'who is out reports nothing');
SELECT is((SELECT code FROM report_make(spy.by(:bob), :closed, :bad, 'spam', '')), 'own_message', 'nobody his own');
SELECT code, report AS report FROM report_make(spy.by(:guest), :closed, :bad, 'abuse', 'look at that') \gset
SELECT is(:'code'::text, 'ok', 'a member does');
SELECT is((SELECT array_agg(r ORDER BY r) FROM spy.routes() r WHERE r LIKE '% report.created'), (SELECT array_agg(r ORDER BY r) FROM (
	SELECT 'p 0 ' || u || ' 0 report.created' AS r FROM unnest(ARRAY[:alice, :root, :boss]) u) t), 'which those are told who handle it');
SELECT is((SELECT count(*)::int FROM events WHERE data::text LIKE '%something bad%'), 0, 'without its text');
SELECT results_eq(format('SELECT code, report FROM report_make(%L, %s, %s, ''spam'', '''')', spy.by(:guest), :closed, :bad),
	format('VALUES (''again'', %s::bigint)', :report), 'twice is once');
SELECT is((SELECT evidence->>'text' FROM reports WHERE id = :report), 'something bad', 'the text is kept');
SELECT ok(NOT report_is_for(r, spy.by(:bob)) AND NOT report_is_for(r, spy.by(:guest)) AND report_is_for(r, spy.by(:alice)) AND
	report_is_for(r, spy.by(:root)) AND NOT report_is_for(r, acting_of(:root, false, NULL, NULL)), 'for those to see who handle it')
	FROM reports r WHERE r.id = :report;
SELECT is(report_settle(spy.by(:bob), :report, 'dismiss', 'infinity', false, ''), 'no_report', 'who may not handle it');
SELECT is(report_settle(spy.by(:alice), :report, 'deactivate', 'infinity', false, ''), 'admins_only', 'or not in that way');
SELECT is((SELECT action FROM reports WHERE id = :report), NULL, 'which leaves it open');
SELECT spy.forget() \g /dev/null
SELECT is(report_settle(spy.by(:alice), :report, 'ban', now() + interval '1 day', false, 'enough'), 'ok', 'a moderator bans');
SELECT ok((SELECT deleted_at IS NOT NULL FROM messages WHERE channel_id = :closed AND seq = :bad), 'which deletes the message');
SELECT ok(NOT EXISTS (SELECT FROM members WHERE channel_id = :closed AND user_id = :bob), 'takes its sender out');
SELECT ok('p 0 ' || :guest || ' ' || :guest || ' report.answered' = ANY (spy.routed()), 'and tells who reported it');
SELECT is((SELECT array_agg(action ORDER BY id) FROM audit WHERE id > (SELECT max(id) - 3 FROM audit)),
	ARRAY['message.deleted', 'member.banned', 'report.resolved'], 'all of which is kept');
SELECT is(report_settle(spy.by(:root), :report, 'dismiss', 'infinity', false, ''), 'resolved', 'once');
SELECT is((SELECT evidence->>'text' FROM reports WHERE id = :report), 'something bad', 'the evidence stays');
SELECT report FROM report_make(spy.by(:guest), :closed, :worse, 'abuse', '') \gset
SELECT is(report_settle(spy.by(:root), :report, 'mute', 'infinity', true, ''), 'ok', 'an admin mutes on the site');
SELECT is((SELECT muted_until FROM users WHERE id = :bob), 'infinity'::timestamptz, 'so it is');

-- the audit log is final
SELECT cmp_ok((SELECT count(*) FROM audit), '>', 10::bigint, 'there is something in it');
SELECT throws_ok('UPDATE audit SET actor = NULL', '42501', NULL, 'nobody changes it');
SELECT throws_ok('DELETE FROM audit', '42501', NULL, 'takes something out');
SELECT throws_ok('DELETE FROM audit WHERE false', '42501', NULL, 'or nothing');
SELECT throws_ok('TRUNCATE audit', '42501', NULL, 'or all');
SET LOCAL session_replication_role = replica;
SELECT throws_ok('DELETE FROM audit', '42501', NULL, 'nor by what skips triggers as a rule');
SET LOCAL session_replication_role = origin;
SELECT ok(NOT EXISTS (SELECT FROM audit WHERE details::text ~ 'something (bad|worse)'), 'it holds no message''s text');
SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT * FROM finish();
ROLLBACK;
