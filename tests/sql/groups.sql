-- Groups, and mentions that reach many: who changes groups and what is told; whom a group, @here and @channel reach, what they cost, how they are counted
-- through edits and deletions. By REST and live: tests/api/groups.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

CREATE FUNCTION spy.call(channel bigint, who bigint, client int, names jsonb, root bigint DEFAULT NULL) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT b.status || coalesce(' ' || b.seq, '') FROM (SELECT jsonb_build_object('text', 'x', 'mentions', names) AS body,
			(SELECT array_agg(v::bigint) FROM jsonb_array_elements(names) n(v) WHERE jsonb_typeof(v) = 'number') AS named,
			(SELECT array_agg(CASE v #>> '{}' WHEN 'channel' THEN 0 WHEN 'here' THEN -1 ELSE substr(v #>> '{}', 7)::bigint END)
				FROM jsonb_array_elements(names) n(v) WHERE jsonb_typeof(v) = 'string') AS calls) t,
		write_batch(ARRAY[channel], ARRAY[0::bigint], ARRAY['s'::"char"], ARRAY[1], ARRAY[1], ARRAY[who], ARRAY[spy.uuid(client)],
			ARRAY[substring(sha256(convert_to(t.body::text, 'UTF8')) FOR 16)], ARRAY[NULL::bigint], ARRAY[t.body::text],
			ARRAY['"sender":' || who || ',"body":' || t.body || '}'], ARRAY[1], false, false,
			(SELECT array_agg(1) FROM unnest(t.named)), t.named, NULL, NULL, CASE WHEN root IS NOT NULL THEN ARRAY[1] END,
			CASE WHEN root IS NOT NULL THEN ARRAY[root] END, (SELECT array_agg(1) FROM unnest(t.calls)), t.calls) b
$$;
CREATE FUNCTION spy.edit(channel bigint, actor bigint, wanted bigint, words text, names jsonb) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM message_edit(channel, actor, wanted, (jsonb_build_object('text', words) || CASE WHEN names = '[]' THEN '{}'
		ELSE jsonb_build_object('mentions', names) END)::text, false,
		ARRAY(SELECT v::bigint FROM jsonb_array_elements(names) n(v) WHERE jsonb_typeof(v) = 'number'), NULL, 60000)
$$;
-- mentions and those of them by the channel's name; whether a look at each message comes to the same.
CREATE FUNCTION spy.mentions(channel bigint, reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT u.mentions || ' ' || u.wide::text || CASE WHEN (u.unread, u.mentions) = (s.unread, s.mentions) THEN '' ELSE ' drift' END
	FROM members m, unread_counts(m) u, unread_scan(m) s WHERE m.channel_id = channel AND m.user_id = reader
$$;
CREATE FUNCTION spy.body(channel bigint, wanted bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT body FROM messages WHERE channel_id = channel AND seq = wanted
$$;
SELECT user_insert('t-guest', 'Guest', NULL, NULL, false, 'guest') AS guest \gset
SELECT member_add(:open, :alice, :guest, 1000) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT coalesce(max(id), 0) AS noted FROM audit \gset

-- groups
SELECT is((SELECT code FROM group_create(acting_of(:alice, true, NULL, NULL), false, 't-team', 'Team', '{}')), 'groups_forbidden', 'a member makes none');
SELECT is((SELECT code FROM group_create(acting_of(:root, false, NULL, NULL), false, 't-team', 'Team', '{}')),
	'groups_forbidden', 'nor an admin by a token without that');
SELECT is((SELECT code FROM group_create(acting_of(:guest, false, NULL, NULL), true, 't-team', 'Team', '{}')), 'groups_forbidden', 'a guest never');
SELECT is((SELECT code FROM group_create(acting_of(:root, true, NULL, NULL), false, 't-bob', 'Team', '{}')), 'handle_taken', 'a person''s handle is taken');
SELECT is((SELECT array_agg(code) FROM unnest(ARRAY['here', 'channel', 'all', 'everyone']) h,
	group_create(acting_of(:root, true, NULL, NULL), false, h, 'Team', '{}')), array_fill('handle_reserved'::text, ARRAY[4]), 'names of many are reserved');
SELECT is((SELECT code FROM group_create(acting_of(:root, true, NULL, NULL), false, 't-team', 'Team', ARRAY[:bob, 9223372036854775807])),
	'unknown_member', 'of people who are there');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'of all that nobody hears');
SELECT is((SELECT code FROM group_create(acting_of(:root, true, NULL, NULL), false, 't-team', 'Team', ARRAY[:bob, :carol, :bob])), 'ok', 'an admin makes one');
SELECT id AS team FROM user_groups WHERE handle = 't-team' \gset
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb - 'cursor' FROM spy.lines() l), jsonb_build_object('type', 'group.created', 'group', jsonb_build_object(
	'id', :team, 'handle', 't-team', 'name', 'Team', 'version', 1, 'members', 2)), 'which everyone is told');
