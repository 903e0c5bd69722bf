-- Previews of links: which message waits, what sets a card, what an edit leaves of it. What is asked for and what is not: tests/api/previews.test.mjs.
\ir include/site.sql
SELECT * FROM no_plan();

CREATE FUNCTION spy.card(url text) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
	SELECT jsonb_build_object('url', url, 'host', 'x.org', 'site', NULL, 'title', 'of ' || url, 'description', NULL)
$$;
CREATE FUNCTION spy.edit(channel bigint, actor bigint, wanted bigint, words text, link text DEFAULT NULL) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT code FROM message_edit(channel, actor, wanted, jsonb_build_object('text', words)::text, words = '', '{}', NULL, 3600000, link)
$$;
CREATE FUNCTION spy.said(channel bigint, wanted bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT (m.body->>'text') || coalesce(' [' || (m.body->'preview'->>'title') || ']', CASE WHEN m.body->'preview' = 'null' THEN ' [away]' END, '')
	FROM messages m WHERE m.channel_id = channel AND m.seq = wanted
$$;
CREATE FUNCTION spy.jobs() RETURNS SETOF text LANGUAGE sql STABLE AS $$
	SELECT j.seq || ' ' || j.tries || CASE WHEN j.claimed_until > now() THEN ' claimed' ELSE '' END FROM preview_jobs j ORDER BY j.seq
$$;
CREATE FUNCTION spy.claim() RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT string_agg(seq || ': ' || coalesce(said, 'nothing'), ' ') FROM preview_claim()
$$;
SELECT count(*) FROM spy.batch(spy.item(:open, :alice, 1, 'http://x.org/a'), spy.item(:open, :bob, 2, 'see http://x.org/b now')) \g /dev/null
SELECT spy.forget() \g /dev/null

-- what waits, and what comes of it
SELECT previews_wanted(ARRAY[:open, :open]::bigint[], ARRAY[1, 2]::bigint[]) \g /dev/null
SELECT results_eq('SELECT spy.jobs()', ARRAY['1 0', '2 0'], 'messages with links wait');
SELECT is(spy.claim(), '1: http://x.org/a', 'the first is claimed');
SELECT is(spy.claim(), '2: see http://x.org/b now', 'then the next');
SELECT is(spy.claim(), NULL, 'what is claimed is claimed once');
SELECT is(preview_set(:open, 1, spy.card('http://x.org/a'), 'http://x.org/a'), true, 'a card is set');
SELECT is(preview_set(:open, 2, NULL, 'see http://x.org/b now'), false, 'a page that says nothing sets none');
SELECT is((SELECT body ? 'preview' FROM messages WHERE channel_id = :open AND seq = 2), false, 'nothing at all');
SELECT is_empty('SELECT spy.jobs()', 'both have been looked at');
SELECT is(spy.said(:open, 1), 'http://x.org/a [of http://x.org/a]', 'it stands with the message');
SELECT is((SELECT version FROM messages WHERE channel_id = :open AND seq = 1), 2::bigint, 'of another version');
SELECT results_eq('SELECT spy.routes()', ARRAY['r ' || :open || ' 0 1 message.updated'], 'which is told');
SELECT is(preview_set(:open, 1, spy.card('http://x.org/a'), 'http://x.org/a'), false, 'once');

-- an edit keeps the card of the link that counts, and of no other
SELECT is(spy.edit(:open, :alice, 1, 'more: http://x.org/a', 'http://x.org/a'), 'ok', 'an edit around the link');
SELECT is(spy.said(:open, 1), 'more: http://x.org/a [of http://x.org/a]', 'keeps the card');
SELECT is(spy.edit(:open, :alice, 1, 'more: http://x.org/ab', 'http://x.org/ab'), 'ok', 'a link that begins like the former one');
SELECT is(spy.said(:open, 1), 'more: http://x.org/ab', 'is another link');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[1]::bigint[]) \g /dev/null
SELECT is(spy.claim(), '1: more: http://x.org/ab', 'and is looked at');
SELECT is(preview_set(:open, 1, spy.card('http://x.org/ab'), 'more: http://x.org/ab'), true, 'which gives it');
SELECT is(spy.said(:open, 1), 'more: http://x.org/ab [of http://x.org/ab]', 'a card of its own');
SELECT is(spy.edit(:open, :alice, 1, 'http://y.org?u=http://x.org/ab', 'http://y.org?u=http://x.org/ab'), 'ok', 'a link that bears the former one');
SELECT is(spy.said(:open, 1), 'http://y.org?u=http://x.org/ab', 'is another, too');
SELECT is(spy.edit(:open, :alice, 1, '`http://x.org/ab`'), 'ok', 'code has no link');
SELECT is(spy.said(:open, 1), '`http://x.org/ab`', 'and no card');

