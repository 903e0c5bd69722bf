// The whole client without its views, in a browser made of fakes: what it loads and where it follows from, the link, resets, the
// own coming and going, the end of a session.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { unreadOf } from '../src/model/unread';
import { clock, doc, freshBrowser, pass, site, sockets, Tab, turns, win } from './client_help';
import { channel, ME, membership } from './help';

freshBrowser();

describe('the start', () => {
	test('it follows from the cursor of the list it has loaded: what comes between is not lost', async () => {
		site.post(1, 7, 'before');
		const tab = await Tab.open(false);
		site.post(1, 7, 'between');
		assert.equal(tab.socket.cursor, '1');
		tab.socket.lives();
		assert.equal(tab.s.channels[1]!.last_seq, 2);
		assert.equal(unreadOf(tab.s.channels[1]!), 2);
		assert.equal(tab.s.connection.status, 'live');
	});

	test('without a session it does not follow', async () => {
		site.signedOut = true;
		const tab = await Tab.open(false);
		assert.equal(tab.s.phase, 'signed_out');
		assert.equal(sockets.length, 0);
	});
});

describe('the link', () => {
	test('lost: it comes back from the last line, and what came meanwhile is there once', async () => {
		const tab = await Tab.open();
		tab.client.open(1);
		await turns();
		site.post(1, 7, 'a');
		tab.socket.says(site.log[0]!);
		tab.socket.closes(1012);
		site.post(1, 7, 'b');
		await pass(3_000);
		assert.equal(tab.socket.cursor, '1');
		tab.socket.lives();
		await turns();
		assert.deepEqual(tab.s.logs[1]!.messages.map((m) => m.seq), [1, 2]);
	});

	test('the rung that works here is remembered over a reload, for an hour', async () => {
		const tab = await Tab.open(false);
		tab.socket.closes(1006);
		await pass(1_000);
		assert.ok(site.asked.includes('GET /api/v1/events'));
		assert.equal(tab.s.connection.rung, 'poll');
		sockets.length = 0;
		clock.sleep(3_500_000);
		const next = await tab.reload(false);
		assert.equal(next.s.connection.rung, 'poll');
		assert.equal(sockets.length, 0);
		clock.sleep(100_000);
		await next.reload(false);
		assert.equal(sockets.length, 1);
	});

	for (const [code, phase] of [
		[4001, 'ended'],
		[4003, 'deactivated'],
	] as const) {
		test(`closed with ${code}: ${phase}, and nothing runs any more`, async () => {
			const tab = await Tab.open();
			tab.socket.closes(code);
			assert.equal(tab.s.phase, phase);
			await pass(3_600_000);
			win.dispatchEvent(new Event('online'));
			doc.dispatchEvent(new Event('visibilitychange'));
			assert.equal(sockets.length, 1);
			assert.equal(clock.pending, 0);
		});
	}

	test('the own session is revoked, or all are; not when it was another one', async () => {
		for (const [session, phase] of [
			[4, 'ready'],
			[5, 'ended'],
			[null, 'ended'],
		] as const) {
			const tab = await Tab.open();
			tab.socket.says(site.say({ type: 'session.revoked', session }));
			assert.equal(tab.s.phase, phase, String(session));
			tab.client.stop();
		}
	});
});

describe('reset', () => {
	test('the lists and what is open are loaded again, and what was held is not trusted', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		tab.client.open(1);
		await turns();
		for (let i = 0; i < 5; i++) site.post(1, 7, `m${i}`, `text ${i}`);
		site.log.length = 0;
		tab.socket.says({ type: 'reset', cursor: '0', reason: 'too old' });
		assert.equal(tab.s.connection.catchingUp, true);
		await turns();
		assert.equal(tab.s.connection.catchingUp, false);
		assert.deepEqual(Object.keys(tab.s.channels), ['1', '2']);
		assert.deepEqual(tab.texts(), ['text 0', 'text 1', 'text 2', 'text 3', 'text 4']);
		assert.equal(tab.s.channels[1]!.last_seq, 5);
		assert.equal(tab.client.ladder.cursor, '0');
	});
});

describe('a database that was restored', () => {
	for (const reason of ['other epoch', 'above the head', 'something new']) {
		test(`${reason}: what it knows counts, though it is older than what we held`, async () => {
			for (let i = 0; i < 5; i++) site.post(1, 7, `m${i}`, `text ${i}`);
			site.add({ ...site.channels.get(1)!, version: 7, name: 'later' });
			const tab = await Tab.open();
			tab.client.open(1);
			await turns();
			assert.equal(tab.s.channels[1]!.name, 'later');
			site.messages.get(1)!.length = 2;
			site.add(channel(1, { version: 2, name: 'earlier', last_seq: 2, membership: membership({ last_read_seq: 1, unread: 1 }) }));
			site.log.length = 0;
			tab.socket.says({ type: 'reset', cursor: '0', reason });
			await turns();
			assert.equal(tab.s.channels[1]!.name, 'earlier');
			assert.equal(tab.s.channels[1]!.last_seq, 2);
			assert.deepEqual(tab.texts(), ['text 0', 'text 1']);
			assert.equal(unreadOf(tab.s.channels[1]!), 1);
			// The next message has a number that had been another's.
			site.post(1, 7, 'new', 'again');
			tab.socket.says(site.log.at(-1)!);
			await turns();
			assert.deepEqual(tab.texts(), ['text 0', 'text 1', 'again']);
		});
	}
});

describe('coming and going', () => {
	const joined = (id: number) => site.say({ type: 'member.joined', channel: id, user: ME, role: 'member', since: 1, joined_at: '' });
	const left = (id: number) => site.say({ type: 'member.left', channel: id, user: ME });

	test('on the own member.joined the channel is loaded; on member.left it goes, and the view is told', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		tab.socket.says(joined(2));
		await turns();
		assert.ok(tab.s.channels[2]);
		tab.socket.says(left(2));
		assert.equal(tab.s.channels[2], undefined);
		assert.deepEqual(tab.gone, [2]);
	});

	test('an answer that was under way when we left does not bring the channel back', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		site.held.set('/api/v1/channels/2', []);
		tab.socket.says(joined(2));
		await turns();
		site.channels.delete(2);
		tab.socket.says(left(2));
		await site.release('/api/v1/channels/2');
		await pass(60_000);
		assert.equal(tab.s.channels[2], undefined);
	});

	test('nor does a list', async () => {
		site.add(channel(2));
		const tab = await Tab.open();
		site.held.set('/api/v1/channels', []);
		tab.socket.says({ type: 'reset', cursor: '0', reason: 'too old' });
		await turns();
		site.channels.delete(2);
		tab.socket.says(left(2));
		await site.release('/api/v1/channels');
		await pass(60_000);
		assert.deepEqual(Object.keys(tab.s.channels), ['1']);
	});

	test('left and joined again while an older answer was under way: it is there', async () => {
		const tab = await Tab.open();
		site.add(channel(2));
		site.held.set('/api/v1/channels/2', []);
		tab.socket.says(joined(2));
		await turns();
		site.add(channel(2, { membership: membership({ since: 9 }) }));
		tab.socket.says(left(2), joined(2));
		await site.release('/api/v1/channels/2');
		await pass(5_000);
		assert.equal(tab.s.channels[2]!.membership!.since, 9);
	});
});
