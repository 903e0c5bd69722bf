-- Drafts, pins and saved messages: what changes, what is told to whom. Who is refused by REST: tests/api/keep.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

CREATE FUNCTION spy.draft(channel bigint, writer bigint, words text, based bigint, files bigint[] DEFAULT '{}', thread bigint DEFAULT 0) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT code || coalesce(' ' || (state->>'version') || ' ' || (state->>'text'), '') FROM draft_set(channel, writer, thread, words, files, NULL, based)
$$;
CREATE FUNCTION spy.drafts(reader bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT count(*) FILTER (WHERE draft_counts(d)) || ' of ' || count(*) FROM drafts d WHERE d.user_id = reader
$$;
CREATE FUNCTION spy.told() RETURNS SETOF text LANGUAGE sql VOLATILE AS $$
	SELECT regexp_replace(l, '^[0-9]+ (. [-0-9]+ [-0-9]+ [-0-9]+) .*"type": ?"([a-z._]+)".*$', '\1 \2') FROM spy.lines() l
$$;
CREATE FUNCTION spy.pin(channel bigint, actor bigint, wanted bigint, wish boolean DEFAULT true, most int DEFAULT 3) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT code || coalesce(' ' || (state->>'pins_version') || ' ' ||
		coalesce((SELECT string_agg(p->>'seq', ',') FROM jsonb_array_elements(state->'pins') p), '-'), '')
	FROM pin_set(channel, acting_of(actor, true, 't', NULL), wanted, wish, most)
$$;
CREATE FUNCTION spy.save(channel bigint, actor bigint, wanted bigint, wish boolean DEFAULT true, most int DEFAULT 2) RETURNS text
LANGUAGE sql VOLATILE AS $$
	SELECT code || coalesce(' ' || (state->>'version') || ' ' || (state->>'saved'), '') FROM save_set(channel, actor, wanted, wish, most)
$$;
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'one'), spy.item(:open, :bob, 2, 'two'), spy.item(:open, :bob, 3, 'three'),
	spy.item(:open, :bob, 4, 'four')) \g /dev/null
SELECT spy.forget() \g /dev/null
SELECT stream_head() AS head \gset

-- drafts
SELECT is(spy.draft(:open, :alice, 'a', 0), 'ok 1 a', 'the first');
SELECT is(spy.draft(:open, :alice, 'a', 0), 'again 1 a', 'its retry changes nothing');
SELECT is(spy.draft(:open, :alice, 'ab', 1), 'ok 2 ab', 'the next on it');
SELECT is(spy.draft(:open, :alice, 'ax', 1), 'draft_changed', 'another device that knows only the first');
SELECT is(spy.draft(:open, :alice, 'a', 0), 'draft_changed', 'what was late');
SELECT is(spy.draft(:open, :alice, '', 2), 'ok 3 ', 'sent: it says nothing any more');
SELECT is(spy.draft(:open, :alice, 'ab', 2), 'draft_changed', 'what was written before does not come back');
SELECT is(spy.draft(:open, :alice, '', 2), 'again 3 ', 'the retry of the end');
SELECT is(spy.draft(:open, :alice, '', NULL), 'again 3 ', 'nor does it matter on what');
SELECT is(spy.draft(:closed, :alice, '', 0), 'ok 1 ', 'sent before any draft had come');
SELECT is(spy.draft(:closed, :alice, 'late', 0), 'draft_changed', 'and the one that was on its way is refused');
SELECT is(spy.draft(:closed, :carol, 'x', 0), 'not_found', 'nothing where one does not look in');
SELECT is(spy.draft(:open, :carol, 'x', 0), 'not_a_member', 'nor where one is not in');
SELECT is(spy.draft(:open, :alice, 'x', 3, '{77}'), 'not_attachable', 'nor of files that are not there');
SELECT results_eq('SELECT spy.told()', ARRAY['s 0 ' || :alice || ' 0 draft', 's 0 ' || :alice || ' 0 draft', 's 0 ' || :alice || ' 0 draft',
	's 0 ' || :alice || ' 0 draft'], 'own instances are told of each change, and nobody else');
