// The whole client without its views, in a browser made of fakes: the own marker, and what has arrived.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { OwnMarks } from '../src/model/types';
import { unreadOf } from '../src/model/unread';
import { doc, freshBrowser, pass, site, sockets, Tab, turns } from './client_help';
import { channel, marks, ME, membership, message } from './help';

freshBrowser();

describe('the own marker', () => {
	const told = (more: Partial<OwnMarks> = {}, id = 1) => ({ type: 'read', channel: id, ...marks(more) });
	const acks = (tab: Tab, op: string) => {
		for (const o of tab.socket.ops(op)) tab.socket.says({ type: 'ack', ref: o.ref, channel: o.channel, seq: o.seq });
	};
	const withMessages = async (n: number): Promise<Tab> => {
		const tab = await Tab.open();
		tab.client.open(1);
		for (let i = 0; i < n; i++) {
			site.post(1, 7, `m${i}`);
			tab.socket.says(site.log.at(-1)!);
		}
		await turns();
		return tab;
	};
	const unread = (tab: Tab): number => unreadOf(tab.s.channels[1]!);

	test('what was seen counts as read at once, and is told once for many', async () => {
		const tab = await withMessages(5);
		assert.equal(unread(tab), 5);
		for (const seq of [1, 2, 3, 4]) tab.client.reader.seen(1, seq);
		assert.equal(unread(tab), 1);
		assert.equal(tab.socket.ops('read').length, 0);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4]);
		tab.client.reader.seen(1, 3);
		acks(tab, 'read');
		await pass(20_000);
		assert.equal(tab.socket.ops('read').length, 1, 'not backwards, and not again');
	});

	test('without a link it waits for one, and goes where the other one was lost before its answer', async () => {
		const tab = await withMessages(3);
		tab.socket.closes(1012);
		tab.client.reader.seen(1, 2);
		await pass(400);
		assert.deepEqual(site.posted, []);
		await pass(3_000);
		tab.socket.lives();
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [2]);
		tab.socket.closes(1012);
		await pass(6_000);
		assert.deepEqual(site.posted.flat(), [{ op: 'read', channel: 1, seq: 2 }]);
		assert.equal(unread(tab), 1);
	});

	test('where the server could not, it is told again; what is seen meanwhile does not wait for that', async () => {
		const tab = await withMessages(3);
		const could_not = () => tab.socket.says({ type: 'error', ref: tab.socket.ops('read').at(-1)!.ref, code: 'unavailable', detail: 'no database' });
		tab.client.reader.seen(1, 1);
		await pass(1_000);
		could_not();
		await turns();
		tab.client.reader.seen(1, 2);
		await pass(500);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [1, 2]);
		could_not();
		await pass(9_000);
		assert.equal(tab.socket.ops('read').length, 2);
		await pass(2_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [1, 2, 2]);
	});

	test('by polls, from all channels, in one request', async () => {
		site.add(channel(2));
		const tab = await Tab.open(false);
		tab.socket.closes(1006);
		await pass(2_000);
		assert.equal(tab.s.connection.rung, 'poll');
		for (const ch of [1, 2]) tab.store.dispatch({ type: 'message', message: message(ch, 1) });
		tab.client.reader.seen(1, 1);
		tab.client.reader.seen(2, 1);
		await pass(1_000);
		assert.deepEqual(site.posted, [[{ op: 'read', channel: 1, seq: 1 }, { op: 'read', channel: 2, seq: 1 }]]);
	});

	test('a refusal is final, and undone', async () => {
		const tab = await withMessages(2);
		tab.client.reader.seen(1, 2);
		await pass(1_000);
		tab.socket.says({ type: 'error', ref: tab.socket.ops('read')[0]!.ref, code: 'not_a_member', detail: 'no' });
		await pass(20_000);
		assert.equal(unread(tab), 2);
		assert.equal(tab.socket.ops('read').length, 1);
	});

	test('marked as unread: what was seen is told before, what is seen from then on is not, until it is opened again', async () => {
		const tab = await withMessages(4);
		site.add(channel(2));
		tab.client.reader.seen(1, 4);
		const done = tab.client.markUnread(1, 3);
		assert.equal(unread(tab), 2);
		assert.equal(tab.s.lines[1], 2);
		assert.deepEqual(tab.socket.sent.filter((o) => o.op === 'read' || o.op === 'unread').map((o) => [o.op, o.seq]), [['read', 4], ['unread', 3]]);
		acks(tab, 'read');
		acks(tab, 'unread');
		await done;
		tab.socket.says(told({ seq: 4, version: 2, last_seq: 4, unread: 2, unread_from: 3 }));
		site.post(1, 7, 'next');
		tab.socket.says(site.log.at(-1)!);
		tab.client.reader.seen(1, 5);
		await pass(10_000);
		assert.equal(tab.socket.ops('read').length, 1);
		assert.equal(unread(tab), 3);
		tab.client.open(2);
		tab.client.open(1);
		assert.equal(tab.s.lines[1], 2);
		tab.client.reader.seen(1, 5);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4, 5]);
		assert.equal(unread(tab), 0);
	});

	test('what was marked as unread is read on in parts, when it is opened again', async () => {
		const tab = await withMessages(9);
		site.add(channel(2));
		const back = told({ seq: 9, version: 2, last_seq: 9, unread: 6, unread_from: 4 });
		tab.socket.says(told({ seq: 9, version: 1, last_seq: 9 }), back);
		tab.client.open(2);
		tab.client.open(1);
		tab.client.reader.seen(1, 5);
		await pass(500);
		tab.client.reader.seen(1, 7);
		tab.socket.says(told({ seq: 9, version: 3, last_seq: 9, unread: 4, unread_from: 6 }), back);
		tab.client.reader.seen(1, 8);
		await pass(1_000);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [5, 8]);
		assert.equal(unread(tab), 1);
		assert.equal(tab.s.lines[1], 3);
	});

	test('Esc reads also what was marked as unread', async () => {
		const tab = await withMessages(4);
		const done = tab.client.markUnread(1, 2);
		acks(tab, 'unread');
		await done;
		tab.socket.says(told({ seq: 4, version: 1, last_seq: 4, unread: 3, unread_from: 2 }));
		tab.client.markRead(1);
		assert.deepEqual(tab.socket.ops('read').map((o) => o.seq), [4]);
		assert.equal(unread(tab), 0);
		assert.equal(tab.s.lines[1], undefined);
	});

	test('refused: as it was, and whoever asked is told', async () => {
		const tab = await withMessages(2);
		tab.client.markRead(1);
		acks(tab, 'read');
		tab.socket.says(told({ seq: 2, version: 1, last_seq: 2 }));
		const done = tab.client.markUnread(1, 1);
		tab.socket.says({ type: 'error', ref: tab.socket.ops('unread')[0]!.ref, code: 'not_a_member', detail: 'no' });
		await assert.rejects(done);
		assert.equal(unread(tab), 0);
	});

	test('its line is lost: the channel is loaded', async () => {
		const tab = await withMessages(2);
		tab.client.markRead(1);
		const done = tab.client.markUnread(1, 1);
		acks(tab, 'unread');
		await done;
		site.add({ ...site.channels.get(1)!, membership: membership({ last_read_seq: 2, read_version: 2, unread_from: 1, unread: 2 }) });
		site.asked.length = 0;
		await pass(4_000);
		assert.ok(site.asked.includes('GET /api/v1/channels/1'));
		assert.deepEqual([unread(tab), tab.s.counts[1]!.local], [2, null]);
	});

	test('marked as unread on another device while it is open here: it is not read again', async () => {
		const tab = await withMessages(3);
		tab.client.markRead(1);
		acks(tab, 'read');
		tab.socket.says(told({ seq: 3, version: 1, last_seq: 3 }), told({ seq: 3, version: 2, last_seq: 3, unread: 2, unread_from: 2 }));
		assert.equal(unread(tab), 2);
		assert.equal(tab.s.lines[1], 1);
		tab.client.reader.seen(1, 3);
		await pass(5_000);
		assert.equal(tab.socket.ops('read').length, 1);
		assert.equal(unread(tab), 2);
	});

	test('counters in doubt: the channel is loaded, and only then', async () => {
		site.add(channel(1, { last_seq: 9, membership: membership({ unread: 9, mentions: 2 }) }));
		const tab = await Tab.open();
		site.asked.length = 0;
		const { body: _, ...gone } = message(1, 5, { version: 2, deleted: true });
		site.add(channel(1, { last_seq: 9, membership: membership({ unread: 8, mentions: 1, gone: [5] }) }));
		tab.socket.says(site.say({ type: 'message.deleted', ...gone }));
		await pass(1_000);
		assert.deepEqual(site.asked, ['GET /api/v1/channels/1']);
		assert.equal(tab.s.channels[1]!.membership!.mentions, 1);
		await pass(5_000);
		assert.equal(site.asked.length, 1);
	});

	test('read elsewhere while the link was away: it says what it knows when it comes back, and is told the rest', async () => {
		site.add(channel(2, { membership: membership({ read_version: 4 }) }));
		const tab = await withMessages(3);
		assert.equal(tab.socket.reads, '4');
		tab.socket.says(told({ seq: 1, version: 2, last_seq: 3, unread: 2 }));
		tab.socket.closes(1012);
		await pass(3_000);
		assert.equal(tab.socket.reads, '6');
		tab.socket.lives();
		tab.socket.says(told({ seq: 3, version: 3, last_seq: 3 }), told({ version: 4 }, 2));
		assert.equal(unread(tab), 0);
	});

	test('by polls each says it; where it cannot become equal that is left out for a while', async () => {
		const tab = await Tab.open(false);
		site.lines = [told({ version: 1 }, 1), told({ version: 2 }, 9)];
		tab.socket.closes(1006);
		await pass(2_000);
		const polls = () => site.urls.filter((u) => u.startsWith('/api/v1/events') && u.includes('wait='));
		const sums = () => polls().map((u) => new URL(u, 'https://x').searchParams.get('reads'));
		assert.deepEqual(sums().slice(0, 2), ['0', '3']);
		// A server that counts one more than it tells.
		site.lines = [told({ version: 1 }, 1)];
		for (let i = 0; i < 3; i++) {
			tab.client.ladder.wake(true);
			await pass(3_500);
		}
		assert.ok(sums().filter((x) => x === '3').length <= 2 && sums().includes(null), String(sums()));
	});

	test('when somebody looks again the counters are compared; what differs is loaded', async () => {
		const tab = await withMessages(3);
		site.add({ ...site.channels.get(1)!, membership: membership({ last_read_seq: 3, read_version: 1 }) });
		await pass(100);
		site.asked.length = 0;
		doc.dispatchEvent(new Event('visibilitychange'));
		await pass(100);
		assert.deepEqual(site.asked, ['GET /api/v1/me/unread', 'GET /api/v1/channels/1']);
		assert.equal(unread(tab), 0);
		doc.dispatchEvent(new Event('visibilitychange'));
		await pass(100);
		assert.equal(site.asked.length, 2, 'not every time');
	});
});

