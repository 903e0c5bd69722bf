-- Direct channels of several, what somebody wants of his channels, his side bar, the place of a time, links into a channel, and for how
-- long messages are kept: what each function does, tells and refuses.
\ir include/site.sql
SELECT * FROM no_plan();
SELECT user_insert('t-guest', 'Guest', NULL, NULL, false, 'guest') AS guest \gset
SELECT user_insert('t-gone', 'Gone', NULL, NULL, false, 'member') AS gone \gset
SELECT user_deactivate(:gone) \g /dev/null
SELECT spy.forget() \g /dev/null

-- channel_group
SELECT channel AS three FROM channel_group(:bob, ARRAY[:carol, :alice, :carol, :bob]::bigint[]) \gset
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :three || ' 0 0 channel.created', 'j ' || :three || ' 0 ' || :alice || ' member.joined',
	'j ' || :three || ' 0 ' || :bob || ' member.joined', 'j ' || :three || ' 0 ' || :carol || ' member.joined'], 'made with all in it');
SELECT results_eq(format('SELECT * FROM channel_group(%s, ARRAY[%s, %s]::bigint[])', :alice, :bob, :carol),
	format('VALUES (''ok'', %s::bigint, false)', :three), 'one for each set of people, whoever asks');
SELECT is((SELECT channel_json_for(c, :carol) - '{created_at,last_seq,membership,prefs,version,archived,topic,keep_days,mention_all,history}'::text[]
	FROM channels c WHERE id = :three),
	jsonb_build_object('id', :three, 'kind', 'direct', 'name', NULL, 'peer', NULL, 'members', 3, 'people', ARRAY[:alice, :bob, :carol]),
	'which it tells, without a name or a peer');
SELECT is((SELECT array_agg(DISTINCT role) FROM members WHERE channel_id = :three), ARRAY['member'], 'without roles');
SELECT is(member_add(:three, :alice, :root, 100), 'unprocessable', 'nobody is added');
SELECT is(member_remove(:three, :alice, :alice), 'unprocessable', 'nobody leaves');
SELECT is(channel_change(acting_of(:root, true, NULL, NULL), :three, 't-name', NULL, NULL), 'not_found', 'an admin has no say in it');
SELECT is(channel_change(acting_of(:alice, false, NULL, NULL), :three, NULL, NULL, true), 'unprocessable', 'nor has who is in it');
SELECT is((SELECT created FROM channel_group(:bob, ARRAY[:alice, :carol, :root]::bigint[])), true, 'one more is another set');
SELECT channel AS pair FROM channel_direct(:bob, :alice) \gset
SELECT results_eq(format('SELECT * FROM channel_group(%s, ARRAY[%s, %s]::bigint[])', :alice, :bob, :alice),
	format('VALUES (''ok'', %s::bigint, false)', :pair), 'of two it is the one of two');
SELECT is((SELECT code FROM channel_group(:alice, ARRAY[:bob, :gone]::bigint[])), 'unknown_member', 'nobody deactivated');
SELECT is((SELECT code FROM channel_group(:alice, ARRAY[:bob, 9223372036854775807]::bigint[])), 'unknown_member', 'nobody unknown');
SELECT is((SELECT code FROM channel_group(:guest, ARRAY[:bob, :alice]::bigint[])), 'unknown_member', 'a guest with no strangers');
SELECT member_add(:closed, :alice, :guest, 100) \g /dev/null
SELECT is((SELECT code FROM channel_group(:guest, ARRAY[:bob, :alice]::bigint[])), 'ok', 'with people of his channels he may');
SELECT is((SELECT code FROM channel_group(:guest, ARRAY[:bob, :carol]::bigint[])), 'unknown_member', 'all of them');
SELECT throws_ok($$INSERT INTO channels (kind, direct_people) VALUES ('direct', ARRAY[1, 2])$$, '23514', NULL, 'not of two');
SELECT spy.forget() \g /dev/null