SELECT is(stream_head(), :head::bigint, 'the log of none');
SELECT is(spy.draft(:open, :alice, repeat('€', 5000), 3), 'ok 4 ' || repeat('€', 5000), 'a long one');
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb FROM spy.lines() l),
	jsonb_build_object('type', 'draft', 'channel', :open, 'thread', NULL, 'version', 4), 'is told without its text');

INSERT INTO files (owner, client_id, channel_id, name, size, declared_type, type, key, state, put_until, created_at)
	SELECT :alice, spy.uuid(n), :open, 'f', 1, '', '', 't-keep-' || n, 'ready', now() - interval '2 days', now() - interval '2 days'
	FROM generate_series(1, 2) n;
SELECT min(id) AS held, max(id) AS loose FROM files \gset
SELECT is(spy.draft(:open, :alice, '', 4, ARRAY[:held]::bigint[]), 'ok 5 ', 'one of a file alone says something');
SELECT is(spy.draft(:open, :bob, '', 0, ARRAY[:held]::bigint[]), 'not_attachable', 'but not of somebody else''s');
SELECT is(files_collect(1000, 100), 1, 'what is in no message and no draft goes');
SELECT is((SELECT state FROM files WHERE id = :held), 'ready', 'what is in a draft stays');

-- of threads
SELECT spy.drafts(:alice) AS before \gset
SELECT matches(spy.draft(:open, :alice, 'r', 0, thread => 2), '^ok [0-9]{13} r$', 'a thread has one too, whose versions begin with the time');
SELECT version AS v FROM drafts WHERE user_id = :alice AND thread = 2 \gset
SELECT is((SELECT substring(l FROM '\{.*$')::jsonb - 'edited_at' FROM spy.lines() l WHERE l LIKE '%"thread": 2%'), jsonb_build_object('type', 'draft',
	'channel', :open, 'thread', 2, 'text', 'r', 'files', '[]'::jsonb, 'reply_to', NULL, 'version', :v), 'and says of which');
SELECT is(spy.draft(:open, :alice, 're', :v, thread => 2), 'ok ' || :v + 1 || ' re', 'then they count on');
SELECT is(spy.draft(:open, :alice, 're', 0, thread => 2), 'again ' || :v + 1 || ' re', 'as any other');
SELECT is(spy.draft(:open, :alice, 'x', 0, thread => 2), 'draft_changed', 'by version');
SELECT is(spy.draft(:open, :alice, 'x', 0, thread => 99), 'no_root', 'none of what is not there');
INSERT INTO messages (channel_id, seq, sender, client_id, created_at, body, thread)
	SELECT :open, 900, :bob, spy.uuid(900), now(), '{"text":"x"}', 2;
SELECT is(spy.draft(:open, :alice, 'x', 0, thread => 900), 'root_is_reply', 'nor of a reply');
SELECT is(spy.drafts(:alice), (split_part(:'before', ' ', 1)::int + 1) || ' of ' || (split_part(:'before', ' ', 3)::int + 1), 'it counts');
SELECT is(spy.draft(:open, :alice, '', :v + 1, thread => 2), 'ok ' || :v + 2 || ' ', 'sent');
SELECT is(spy.draft(:open, :alice, 'late', :v + 1, thread => 2), 'draft_changed', 'it does not come back');
SELECT is(spy.drafts(:alice), split_part(:'before', ' ', 1) || ' of ' || (split_part(:'before', ' ', 3)::int + 1), 'and does not count');
SELECT is(drafts_forget(1000), 0::bigint, 'as long as a log has it');
UPDATE drafts SET edited_at = edited_at - interval '2 seconds';
SELECT is(drafts_forget(1000), 1::bigint, 'then it is forgotten');
SELECT is(spy.drafts(:alice), :'before', 'and of the channels none');
DELETE FROM messages WHERE seq = 900;
SELECT spy.forget() \g /dev/null