SELECT is((SELECT audience FROM events ORDER BY id DESC LIMIT 1), -1::bigint, 'but guests');
SELECT is((SELECT code FROM group_create(acting_of(:alice, false, NULL, NULL), true, 't-team', 'Other', '{}')), 'handle_taken', 'a handle is one group''s');
SELECT user_insert('t-team', 'Teo', NULL, NULL, false, 'member') AS teo \gset
SELECT is((SELECT handle FROM users WHERE id = :teo), 't-team-2', 'and no person''s');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM group_change(acting_of(:root, true, NULL, NULL), false, :team, NULL, 'Crew', ARRAY[:alice, :bob], ARRAY[:carol, :root], 500)),
	'ok', 'it changes');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb->'group' FROM spy.lines() l), (SELECT group_json(g) FROM user_groups g), 'and is told as it is loaded');
SELECT is((SELECT group_json_full(g) FROM user_groups g), jsonb_build_object('id', :team, 'handle', 't-team', 'name', 'Crew', 'version', 2, 'members', 2,
	'users', ARRAY[:alice, :bob]), 'with whom it has now');
SELECT is((SELECT code FROM group_change(acting_of(:root, true, NULL, NULL), false, :team, 't-team', 'Crew', ARRAY[:alice], ARRAY[:carol], 500)),
	'again', 'twice is once');
SELECT is((SELECT code FROM group_change(acting_of(:root, true, NULL, NULL), false, :team, NULL, 'Full', ARRAY[:carol], '{}', 2)),
	'group_full', 'no more than it may have');
SELECT is((SELECT g.name || ' ' || count(*) FROM user_groups g JOIN user_group_members m ON m.group_id = g.id GROUP BY g.id), 'Crew 2',
	'of which nothing stays');
SELECT is((SELECT code FROM group_change(acting_of(:root, true, NULL, NULL), false, :team, 't-alice', NULL, '{}', '{}', 500)),
	'handle_taken', 'nor a taken handle');
SELECT is((SELECT count(*)::int FROM spy.lines()), 0, 'nobody hears of what did not change');
SELECT results_eq(format('SELECT action, actor, details->>''group'' FROM audit WHERE id > %s ORDER BY id', :noted),
	format('VALUES (''group.created'', %1$s::bigint, ''%2$s''), (''group.changed'', %1$s, ''%2$s'')', :root, :team), 'all is kept');

-- of a group: those of it who are in the channel
SELECT is(spy.call(:open, :alice, 1, jsonb_build_array('group:' || :team)), '0 1', 'a message names a group');
SELECT is(spy.body(:open, 1)->'reached', jsonb_build_object('group:' || :team, ARRAY[:bob]), 'and says whom it reaches: not its sender, nor who is out');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb->'body'->'reached' FROM spy.lines() l), jsonb_build_object('group:' || :team, ARRAY[:bob]),
	'which is told to all');
SELECT is(spy.mentions(:open, :bob), '1 {}', 'it counts for him');
SELECT is(spy.mentions(:open, :alice), '0 {}', 'never for its sender');
SELECT is(spy.call(:open, :alice, 1, jsonb_build_array('group:' || :team)), '1 1', 'a retry finds it');
SELECT is(spy.call(:open, :alice, 2, jsonb_build_array('group:' || :team, :bob)), '0 2', 'with a name that is in it besides');
SELECT is(spy.mentions(:open, :bob), '2 {}', 'counts once');
SELECT is(spy.call(:open, :alice, 3, '["group:9007199254740991"]'), '16', 'a group that is not there');
SELECT is(spy.call(:open, :guest, 3, jsonb_build_array('group:' || :team)), '15', 'a guest names none');
SELECT is((SELECT code FROM group_change(acting_of(:root, true, NULL, NULL), false, :team, NULL, NULL, ARRAY[:guest], ARRAY[:bob], 500)),
	'ok', 'people come and go');