-- prefs_change
SELECT stream_head() AS head \gset
SELECT is((SELECT channel_json_for(c, :bob)->'prefs' FROM channels c WHERE id = :open),
	'{"notify": null, "quiet_until": null, "favourite": false, "section": null, "version": 0}', 'the defaults');
SELECT is((SELECT channel_json_for(c, :carol)->'prefs' FROM channels c WHERE id = :open), 'null', 'of who is not in it there are none');
SELECT is((SELECT prefs FROM prefs_change(:open, :bob, '{"notify": "nothing", "quiet_until": "forever"}')),
	'{"notify": "nothing", "quiet_until": "forever", "favourite": false, "section": null, "version": 1}', 'what is named is set');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 ' || :bob || ' ' || :open || ' prefs.updated'], 'he is told, and nobody else');
SELECT is((SELECT event_tail(e) FROM events e WHERE e.id = :head + 1),
	'"prefs": {"notify": "nothing", "section": null, "version": 1, "favourite": false, "quiet_until": "forever"}, "channel": ' || :open || '}',
	'a replay tells the same');
SELECT is((SELECT prefs FROM prefs_change(:open, :bob, '{"notify": "nothing"}'))->>'version', '1', 'the same again is no change');
SELECT is(stream_head(), :head + 1::bigint, 'and no event');
SELECT is((SELECT prefs FROM prefs_change(:open, :bob, '{"quiet_until": "2001-01-01T00:00:00Z", "favourite": true}')),
	'{"notify": "nothing", "quiet_until": null, "favourite": true, "section": null, "version": 2}', 'a time that is over is none');
SELECT is((SELECT event_tail(e) FROM events e WHERE e.id = :head + 1)::text ~ '"version": 2', true, 'a replay tells what is so now');
SELECT is((SELECT code FROM prefs_change(:open, :carol, '{}')), 'not_a_member', 'of a channel that one is in');
SELECT is((SELECT code FROM prefs_change(:closed, :carol, '{}')), 'not_found', 'and sees');
SELECT is((SELECT code FROM prefs_change(:open, :bob, jsonb_build_object('section', spy.uuid(1)))), 'no_section', 'into a section that is there');
SELECT member_remove(:open, :bob, :bob), member_add(:open, :bob, :bob, 100) \g /dev/null
SELECT is((SELECT channel_json_for(c, :bob)->'prefs'->>'notify' FROM channels c WHERE id = :open), 'nothing', 'they outlive a membership');
SELECT spy.forget() \g /dev/null

-- sidebar_set
SELECT stream_head() AS head \gset
SELECT is((SELECT sidebar_json(s)->'version' FROM (SELECT) one LEFT JOIN sidebars s ON s.user_id = :bob), '0', 'a side bar before it was arranged');
SELECT jsonb_build_array(jsonb_build_object('kind', 'favourites', 'collapsed', true),
	jsonb_build_object('kind', 'own', 'id', spy.uuid(1), 'name', 'Work', 'collapsed', false), '{"kind":"channels","collapsed":false}'::jsonb,
	'{"kind":"direct","collapsed":false}'::jsonb) AS wish \gset
SELECT is((SELECT sidebar FROM sidebar_set(:bob, :'wish', 0)), jsonb_build_object('version', 1, 'sections', :'wish'::jsonb), 'it is arranged');
SELECT results_eq('SELECT spy.routes()', ARRAY['p 0 ' || :bob || ' ' || :bob || ' sidebar.updated'], 'he is told');
SELECT is((SELECT event_tail(e) FROM events e WHERE e.id = :head + 1),
	substr(jsonb_build_object('sidebar', jsonb_build_object('version', 1, 'sections', :'wish'::jsonb))::text, 2), 'a replay tells the same');
SELECT is((SELECT code FROM sidebar_set(:bob, '[]', 0)), 'changed', 'not over a version that he has not seen');
SELECT is((SELECT sidebar->>'version' FROM sidebar_set(:bob, :'wish', NULL)), '1', 'the same again is no change');
SELECT is((SELECT prefs->>'section' FROM prefs_change(:open, :bob, jsonb_build_object('section', spy.uuid(1)))), spy.uuid(1)::text,
	'a channel goes into a section');
