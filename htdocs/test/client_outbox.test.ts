// The whole client without its views, in a browser made of fakes: unsent messages over a reload with the ack lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freshBrowser, site, Tab, turns, unsent } from './client_help';

freshBrowser();

describe('unsent messages over a reload', () => {
	const POST = 'POST /api/v1/channels/1/messages';

	test('the op was taken, its ack lost with the page: sent again under the same client_id, there once', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'hello');
		const [op] = tab.socket.ops('send');
		const m = site.takes(op!);
		assert.equal(unsent().length, 1);

		const next = await tab.reload();
		next.client.open(1);
		await turns();
		assert.notEqual(next.client.instance, tab.client.instance);
		assert.deepEqual(site.asked.filter((a) => a === POST), [POST], 'at once, since no link was there yet');
		assert.deepEqual(site.messages.get(1), [m]);
		assert.deepEqual(next.texts(), ['hello']);
		assert.deepEqual(next.s.outbox, []);
		assert.deepEqual(unsent(), []);
	});

	test('several, none of them taken: all there, in their order, before what is written now', async () => {
		const tab = await Tab.open();
		for (const text of ['one', 'two', 'three']) tab.client.send(1, text);
		assert.equal(tab.socket.ops('send').length, 1);
		assert.equal(unsent().length, 3);

		site.held.set('/api/v1/channels/1/messages', []);
		const next = await tab.reload();
		next.client.send(1, 'four');
		await site.release('/api/v1/channels/1/messages');
		const ack = (op: Record<string, unknown>) => {
			const m = site.takes(op);
			next.socket.says({ type: 'ack', client_id: m.client_id, channel: 1, seq: m.seq, id: m.id });
		};
		for (let i = 0; i < 3; i++) {
			ack(next.socket.ops('send')[i]!);
			await turns();
		}
		assert.deepEqual(site.messages.get(1)!.map((m) => m.body!.text), ['one', 'two', 'three', 'four']);
		assert.deepEqual(unsent(), []);
	});

	test('reloaded again and again, with every ack and answer lost: there once', async () => {
		let tab = await Tab.open();
		tab.client.send(1, 'once');
		site.takes(tab.socket.ops('send')[0]!);
		for (let i = 0; i < 4; i++) {
			site.held.set('/api/v1/channels/1/messages', []);
			tab = await tab.reload();
			assert.equal(unsent().length, 1);
		}
		assert.equal(site.asked.filter((a) => a === POST).length, 4);
		await site.release('/api/v1/channels/1/messages');
		assert.equal(site.messages.get(1)!.length, 1);
		assert.deepEqual(unsent(), []);
		assert.deepEqual(tab.s.outbox, []);
	});

	test('acked: nothing is kept, and nothing sent again', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'hello');
		const m = site.takes(tab.socket.ops('send')[0]!);
		tab.socket.says({ type: 'ack', client_id: m.client_id, channel: 1, seq: m.seq, id: m.id });
		await turns();
		assert.deepEqual(unsent(), []);
		const next = await tab.reload();
		assert.equal(next.socket.ops('send').length, 0);
	});

	test('refused or discarded: kept to be seen, gone when thrown away', async () => {
		const tab = await Tab.open();
		tab.client.send(1, 'no');
		tab.socket.says({ type: 'error', client_id: tab.s.outbox[0]!.client_id, code: 'forbidden', detail: 'not here' });
		const next = await tab.reload();
		assert.equal(next.s.outbox[0]!.state, 'failed');
		assert.equal(next.s.outbox[0]!.error, 'not here');
		assert.equal(next.socket.ops('send').length, 0);
		next.client.discard(next.s.outbox[0]!.client_id);
		assert.deepEqual(unsent(), []);
	});

	test('a draft stays, and goes with the sending', async () => {
		const tab = await Tab.open();
		tab.client.setDraft(1, 'half a sen');
		const next = await tab.reload();
		assert.deepEqual(next.s.drafts, { 1: 'half a sen' });
		next.client.send(1, 'half a sentence');
		assert.deepEqual((await next.reload()).s.drafts, {});
	});
});

test('a mention goes along with its message, the same over a reload', async () => {
	const tab = await Tab.open();
	tab.client.send(1, 'hi @bob', [7]);
	assert.deepEqual(tab.socket.ops('send')[0]!.body, { text: 'hi @bob', mentions: [7] });
	const next = await tab.reload();
	assert.deepEqual(site.bodies, [{ text: 'hi @bob', mentions: [7] }]);
	next.client.send(1, 'nobody');
	assert.deepEqual(next.socket.ops('send')[0]!.body, { text: 'nobody' });
});