SELECT is(spy.mentions(:open, :bob), '2 {}', 'what has reached somebody stays');
SELECT is(spy.edit(:open, :alice, 1, 'y', jsonb_build_array('group:' || :team)), 'ok', 'an edit that names it still');
SELECT is(spy.mentions(:open, :bob) || ', ' || spy.mentions(:open, :guest), '2 {}, 0 {}', 'reaches whom it did');
SELECT is(spy.edit(:open, :alice, 1, 'z', '[]'), 'ok', 'one that names it no more');
SELECT is(spy.mentions(:open, :bob), '1 {}', 'takes that back');
SELECT is(spy.edit(:open, :alice, 1, 'z', jsonb_build_array('group:' || :team)), 'ok', 'one that names it anew');
SELECT is(spy.mentions(:open, :bob) || ', ' || spy.mentions(:open, :guest), '1 {}, 1 {}', 'reaches whom it has now');
SELECT is(spy.edit(:open, :alice, 1, 'z', '["group:9007199254740991"]'), 'no_group', 'if it is there');
SELECT is((SELECT string_agg(e.body::text, ' ' ORDER BY e.version) FROM message_edits e WHERE e.body ? 'reached'), NULL,
	'what it said before is kept without whom that reached');

-- the channel: a row
SELECT spy.forget() \g /dev/null
SELECT is(spy.call(:open, :alice, 4, jsonb_build_array('channel', :bob)), '0 3', 'a message names the channel, and somebody in it');
SELECT is(spy.mentions(:open, :bob) || ', ' || spy.mentions(:open, :guest), '2 {}, 2 {3}', 'and counts once for each');
SELECT is(spy.call(:open, :bob, 5, '["channel"]'), '0 4', 'another does');
SELECT is(spy.mentions(:open, :bob) || ', ' || spy.mentions(:open, :alice), '2 {}, 1 {4}', 'not for its sender');
INSERT INTO users (handle, name) SELECT 't-many-' || n, 'Many' FROM generate_series(1, 600) n;
SELECT members_insert(:open, ARRAY(SELECT id FROM users WHERE handle LIKE 't-many-%'), array_fill('member'::text, ARRAY[600]), false) \g /dev/null
SELECT count(*) AS rows FROM mentions \gset
SELECT is(spy.call(:open, :bob, 6, '["channel"]'), '0 5', 'the channel has six hundred members more');
SELECT is((SELECT count(*) FROM mentions), :rows::bigint, 'and it costs no row for any of them');
SELECT is(spy.mentions(:open, (SELECT max(id) FROM users WHERE handle LIKE 't-many-%')), '1 {5}', 'yet counts for each');
SELECT spy.forget() \g /dev/null
SELECT is(spy.edit(:open, :bob, 5, 'less', '[]'), 'ok', 'an edit takes the channel away');
SELECT results_eq('SELECT spy.routes()', ARRAY['r ' || :open || ' 0 5 message.updated'], 'in one line to all');
SELECT is(spy.mentions(:open, :alice), '1 {4}', 'and it counts no more');
SELECT is(spy.edit(:open, :bob, 5, 'more', '["channel"]'), 'call_added', 'but does not bring it back');
SELECT is(spy.edit(:open, :bob, 5, 'more', '["here"]'), 'call_added', 'nor who is here');
SELECT is(spy.edit(:open, :alice, 3, 'me alone', jsonb_build_array(:bob)), 'ok', 'whom it names besides');
SELECT is(spy.mentions(:open, :bob) || ', ' || spy.mentions(:open, :guest), '2 {}, 2 {4}', 'it names still');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM message_delete(:open, :bob, 4)), 'ok', 'one is deleted');
SELECT results_eq('SELECT spy.routes()', ARRAY['r ' || :open || ' 0 4 message.deleted'], 'in one line to all, whatever it named');
SELECT is(spy.mentions(:open, :alice), '0 {}', 'and counts no more');
SELECT is((SELECT count(*)::int FROM wide_mentions), 0, 'no row is left');

-- who is here
SELECT is(spy.call(:open, :alice, 7, '["here"]'), '0 6', 'where nobody is');
SELECT is(spy.body(:open, 6)->'reached', '{"here": []}', 'it reaches nobody');
INSERT INTO presence (user_id, state, last_active) VALUES (:alice, 'online', now()), (:bob, 'away', now() - interval '14 min'),
	(:guest, 'away', now() - interval '16 min');