SELECT is((SELECT prefs->>'section' FROM prefs_change(:open, :bob, '{"section": null}')), NULL, 'and out of it');

-- seq_at
SELECT is(seq_at(:closed, now()), 0::bigint, 'a channel without messages has no place');
INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body)
SELECT :closed, n, :alice, spy.uuid(n), '2026-01-01'::timestamptz + n * interval '1 day', '{"text":"x"}' FROM generate_series(4, 40) n;
SELECT is(array_agg(seq_at(:closed, '2026-01-01'::timestamptz + n * interval '1 day' - interval '1 hour')), ARRAY[4, 4, 5, 22, 40, 40]::bigint[],
	'the first that is not older, at either end too') FROM unnest(ARRAY[1, 4, 5, 22, 40, 50]) n;

-- links into a channel
SELECT sha256('one') AS one, sha256('two') AS two, sha256('three') AS three_hash \gset
SELECT is((SELECT code FROM channel_invite_make(acting_of(:bob, true, NULL, NULL), :closed, :'one', NULL, NULL)), 'forbidden', 'no member makes one');
SELECT is((SELECT code FROM channel_invite_make(acting_of(:carol, true, NULL, NULL), :closed, :'one', NULL, NULL)), 'not_found', 'nobody from outside');
SELECT is((SELECT code FROM channel_invite_make(acting_of(:alice, true, NULL, NULL), :three, :'one', NULL, NULL)), 'unprocessable', 'none into a direct one');
SELECT (invite->>'id')::bigint AS link FROM channel_invite_make(acting_of(:alice, true, NULL, NULL), :closed, :'one', 1, NULL) \gset
SELECT is((SELECT details FROM audit ORDER BY id DESC LIMIT 1), jsonb_build_object('invite', :link, 'max_uses', 1), 'the owner does, which is kept');
SELECT spy.forget() \g /dev/null
SELECT is((SELECT code FROM channel_invite_use(:bob, :'one', 100)), 'again', 'who is in already is in');
SELECT is((SELECT code FROM channel_invite_use(:carol, :'two', 100)), 'no_invite', 'an unknown code is none');
SELECT is((SELECT code FROM channel_invite_use(:carol, :'one', 2)), 'full', 'a full channel takes nobody');
SELECT results_eq(format('SELECT * FROM channel_invite_use(%s, %L, 100)', :carol, :'one'), format('VALUES (''ok'', %s::bigint)', :closed), 'it lets in');
SELECT results_eq('SELECT spy.routes()', ARRAY['j ' || :closed || ' 0 ' || :carol || ' member.joined'], 'which is told');
SELECT is((SELECT code FROM channel_invite_use(:root, :'one', 100)), 'no_invite', 'as often as it was made for');
SELECT is((SELECT code FROM channel_invite_use(:carol, :'one', 100)), 'again', 'again is harmless');
SELECT channel_invite_make(acting_of(:alice, true, NULL, NULL), :closed, :'two', NULL, now() - interval '1 second') \g /dev/null
SELECT is((SELECT code FROM channel_invite_use(:root, :'two', 100)), 'no_invite', 'as long as it was made for');
SELECT (invite->>'id')::bigint AS link FROM channel_invite_make(acting_of(:root, true, NULL, NULL), :closed, :'three_hash', NULL, NULL) \gset
SELECT is(channel_invite_withdraw(acting_of(:carol, true, NULL, NULL), :closed, :link), 'forbidden', 'a member withdraws none');
SELECT is(channel_invite_withdraw(acting_of(:alice, true, NULL, NULL), :open, :link), 'no_link', 'none of another channel');
SELECT is(channel_invite_withdraw(acting_of(:alice, true, NULL, NULL), :closed, :link), 'ok', 'an owner one of an admin''s');
SELECT is(channel_invite_withdraw(acting_of(:alice, true, NULL, NULL), :closed, :link), 'again', 'twice is once');
SELECT is((SELECT code FROM channel_invite_use(:root, :'three_hash', 100)), 'no_invite', 'then it lets nobody in');
INSERT INTO restrictions (channel_id, user_id, kind, until, reason, at) VALUES (:closed, :root, 'ban', 'infinity', '', now());
UPDATE channel_invites SET revoked_at = NULL WHERE id = :link;
SELECT is((SELECT code FROM channel_invite_use(:root, :'three_hash', 100)), 'banned', 'who is banned stays out');

