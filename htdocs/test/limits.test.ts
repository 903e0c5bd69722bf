// Limits of texts: in characters of Unicode, and those that the interface's description tells.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lengthOf, MOST, tooMany } from '../src/model/limits';

test('characters are counted, whatever they weigh', () => {
	const known = [['', 0], ['abc', 3], ['é', 1], ['e\u0301', 2], ['😀', 1], ['👩‍👩‍👧', 5], ['\ud83d', 1]] as const;
	for (const [text, n] of known) assert.equal(lengthOf(text), n, text);
	for (const c of ['a', 'é', '😀', 'e\u0301']) {
		const most = c.repeat(80 / lengthOf(c));
		assert.equal(tooMany(most, 80), 0, c);
		assert.equal(tooMany(`${most}a`, 80), 1, c);
		assert.equal(tooMany(most + most, 80), 80, c);
	}
});

test('they are those of the description', () => {
	const { paths, components } = JSON.parse(readFileSync(new URL('doc/openapi.json', `file://${process.cwd().replace(/\/htdocs$/, '')}/`), 'utf8'));
	const asked = (method: string, path: string) => paths[path][method].requestBody.content['application/json'].schema.properties;
	const told: Record<keyof typeof MOST, number> = {
		channelName: components.schemas.ChannelCore.properties.name.maxLength,
		topic: components.schemas.ChannelCore.properties.topic.maxLength,
		personName: asked('patch', '/api/v1/me').name.maxLength,
		signInName: asked('post', '/auth/local').name.maxLength,
		handle: components.schemas.Handle.maxLength,
		groupName: asked('post', '/api/v1/groups').name.maxLength,
		section: components.schemas.Section.anyOf[1].properties.name.maxLength,
		status: components.schemas.StatusAsked.properties.text.maxLength,
		report: asked('post', '/api/v1/channels/{channel}/messages/{seq}/reports').text.maxLength,
		reason: components.schemas.SanctionAsked.properties.reason.maxLength,
		token: components.schemas.TokenAsked.properties.name.maxLength,
		password: asked('post', '/auth/local').password.maxLength,
		emojiName: components.schemas.EmojiAsked.properties.name.maxLength,
	};
	assert.deepEqual({ ...MOST }, told);
});