describe('arrival in a direct channel', () => {
	const direct = () => site.add(channel(5, { kind: 'direct', name: null, peer: 7 }));
	const arrives = (tab: Tab, n = 1) => {
		for (let i = 0; i < n; i++) site.post(5, 7, `d${site.log.length}`);
		tab.socket.says(...site.log.slice(-n));
	};

	test('is told once for many, and not of own messages or other channels', async () => {
		direct();
		const tab = await Tab.open();
		arrives(tab, 3);
		site.post(5, ME, 'mine');
		site.post(1, 7, 'other');
		tab.socket.says(...site.log.slice(-2));
		await pass(2_000);
		assert.deepEqual(tab.socket.ops('delivered').map((o) => [o.channel, o.seq]), [[5, 3]]);
	});

	test('one tab tells for all of them', async () => {
		direct();
		const tabs = [await Tab.open(), await Tab.open(), await Tab.open()];
		const links = sockets.slice(-3);
		site.post(5, 7, 'd');
		for (const link of links) link.says(site.log.at(-1)!);
		await pass(2_000);
		assert.equal(links.flatMap((l) => l.ops('delivered')).length, 1);
		assert.equal(tabs.length, 3);
	});

	test('what came while nobody was here is told at the start, once', async () => {
		direct();
		site.post(5, 7, 'a');
		const tab = await Tab.open();
		assert.deepEqual(tab.socket.ops('delivered').map((o) => o.seq), [1]);
		const next = await tab.reload();
		assert.equal(next.socket.ops('delivered').length, 0);
	});

	test('receipts are off in this channel, or it is the own one: nothing is told', async () => {
		site.add(channel(5, { kind: 'direct', name: null, peer: 7, membership: membership({ read_receipts: false }) }));
		site.add(channel(6, { kind: 'direct', name: null, peer: ME }));
		const tab = await Tab.open();
		arrives(tab);
		await pass(2_000);
		assert.equal(tab.socket.ops('delivered').length, 0);
	});
});
