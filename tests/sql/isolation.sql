-- Events are emitted and markers move under read committed only: under one snapshot for the lock and the look, numbers would repeat.
\set ON_ERROR_STOP 1
\set QUIET 1
SELECT stream_open() \g /dev/null
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT plan(5);
SELECT throws_ok('SELECT stream_head_locked()', '25000', 'events are emitted under read committed only', 'repeatable read is refused');
SELECT throws_ok($$SELECT emit_event('p', 'test', 0, -1, 0, '{}')$$, '25000', NULL, 'for those who emit too');
SELECT throws_ok($$SELECT read_marks('{1}', '{1}', '{1}', '{0}', '{0}', '{0}', 100, false)$$, '25000', 'markers move under read committed only',
	'for those who move a marker: a count of an older snapshot would bear a newer version');
SELECT throws_ok($$SELECT read_marks('{}', '{}', '{}', '{}', '{}', '{}', 100, false)$$, '25000', NULL, 'whatever there is to move');
SELECT is((SELECT count(*)::int FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()), 0, 'and nothing is held after it');
SELECT * FROM finish();
ROLLBACK;
