// The site's own emoji: what is known of them, by events and by the list in any order; where they stand in texts; when the list is loaded.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allEmoji, applyEmoji, emojiLimits, emojiOf, mayAddEmoji, mayRemoveEmoji, ownRows, splitEmoji } from '../src/model/custom_emoji';
import { emojiCalled, recentOf, searchEmoji, withRecent, type EmojiRow } from '../src/model/emoji';
import { isEmojiOnly } from '../src/model/emoji_only';
import { markdown, plainText } from '../src/model/markdown';
import { reduce } from '../src/model/reduce';
import { initialState, type State } from '../src/model/state';
import type { CustomEmoji, EmojiList, EmojiState, Line } from '../src/model/types';
import { createStore } from '../src/store';
import { followEmoji } from '../src/sync/emoji';
import { MessageText, textClass } from '../src/ui/text';

const one = (name: string, version: number, by = 1): CustomEmoji => ({ name, file: version + 100, by, at: '2026-11-25T10:04:31.123Z', version });
const line = (name: string, emoji: CustomEmoji | null, version: number): Line =>
	({ type: 'emoji.updated', cursor: `x.${version}`, name, emoji, version }) as unknown as Line;
const put = (s: State, ...lines: Line[]): State => reduce(s, { type: 'lines', lines });
const list = (version: number, ...emoji: CustomEmoji[]): EmojiList => ({ emoji, version });
const names = (s: State) => allEmoji(s.emoji).map((e) => `${e.name} ${e.version}`);
const with_ = (...all: string[]): EmojiState => applyEmoji(initialState, list(all.length, ...all.map((n, i) => one(n, i + 1)))).emoji;

test('by events and by the list, whichever comes first, it is the same', () => {
	const added = line('a', one('a', 1), 1);
	const gone = line('a', null, 2);
	const again = line('a', one('a', 3), 3);
	const other = line('constructor', one('constructor', 4), 4);
	const lists = [list(0), list(1, one('a', 1)), list(2), list(3, one('a', 3)), list(4, one('a', 3), one('constructor', 4))];
	const lines = [added, gone, again, other];
	for (const [at, l] of lists.entries())
		for (let from = 0; from <= at; from++) // the list is of after the cursor that events come from
			for (let came = from; came <= lines.length; came++) {
				let s = put(initialState, ...lines.slice(from, came));
				s = put(reduce(s, { type: 'emoji', list: l }), ...lines.slice(came));
				assert.deepEqual(names(s), ['a 3', 'constructor 4'], `list ${at}, lines from ${from}, answered after ${came}`);
				assert.equal(s.emoji.loaded, true);
			}
	let s = reduce(initialState, { type: 'emoji', list: lists[4]! });
	assert.equal(put(s, added), s, 'an old line says nothing');
	s = reduce(s, { type: 'log/reset', keep: null });
	assert.deepEqual([names(s).length, s.emoji.loaded], [2, false], 'what is shown stays until the list is there');
	assert.deepEqual(names(reduce(reduce(s, { type: 'distrust' }), { type: 'emoji', list: lists[1]! })), ['a 1'], 'of a log that went back');
});

test('where they stand in a text', () => {
	const e = with_('a', 'b', '+1', '__proto__', '30', '_x_');
	const cut = (text: string) => splitEmoji(text, e).map((p) => (typeof p === 'string' ? p : `<${p.name}>`)).join('|');
	for (const [text, want] of [
		['hi :a: there', 'hi |<a>| there'],
		[':A::b:', '<a>|<b>'],
		[':no:a: :+1: ::a:', ':no:a: |<+1>| :|<a>'],
		[':__proto__: :constructor:', '<__proto__>| :constructor:'],
		['at 10:30:45, x:a:, :a:x', 'at 10:30:45, x:a:, :a:x'],
		['你好:a:', '你好|<a>'],
		[':a', ':a'],
		['', ''],
	] as const) assert.equal(cut(text), want, text);
	assert.equal(splitEmoji(':a:'.repeat(5000), e).length, 201, 'a bounded number');
	assert.deepEqual(splitEmoji(':a:', initialState.emoji), [':a:']);
	assert.equal(emojiOf(e, ':A:')?.name, 'a');
	assert.equal(emojiOf(e, '👍'), null);
	assert.deepEqual(markdown('**x** :_x_: `:a:`'), [{ kind: 'text', of: [{ kind: 'strong', of: ['x'] }, ' :_x_: ', { kind: 'code', text: ':a:' }] }]);
	assert.equal(plainText('*so* :_x_:'), 'so :_x_:');
});

/* The pictures in what is drawn. */
function pictures(node: unknown): string[] {
	if (Array.isArray(node)) return node.flatMap(pictures);
	if (node === null || typeof node !== 'object') return [];
	const { type, props } = node as { type: unknown; props: { of?: CustomEmoji; children?: unknown } };
	return [...(typeof type === 'function' && props.of && 'file' in props.of ? [props.of.name] : []), ...pictures(props.children)];
}

