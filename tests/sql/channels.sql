-- Channels and members: what each function does, tells and refuses.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT user_insert('t-gone', 'Gone', NULL, NULL, false, 'member') AS gone \gset
SELECT user_deactivate(:gone) \g /dev/null
SELECT spy.forget() \g /dev/null

-- channel_create
SELECT stream_head() AS head \gset
SELECT code, channel AS made FROM channel_create(:alice, 'private', 't-made', 'why', ARRAY[:carol, :bob, :carol, :alice]) \gset
SELECT is(:'code'::text, 'ok', 'a channel is made');
SELECT results_eq('SELECT user_id, role, since FROM members WHERE channel_id = ' || :made || ' ORDER BY since',
	format('VALUES (%1$s::bigint, ''owner'', %2$s + 2::bigint), (%3$s, ''member'', %2$s + 3), (%4$s, ''member'', %2$s + 4)',
		:alice, :head, :carol, :bob),
	'the maker owns it, the invited are in once each, and since is the id of each one''s join');
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :made || ' 0 0 channel.created', 'j ' || :made || ' 0 ' || :alice || ' member.joined',
	'j ' || :made || ' 0 ' || :carol || ' member.joined', 'j ' || :made || ' 0 ' || :bob || ' member.joined'],
	'first the channel, then the joins; a private one is told to its members');
SELECT results_eq('SELECT kind, name, topic, created_by, version FROM channels WHERE id = ' || :made,
	format('VALUES (''private'', ''t-made'', ''why'', %s::bigint, 1::bigint)', :alice), 'as it was wished');
SELECT channel AS plaza FROM channel_create(:alice, 'public', 't-plaza', '', '{}') \gset
SELECT is((SELECT array_agg(r) FROM spy.routes() r), ARRAY['p ' || :plaza || ' -1 0 channel.created',
	'j ' || :plaza || ' 0 ' || :alice || ' member.joined'],
	'everyone hears of a public one, its members of the joins');
