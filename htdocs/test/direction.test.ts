// Names that turn the direction of writing: shown without what reaches on, found by what they show.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apart, isolate, withoutTurns } from '../src/model/direction';
import { fold } from '../src/model/mention';
import { channelLabel, personName } from '../src/ui/names';
import { channel, signedIn, user } from './help';

const TURNS = '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';

test('a name that runs as the text around it does stands as it is, without what turns it', () => {
	for (const name of ['general', 'Zoë 2', '日本', '😀', 'a\u200eb', '']) assert.equal(apart(name), name);
	for (const mark of TURNS) assert.equal(apart(`a${mark}b`), 'ab', mark.charCodeAt(0).toString(16));
	assert.equal(withoutTurns(`${TURNS}x${TURNS}`), 'x');
});

test('one from right to left has an isolate of its own, and one alone in a sentence', () => {
	for (const name of ['שלום', 'سلام', '7 חדר', 'a\u200f', '𐤀']) {
		assert.equal(apart(name), `\u2068${name}\u2069`);
		assert.equal(isolate(apart(name)), `\u2068${name}\u2069`);
	}
	assert.equal(apart('\u202eשלום\u2066'), '\u2068שלום\u2069');
	assert.equal(isolate('\u2069gen\u2067eral'), '\u2068general\u2069');
});

test('labels of channels and people are made so, and found by what they show', () => {
	const s = signedIn();
	assert.equal(channelLabel(s, channel(1, { name: '\u202egen\u2066eral' })), '#general');
	assert.equal(channelLabel(s, channel(1, { name: 'חדר' })), '#\u2068חדר\u2069');
	assert.equal(personName(user(1, { name: '\u202eBob' })), 'Bob');
	assert.equal(fold(`${TURNS}חדר${TURNS}`), fold('חדר'));
	assert.equal(fold('\u202eBób'), 'bob');
});
