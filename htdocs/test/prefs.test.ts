// What one wants of channels and of the side bar: by events and by a fresh load the same, what counts, and what the clock ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arranged, nextQuietEnd } from '../src/model/prefs';
import { reduce } from '../src/model/reduce';
import { directName, type State } from '../src/model/state';
import type { Channel, Prefs, Section } from '../src/model/types';
import { levelOf, loudOf, totals } from '../src/model/unread';
import { channelLabel } from '../src/ui/names';
import { ME, T0, channel, membership, signedIn, user } from './help';

const prefs = (more: Partial<Prefs> = {}): Prefs => ({ notify: null, quiet_until: null, favourite: false, section: null, version: 0, ...more });
const room = (id: number, unread: number, mentions: number, more: Partial<Channel> = {}) =>
	channel(id, { last_seq: 10, membership: membership({ last_read_seq: 10 - unread, unread, mentions, read_version: 1 }), prefs: prefs(), ...more });
const line = (s: State, type: string, more: object) => reduce(s, { type: 'lines', lines: [{ type, cursor: '1', ...more }] });

test('a line and a load tell the same, whichever comes last; an older one changes nothing', () => {
	const told = prefs({ notify: 'nothing', favourite: true, version: 2 });
	const before = signedIn(room(1, 2, 1));
	const byLine = line(before, 'prefs.updated', { channel: 1, prefs: told });
	const byLoad = signedIn(room(1, 2, 1, { prefs: told }));
	assert.deepEqual(byLine.channels[1]!.prefs, byLoad.channels[1]!.prefs);
	const late = reduce(byLine, { type: 'channel', channel: room(1, 2, 1, { prefs: prefs({ version: 1 }) }) });
	assert.deepEqual(late.channels[1]!.prefs, told, 'an answer that was asked for before');
	assert.deepEqual(line(byLine, 'prefs.updated', { channel: 1, prefs: prefs({ version: 1 }) }).channels[1]!.prefs, told);
	const renamed = line(byLine, 'channel.updated', { channel: { ...room(1, 2, 1), version: 9, name: 'other', prefs: undefined } });
	assert.deepEqual(renamed.channels[1]!.prefs, told, 'what is the same for everyone does not touch it');
	assert.equal(line(before, 'prefs.updated', { channel: 7, prefs: told }), before, 'a channel that one is not in');
	const anew = reduce(reduce(byLine, { type: 'distrust' }), { type: 'channel', channel: room(1, 2, 1, { version: 1 }) });
	assert.equal(anew.channels[1]!.prefs!.version, 0, 'after the log went back a lower version is the true one');
});

test('what calls for attention goes by the level; quiet and archived channels count nowhere', () => {
	const direct = { kind: 'direct' as const, name: null, peer: 7 };
	const all = [room(1, 5, 2), room(2, 5, 2, { prefs: prefs({ notify: 'all' }) }), room(3, 5, 2, { prefs: prefs({ notify: 'nothing' }) })];
	assert.deepEqual(all.map(loudOf), [2, 5, 0]);
	assert.deepEqual([room(4, 3, 0, direct), room(4, 3, 1, { ...direct, prefs: prefs({ notify: 'mentions' }) })].map(loudOf), [3, 1]);
	assert.deepEqual([levelOf(room(1, 0, 0)), levelOf(room(1, 0, 0, direct))], ['mentions', 'all']);
	const s = signedIn(...all, room(5, 5, 2, { prefs: prefs({ quiet_until: 'forever' }) }), room(6, 5, 2, { archived: true }));
	assert.deepEqual(totals(s), { unread: 15, loud: 7 });
});

test('quiet ends by the clock', () => {
	const until = new Date(T0 + 1000).toISOString();
	const s = signedIn(room(1, 1, 1, { prefs: prefs({ quiet_until: until, version: 3 }) }), room(2, 1, 1, { prefs: prefs({ quiet_until: 'forever' }) }));
	assert.equal(nextQuietEnd(s), T0 + 1000);
	assert.equal(reduce(s, { type: 'clock', now: T0 + 999 }).channels, s.channels);
	const after = reduce(s, { type: 'clock', now: T0 + 1000 });
	assert.deepEqual(after.channels[1]!.prefs, prefs({ version: 3 }));
	assert.deepEqual([nextQuietEnd(after), totals(after).loud], [Infinity, 1]);
});

test('the side bar: own sections in their order, favourites first of all, archived ones nowhere; collapsed it shows what is new', () => {
	const work: Section = { kind: 'own', id: 'w', name: 'Work', collapsed: true };
	const part = (kind: 'direct' | 'favourites' | 'channels'): Section => ({ kind, collapsed: false });
	const sections: Section[] = [part('direct'), work, part('favourites'), part('channels')];
	const inWork = { prefs: prefs({ section: 'w' }) };
	const rooms = [room(1, 0, 0), room(2, 0, 0, inWork), room(3, 1, 0, inWork), room(4, 0, 0, { prefs: prefs({ section: 'w', favourite: true }) })];
	const lost = room(5, 0, 0, { prefs: prefs({ section: 'gone' }) });
	const quiet = room(6, 1, 0, { prefs: prefs({ section: 'w', quiet_until: 'forever' }) });
	const pair = room(7, 0, 0, { kind: 'direct', name: null, peer: 7 });
	let s = signedIn(...rooms, lost, quiet, pair, room(8, 1, 0, { archived: true }));
	const shape = (at: number | null = null) => arranged(s, at).map((x) => [x.key, x.channels.map((c) => c.id), x.shown.map((c) => c.id)]);
	assert.deepEqual(shape().map(([key]) => key), ['favourites', 'channels', 'direct'], 'before it is known');
	s = line(s, 'sidebar.updated', { sidebar: { sections, version: 1 } });
	assert.deepEqual(shape(), [
		['direct', [7], [7]],
		['w', [2, 3, 6], [3]],
		['favourites', [4], [4]],
		['channels', [1, 5], [1, 5]],
	]);
	assert.deepEqual(shape(2)[1], ['w', [2, 3, 6], [2, 3]], 'and the one that is open');
	assert.deepEqual(shape(8)[3], ['channels', [1, 5, 8], [1, 5, 8]], 'an archived one while it is open');
	assert.equal(reduce(s, { type: 'sidebar', sidebar: { sections: [], version: 1 } }), s, 'the same version again');
	assert.equal(reduce(s, { type: 'sidebar', sidebar: { sections: [], version: 1 }, force: true }).sidebar!.sections.length, 0);
});

test('a direct channel of several is called by the names of the others', () => {
	const c = room(1, 0, 0, { kind: 'direct', name: null, peer: null, people: [ME, 8, 7] });
	const s = reduce(signedIn(c), { type: 'users', users: [user(8, { name: 'Zoe' }), user(7, { name: 'Adam' })] });
	assert.deepEqual([directName(s, c), channelLabel(s, c)], ['Adam, Zoe', 'Adam, Zoe']);
});