-- retention_sweep; in closed: 4 to 40, a day apart, the first on the 5th of January
SELECT is(channel_change(acting_of(:carol, true, NULL, NULL), :closed, NULL, NULL, NULL, 10), 'owners_only', 'for how long is the owner''s');
SELECT is(retention_sweep(100), 0::bigint, 'as long as nobody says so all are kept');
SELECT is(channel_change(acting_of(:alice, true, NULL, NULL), :closed, NULL, NULL, NULL, 10), 'ok', 'who says ten days');
SELECT is((SELECT details FROM audit ORDER BY id DESC LIMIT 1), '{"keep_days": {"to": 10}}', 'which is kept');
SELECT is((SELECT channel_json(c)->'keep_days' FROM channels c WHERE id = :closed), '10', 'and shown');
UPDATE messages SET created_at = now() - (41 - seq) * interval '1 day' WHERE channel_id = :closed;
UPDATE messages SET body = jsonb_build_object('text', 'x', 'mentions', ARRAY[:bob]) WHERE channel_id = :closed AND seq IN (5, 39);
INSERT INTO mentions (user_id, channel_id, seq) SELECT :bob, :closed, n FROM unnest(ARRAY[5, 39]) n;
INSERT INTO message_edits (channel_id, seq, version, at, body) SELECT :closed, n, 1, now(), '{"text":"y"}' FROM unnest(ARRAY[4, 40]) n;
UPDATE messages SET deleted_at = now(), body = NULL WHERE channel_id = :closed AND seq = 6;
SELECT spy.forget() \g /dev/null
SELECT is(retention_sweep(3), 3::bigint, 'a batch is as large as is said');
SELECT is((SELECT array_agg(r) FROM spy.routes() r WHERE r LIKE 'r %'),
	ARRAY['r ' || :closed || ' 0 4 message.deleted', 'r ' || :closed || ' 0 5 message.deleted'], 'what was there is told as deleted');
SELECT is((SELECT array_agg(m.seq) FROM messages m WHERE m.channel_id = :closed AND m.body IS NOT NULL AND m.seq < 8), ARRAY[7]::bigint[], 'its text is gone');
SELECT is((SELECT array_agg(n.seq) FROM mentions n WHERE n.channel_id = :closed), ARRAY[39]::bigint[], 'so is whom it named');
SELECT is((SELECT array_agg(t.seq) FROM message_edits t WHERE t.channel_id = :closed), ARRAY[40]::bigint[], 'and what it said before');
SELECT is(tombstone_json(m) ? 'deleted_by', false, 'nobody did it') FROM messages m WHERE m.channel_id = :closed AND m.seq = 4;
SELECT is(retention_sweep(100), 24::bigint, 'up to the first that is to stay');
SELECT is(retention_sweep(100), 0::bigint, 'then there is nothing to do');
SELECT is((SELECT min(m.seq) FROM messages m WHERE m.channel_id = :closed AND m.body IS NOT NULL), 31::bigint, 'the others stay');
SELECT is(channel_change(acting_of(:alice, true, NULL, NULL), :closed, NULL, NULL, NULL, 1), 'ok', 'for a shorter time');
SELECT is(retention_sweep(100), 9::bigint, 'more of them go');
SELECT is(channel_change(acting_of(:alice, true, NULL, NULL), :closed, NULL, NULL, NULL, 0), 'ok', 'or for ever again');
SELECT is((SELECT keep_days FROM channels WHERE id = :closed), NULL, 'as before');
SELECT * FROM finish();
ROLLBACK;