INSERT INTO presence (user_id, state) SELECT id, 'online' FROM users WHERE handle IN ('t-many-1', 't-many-2');
INSERT INTO user_settings (user_id, invisible) SELECT id, true FROM users WHERE handle = 't-many-2';
SELECT id AS first FROM users WHERE handle = 't-many-1' \gset
SELECT is(spy.call(:open, :alice, 8, '["here"]'), '0 7', 'where some are');
SELECT is(spy.body(:open, 7)->'reached', jsonb_build_object('here', ARRAY[:bob, :first]), 'those online, or away for a short while; no one who is invisible');
SELECT is(spy.mentions(:open, :first), '1 {}', 'for whom it counts');
INSERT INTO presence (user_id, state) SELECT id, 'online' FROM users WHERE handle LIKE 't-many-%' ON CONFLICT DO NOTHING;
SELECT is(spy.call(:open, :alice, 9, '["here"]'), '17', 'more than may be are not named so');
SELECT is(calls_count(:open, :alice, ARRAY[-1]::bigint[], '{}'), 501::bigint, 'which can be asked before');
SELECT is(calls_count(:open, :alice, ARRAY[0]::bigint[], '{}'), 602::bigint, 'as of the channel');
SELECT is(calls_count(:open, :alice, ARRAY[:team]::bigint[], ARRAY[:bob, :guest, :carol]), 2::bigint, 'each once, of those who are in');

-- who may
SELECT is(spy.call(:open, :guest, 10, '["channel"]'), '15', 'a guest names no channel');
SELECT is((SELECT channel_change(acting_of(:bob, true, NULL, NULL), :open, NULL, NULL, NULL, NULL, NULL, 'moderators')),
	'forbidden', 'a member does not say who may');
SELECT is((SELECT channel_change(acting_of(:alice, true, NULL, NULL), :open, NULL, NULL, NULL, NULL, NULL, 'moderators')), 'ok', 'its owner does');
SELECT is((SELECT details->'mention_all' FROM audit ORDER BY id DESC LIMIT 1), '{"from": "everyone", "to": "moderators"}', 'which is kept');
SELECT is(spy.call(:open, :bob, 10, '["channel"]'), '15', 'then a member may not');
SELECT is(spy.call(:open, :bob, 10, '["here"]'), '15', 'neither way');
SELECT is(spy.call(:open, :bob, 10, jsonb_build_array('group:' || :team)), '0 8', 'a group he may name');
SELECT is(spy.call(:open, :alice, 11, '["channel"]'), '0 9', 'its owner may');

-- threads, direct channels
SELECT is(spy.call(:open, :alice, 12, '["channel"]', 9), '18', 'a reply in its thread alone does not name the channel');
SELECT is(spy.call(:open, :alice, 12, '["channel"]', -9), '0 10', 'one in the channel too does');
SELECT is(spy.call(:open, :alice, 13, jsonb_build_array('group:' || :team), 9), '0 11', 'a group is named in any');
SELECT is(spy.mentions(:open, :guest), '5 {9,10}', 'which counts');
SELECT is((SELECT count(*)::int FROM thread_followers WHERE user_id = :guest), 0, 'but makes nobody follow');
SELECT channel AS pair FROM channel_direct(:alice, :bob) \gset
SELECT is(spy.call(:pair, :alice, 1, '["channel"]'), '18', 'a direct channel is not named');
SELECT is(spy.call(:pair, :alice, 1, jsonb_build_array('group:' || :team)), '0 1', 'a group is');

-- the end of a group
SELECT spy.forget() \g /dev/null
SELECT is(group_delete(acting_of(:alice, true, NULL, NULL), false, :team), 'groups_forbidden', 'a member deletes none');
SELECT is(group_delete(acting_of(:root, true, NULL, NULL), false, :team), 'ok', 'an admin does');
SELECT is(group_delete(acting_of(:root, true, NULL, NULL), false, :team), 'no_group_found', 'once');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb - 'cursor' FROM spy.lines() l), jsonb_build_object('type', 'group.deleted', 'group', :team),
	'which everyone is told');
SELECT is((SELECT event_tail(e)::text FROM events e ORDER BY id DESC LIMIT 1), '"group": ' || :team || '}', 'later too');
SELECT is((SELECT ('{' || event_tail(e))::jsonb#>>'{group,id}' FROM events e WHERE type = 'group.created' AND subject = :team), :'team',
	'and to who comes back after it what it was');
SELECT is(spy.mentions(:open, :guest), '5 {9,10}', 'what it has reached stays');
SELECT is(spy.log_is_whole(), true, 'in one log without a gap');
SELECT finish();
ROLLBACK;