SELECT results_eq(format('SELECT code, channel FROM channel_create(%s, ''public'', ''T-MADE'', '''', ''{}'')', :bob),
	'VALUES (''conflict'', NULL::bigint)',
	'a name is taken in any case of its letters');
SELECT is((SELECT code FROM channel_create(:alice, 'public', 't-x', '', ARRAY[:bob, 9223372036854775807])), 'unknown_member',
	'an unknown invited is refused');
SELECT is((SELECT code FROM channel_create(:alice, 'public', 't-x', '', ARRAY[:gone])), 'unknown_member', 'a deactivated one too');
SELECT is((SELECT count(*)::int FROM channels WHERE name = 't-x'), 0, 'and nothing is left of it');
SELECT throws_ok(format('SELECT channel_create(%s, ''direct'', ''t-x'', '''', ''{}'')', :alice), '23514', NULL, 'no direct channel under a name');
SELECT throws_ok(format('SELECT channel_create(%s, ''public'', repeat(''x'', 81), '''', ''{}'')', :alice), '23514', NULL, 'no name of 81 characters');
SELECT is((SELECT code FROM channel_create(:alice, 'public', repeat('ü', 80), repeat('ö', 250), '{}')), 'ok',
	'80 characters of name and 250 of topic are fine');
SELECT throws_ok(format('SELECT channel_create(%s, ''public'', ''t-x'', repeat(''x'', 251), ''{}'')', :alice), '23514', NULL, 'no topic of 251');
SELECT spy.forget() \g /dev/null

-- channel_direct
SELECT channel AS pair FROM channel_direct(:bob, :alice) \gset
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :pair || ' 0 0 channel.created', 'j ' || :pair || ' 0 ' || :bob || ' member.joined',
	'j ' || :pair || ' 0 ' || :alice || ' member.joined'], 'a direct channel is made with both in it');
SELECT results_eq(format('SELECT * FROM channel_direct(%s, %s)', :alice, :bob), format('VALUES (''ok'', %s::bigint, false)', :pair),
	'and is the same from the other side');
SELECT results_eq(format('SELECT code, created FROM channel_direct(%s, %1$s)', :carol), 'VALUES (''ok'', true)', 'one may write to himself');
SELECT results_eq(format('SELECT code, created FROM channel_direct(%s, %1$s)', :carol), 'VALUES (''ok'', false)', 'once');
SELECT is((SELECT count(*)::int
	FROM members m JOIN channels c ON c.id = m.channel_id WHERE c.direct_low = :carol AND c.direct_high = :carol), 1, 'with one member');
SELECT is((SELECT code FROM channel_direct(:alice, 9223372036854775807)), 'unknown_member', 'not with nobody');
SELECT is((SELECT code FROM channel_direct(:alice, :gone)), 'unknown_member', 'not with a deactivated one');
SELECT spy.forget() \g /dev/null

-- member_add
SELECT stream_head() AS head \gset
SELECT is(member_add(:open, :carol, :carol, 100), 'ok', 'anyone may join a public channel');
SELECT is((SELECT since FROM members WHERE channel_id = :open AND user_id = :carol), :head + 1::bigint, 'since is the id of the join');
SELECT results_eq('SELECT spy.routes()', ARRAY['j ' || :open || ' 0 ' || :carol || ' member.joined'], 'which is told');
SELECT is((SELECT data FROM events WHERE id = :head + 1), (SELECT member_json(m) FROM members m WHERE channel_id = :open AND user_id = :carol),
	'and keeps what it said, since the row may go');
SELECT is(member_add(:open, :carol, :carol, 100), 'again', 'twice is once');
SELECT is(stream_head(), :head + 1::bigint, 'without a second event');
SELECT is(member_add(9223372036854775807, :carol, :carol, 100), 'not_found', 'no such channel');
SELECT is(member_add(:closed, :carol, :carol, 100), 'not_found', 'a private channel does not show itself');
SELECT is(member_add(:closed, :carol, :root, 100), 'not_found', 'not for inviting either');
SELECT is(member_add(:open, :root, :gone, 100), 'not_a_member', 'one who is out invites nobody to a public channel');
SELECT is(member_add(:closed, :bob, :carol, 100), 'ok', 'a member invites');
SELECT is(member_add(:open, :alice, :gone, 100), 'unknown_member', 'no deactivated one');
SELECT is(member_add(:open, :alice, 9223372036854775807, 100), 'unknown_member', 'nobody unknown');
SELECT is(member_add(:pair, :alice, :carol, 100), 'unprocessable', 'a direct channel stays one of two');
SELECT is(member_add(:plaza, :bob, :bob, 1), 'full', 'a full channel takes no more');
SELECT is(member_add(:plaza, :bob, :bob, 2), 'ok', 'the last place is given');
UPDATE channels SET archived_at = now() WHERE id = :plaza;
SELECT is(member_add(:plaza, :carol, :carol, 100), 'unprocessable', 'an archived channel takes none');
SELECT spy.forget() \g /dev/null

-- member_remove; in made: alice owns it, bob moderates, carol is in
UPDATE members SET role = 'moderator' WHERE channel_id = :made AND user_id = :bob;
SELECT is(member_remove(:made, :carol, :bob), 'forbidden', 'a member removes nobody');
SELECT is(member_remove(:made, :bob, :alice), 'forbidden', 'a moderator removes no owner');
SELECT is(member_remove(:made, 9223372036854775807, :carol), 'not_found', 'an unknown one removes nobody from a private channel');
SELECT is(member_remove(:open, 9223372036854775807, :carol), 'not_a_member', 'nor from a public one');
SELECT is(member_remove(:open, :root, :carol), 'ok', 'an admin does, even from outside');
SELECT is(member_remove(:open, :carol, :bob), 'not_a_member', 'one who is out removes nobody');
SELECT is(member_remove(:pair, :alice, :bob), 'unprocessable', 'nobody leaves a direct channel');
SELECT is(member_remove(9223372036854775807, :alice, :bob), 'not_found', 'no such channel');
SELECT spy.forget() \g /dev/null
SELECT stream_head() AS head \gset
SELECT is(member_remove(:made, :bob, :carol), 'ok', 'a moderator removes a member');
SELECT results_eq('SELECT spy.lines()',
	ARRAY[:head + 1 || ' l ' || :made || ' 0 ' || :carol || ' {"type":"member.left","cursor":"' || :'mark' || '.' || :head + 1 ||
	'","user": ' || :carol || ', "channel": ' || :made || '}'], 'which is told');
SELECT is(member_remove(:made, :bob, :carol), 'again', 'twice is once');
SELECT is(member_remove(:made, :carol, :carol), 'not_found', 'one who is out of a private channel does not see it any more');
SELECT is(member_remove(:made, :alice, :bob), 'ok', 'an owner removes a moderator');
SELECT is(member_remove(:made, :alice, :alice), 'ok', 'an owner may leave');
SELECT is(member_remove(:open, :bob, :bob), 'ok', 'so may anyone');
SELECT is((SELECT count(*)::int FROM members WHERE channel_id = :made), 0, 'they are out');
SELECT is(member_add(:open, :bob, :bob, 100), 'ok', 'coming back is a new join');
SELECT is((SELECT since FROM members WHERE channel_id = :open AND user_id = :bob), stream_head(),
	'with a new since: what passed meanwhile is not his');

-- members_insert
SELECT stream_head() AS head \gset
SELECT members_insert(:open, ARRAY[:alice, :bob], ARRAY['member', 'member'], false) \g /dev/null
SELECT is(stream_head(), :head::bigint, 'those already in are left alone');
SELECT members_insert(:open, ARRAY[:alice, :carol, :root], ARRAY['member', 'moderator', 'member'], false) \g /dev/null
SELECT results_eq('SELECT user_id, role, since FROM members WHERE channel_id = ' || :open || ' AND since > ' || :head || ' ORDER BY since',
	format('VALUES (%1$s::bigint, ''moderator'', %2$s + 1::bigint), (%3$s, ''member'', %2$s + 2)', :carol, :head, :root),
		'the others get an event each');
SELECT is((SELECT role FROM members WHERE channel_id = :open AND user_id = :alice), 'owner', 'and nobody''s role is touched');

SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT * FROM finish();
ROLLBACK;