-- an edit while the page is asked for
SELECT is(spy.edit(:open, :bob, 2, 'http://x.org/c', 'http://x.org/c'), 'ok', 'a link');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[2]::bigint[]) \g /dev/null
SELECT is(spy.claim(), '2: http://x.org/c', 'is looked at');
SELECT is(spy.edit(:open, :bob, 2, 'http://x.org/cd', 'http://x.org/cd'), 'ok', 'it is edited meanwhile');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[2]::bigint[]) \g /dev/null
SELECT is(preview_set(:open, 2, spy.card('http://x.org/c'), 'http://x.org/c'), false, 'the card of what it said is not its own');
SELECT is(spy.said(:open, 2), 'http://x.org/cd', 'it has none');
SELECT results_eq('SELECT spy.jobs()', ARRAY['2 0'], 'and waits again');
SELECT is(spy.claim(), '2: http://x.org/cd', 'for what it says now');
SELECT is(preview_set(:open, 2, spy.card('http://x.org/cd'), 'http://x.org/cd'), true, 'of which it gets one');
SELECT is_empty('SELECT spy.jobs()', 'then nothing waits');
-- the index comes behind the answer
SELECT is(spy.edit(:open, :bob, 2, 'http://x.org/e', 'http://x.org/e'), 'ok', 'another link');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[2]::bigint[]) \g /dev/null
SELECT is(spy.claim(), '2: http://x.org/e', 'is looked at');
SELECT is(spy.edit(:open, :bob, 2, 'http://x.org/ef', 'http://x.org/ef'), 'ok', 'edited');
SELECT is(preview_set(:open, 2, spy.card('http://x.org/e'), 'http://x.org/e'), false, 'no card of what it said');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[2]::bigint[]) \g /dev/null
SELECT is(spy.claim(), '2: http://x.org/ef', 'it is looked at anew');
SELECT is(preview_set(:open, 2, spy.card('http://x.org/ef'), 'http://x.org/ef'), true, 'for its card');

-- its author takes it away, for good
SELECT is(preview_remove(:open, :alice, 2), 'not_yours', 'nobody else does');
SELECT is(preview_remove(:open, :bob, 2), 'ok', 'he does');
SELECT is(preview_remove(:open, :bob, 2), 'again', 'once');
SELECT is(spy.said(:open, 2), 'http://x.org/ef [away]', 'it says so');
SELECT is(spy.edit(:open, :bob, 2, 'http://x.org/g', 'http://x.org/g'), 'ok', 'an edit');
SELECT is(spy.said(:open, 2), 'http://x.org/g [away]', 'leaves it so');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[2]::bigint[]) \g /dev/null
SELECT is_empty('SELECT spy.jobs()', 'and nothing is looked at');

-- three tries, and none for what is gone
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[1]::bigint[]) \g /dev/null
UPDATE preview_jobs SET tries = 3;
SELECT is(spy.claim(), '1: nothing', 'after three tries there is nothing to do');
SELECT is(preview_set(:open, 1, NULL, NULL), false, 'for which nothing is set');
SELECT is_empty('SELECT spy.jobs()', 'and it waits no more');
SELECT previews_wanted(ARRAY[:open]::bigint[], ARRAY[1]::bigint[]) \g /dev/null
UPDATE messages SET deleted_at = now(), body = NULL WHERE channel_id = :open AND seq = 1;
SELECT is(spy.claim(), '1: nothing', 'a deleted one says nothing');
SELECT is(preview_set(:open, 1, spy.card('http://x.org/a'), NULL), false, 'and gets nothing');
SELECT is_empty('SELECT spy.jobs()', 'nor waits');

SELECT * FROM finish();
ROLLBACK;