-- pins
SELECT is(spy.pin(:open, :alice, 2), 'ok 1 2', 'an owner pins');
SELECT is(spy.pin(:open, :alice, 2), 'again 1 2', 'once');
SELECT is(spy.pin(:open, :bob, 1), 'forbidden', 'a member does not');
SELECT is(spy.pin(:open, :root, 1), 'ok 2 2,1', 'an admin does');
SELECT is(spy.pin(:open, :alice, 3, true, 2), 'too_many_pins', 'there is an end to it');
SELECT is(spy.pin(:open, :alice, 9), 'no_message', 'what is not there is not pinned');
SELECT is(spy.pin(:closed, :carol, 1), 'not_found', 'nor what one does not see');
SELECT is(spy.pin(:open, :carol, 1), 'not_a_member', 'nor where one is not in');
SELECT is(spy.pin(:open, :alice, 2, false), 'ok 3 1', 'taken down');
SELECT is(spy.pin(:open, :alice, 2, false), 'again 3 1', 'once');
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :open || ' 0 2 pins.updated', 'p ' || :open || ' 0 1 pins.updated',
	'p ' || :open || ' 0 2 pins.updated'], 'the members are told');
SELECT is((SELECT ('{' || event_tail(e))::jsonb FROM events e WHERE e.id = :head::bigint + 1), pins_json(:open), 'a replay says what is so now');

-- saved
SELECT is(spy.save(:open, :bob, 1), 'ok 1 true', 'one saves');
SELECT is(spy.save(:open, :bob, 1), 'again 1 true', 'once');
SELECT is(spy.save(:open, :bob, 3), 'ok 2 true', 'and another');
SELECT is(spy.save(:open, :bob, 4), 'too_many_saves', 'there is an end to it');
SELECT is(spy.save(:open, :bob, 3, false), 'ok 3 false', 'and forgets it');
SELECT is(spy.save(:open, :bob, 3, false), 'again 3 false', 'once');
SELECT is(spy.save(:open, :bob, 9), 'no_message', 'what is not there is not saved');
SELECT is(spy.save(:open, :carol, 1), 'not_a_member', 'nor where one is not in');
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :open || ' ' || :bob || ' 1 saved.updated', 'p ' || :open || ' ' || :bob || ' 3 saved.updated',
	'p ' || :open || ' ' || :bob || ' 3 saved.updated'], 'his own instances are told');

-- a deletion
SELECT code FROM message_delete(:open, :alice, 1) \g /dev/null
SELECT results_eq('SELECT spy.routes()', ARRAY['p ' || :open || ' 0 1 pins.updated', 'r ' || :open || ' 0 1 message.deleted'],
	'what is deleted is pinned no more');
SELECT is(pins_json(:open)->'pins', '[]'::jsonb, 'so the list says');
SELECT is((SELECT count(*)::int FROM saves), 0, 'nor saved');
SELECT is(spy.pin(:open, :alice, 1), 'gone', 'and is not again');
SELECT is(spy.save(:open, :bob, 1), 'gone', 'neither');

-- what is too old to be kept
SELECT code FROM pin_set(:open, acting_of(:alice, true, 't', NULL), 2, true, 3) \g /dev/null
SELECT code FROM save_set(:open, :bob, 2, true, 2) \g /dev/null
SELECT is(channel_change(acting_of(:alice, true, NULL, NULL), :open, NULL, NULL, NULL, 10), 'ok', 'a channel keeps ten days');
UPDATE messages SET created_at = now() - interval '20 days' WHERE channel_id = :open;
SELECT spy.forget() \g /dev/null
SELECT retention_sweep(100) \g /dev/null
SELECT is(ARRAY(SELECT r FROM spy.routes() r WHERE r LIKE '% 2 %'), ARRAY['p ' || :open || ' 0 2 pins.updated', 'r ' || :open || ' 0 2 message.deleted'],
	'what is swept is pinned no more');
SELECT is(pins_json(:open)->'pins', '[]'::jsonb, 'nor in the list');
SELECT is((SELECT count(*)::int FROM saves), 0, 'nor saved');
SELECT ok(spy.log_is_whole(), 'the log is whole');
SELECT * FROM finish();
ROLLBACK;