test('as pictures in words, not in code and not in links; large when alone', () => {
	const emoji = with_('a', 'b');
	const drawn = (text: string) => pictures(MessageText({ text, emoji }));
	assert.deepEqual(drawn('hi :a:'), ['a']);
	assert.deepEqual(drawn('**:a:** _:b:_\n> :a:\n- :b:'), ['a', 'b', 'a', 'b']);
	assert.deepEqual(drawn('`:a:` [:a:](https://example.org)\n```\n:a:\n```'), []);
	assert.deepEqual(pictures(MessageText({ text: '@bob :a:', emoji, people: new Map([['bob', 2]]) })).filter((n) => n === 'a'), ['a']);
	assert.deepEqual(pictures(MessageText({ text: ':a:' })), []);
	for (const yes of [':a:', ':a: :b: 🎉', ':a::b:']) assert.ok(isEmojiOnly(yes, emoji), yes);
	for (const no of [':c:', ':a: x', ':a:'.repeat(13)]) assert.ok(!isEmojiOnly(no, emoji), no);
	assert.equal(textClass(':a:', emoji), 'msg-text msg-emoji');
	assert.equal(textClass(':a:'), 'msg-text');
});

test('search, and who may add and remove', () => {
	const rows = ownRows(with_('party_parrot', 'parrot'));
	assert.deepEqual(searchEmoji(rows, 'parr', 9).map((r) => r[0]), [':parrot:', ':party_parrot:']);
	const known: EmojiRow[] = [
		['🫰', 'hand with index finger and thumb crossed', ':hand_with_index_finger_and_thumb_crossed: heart thumb', 1, 14],
		['💘', 'heart with arrow', ':cupid: love', 0, 0.6],
		['❤️', 'red heart', ':heart: emotion love', 0, 0.6],
		['👍️', 'thumbs up', ':+1: :thumbsup: good hand', 1, 0.6],
		['🙌', 'raising hands', ':raised_hands: hooray', 1, 0.6],
	];
	const all = [...rows, ...known];
	const found = (q: string) => searchEmoji(all, q, 9).map((r) => r[0]);
	assert.deepEqual(found('thumb'), ['👍️', '🫰'], 'names that begin with it');
	assert.deepEqual(found('heart'), ['❤️', '💘', '🫰'], 'what is called so');
	assert.deepEqual([found('+1'), found('raised_hands')[0], found('raised h'), found('Red Heart')], [['👍️'], '🙌', ['🙌'], ['❤️']]);
	const called = (name: string) => emojiCalled(all, name)?.[0];
	assert.deepEqual(['thumbsup', 'thumbs', 'parrot', 'parr', 'hear', ''].map(called), ['👍️', undefined, ':parrot:', undefined, undefined, undefined]);
	assert.equal(emojiLimits({ custom_emoji: 0, custom_emoji_bytes: 1, custom_emoji_by: 'members' }), null);
	const as = (role: string, by: string) => {
		const user = { id: 1, role } as unknown as NonNullable<State['me']>['user'];
		return { ...initialState, me: { user } as State['me'], limits: { ...initialState.limits, custom: { most: 9, bytes: 9, by } } };
	};
	const may = (role: string, by: string) => mayAddEmoji(as(role, by));
	assert.deepEqual([may('guest', 'members'), may('member', 'members'), may('member', 'admins'), may('admin', 'admins')], [false, true, false, true]);
	assert.equal(mayAddEmoji({ ...as('owner', 'members'), limits: initialState.limits }), false, 'where there are none');
	const removes = (role: string, by: number) => mayRemoveEmoji(as(role, 'members'), one('a', 1, by));
	assert.deepEqual([removes('member', 1), removes('member', 2), removes('owner', 2)], [true, false, true]);
});

test('the list is loaded once, again after a failure and after a reset', async () => {
	const store = createStore();
	const answers: (EmojiList | Error)[] = [new Error('away'), list(1, one('a', 1)), list(2)];
	const waits: (() => void)[] = [];
	let asked = 0;
	const end = followEmoji(
		store,
		() => {
			const answer = answers[asked++]!;
			return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
		},
		(f) => waits.push(f),
	);
	const turn = () => new Promise((r) => setImmediate(r));
	await turn();
	assert.equal(asked, 0, 'not before there is somebody');
	store.dispatch({ type: 'phase', phase: 'ready' });
	store.dispatch({ type: 'away', on: true });
	await turn();
	assert.deepEqual([asked, waits.length], [1, 1]);
	waits.pop()!();
	await turn();
	assert.deepEqual([asked, names(store.get())], [2, ['a 1']]);
	store.dispatch({ type: 'log/reset', keep: null });
	await turn();
	assert.deepEqual([asked, names(store.get())], [3, []]);
	end();
	store.dispatch({ type: 'log/reset', keep: null });
	await turn();
	assert.equal(asked, 3);
});

test('what was picked last: newest first, each once, so many and no more', () => {
	assert.deepEqual(recentOf(null), []);
	let kept: string | null = null;
	for (const e of ['🎉', ':own:', '🎉']) kept = withRecent(kept, e);
	assert.deepEqual(recentOf(kept), ['🎉', ':own:']);
	for (let i = 0; i < 40; i++) kept = withRecent(kept, `:n${i}:`);
	assert.deepEqual([recentOf(kept).length, recentOf(kept)[0], recentOf(kept).at(-1)], [24, ':n39:', ':n16:']);
});
