// The whole client without its views, in a browser made of fakes: sleep, the back-forward cache, other tabs.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clock, doc, freshBrowser, pass, site, sockets, Tab, turns, win } from './client_help';
import { ME, message } from './help';

freshBrowser();

describe('the life of a page', () => {
	const goes = (target: EventTarget, type: string, more: object = {}) => target.dispatchEvent(Object.assign(new Event(type), more));

	for (const [name, away, back] of [
		['frozen', () => goes(doc, 'freeze'), () => goes(doc, 'resume')],
		['in the back-forward cache', () => goes(win, 'pagehide', { persisted: true }), () => goes(win, 'pageshow', { persisted: true })],
	] as const) {
		test(`TM-2 ${name}: no connection and no timer that opens one; then one, from the last line`, async () => {
			const tab = await Tab.open();
			tab.client.open(1);
			await turns();
			site.post(1, 7, 'a');
			tab.socket.says(site.log[0]!);
			away();
			assert.equal(tab.socket.readyState, 3);
			site.post(1, 7, 'b');
			clock.sleep(600_000);
			await pass(5_000);
			assert.equal(sockets.length, 1);
			back();
			await pass(1_000);
			assert.equal(sockets.length, 2);
			assert.equal(tab.socket.cursor, '1');
			tab.socket.lives();
			await pass(10_000);
			assert.equal(sockets.length, 2);
			assert.deepEqual(tab.s.logs[1]!.messages.map((m) => m.seq), [1, 2]);
		});
	}

	test('a page that is shown for the first time opens no second connection', async () => {
		await Tab.open();
		goes(win, 'pageshow', { persisted: false });
		await turns();
		assert.equal(sockets.length, 1);
	});

	test('signing out: that the session has ended is no news until the page has gone, however long that takes', async () => {
		const tab = await Tab.open();
		const went: string[] = [];
		Object.assign(location, { assign: (to: string) => void went.push(to) });
		let forgotten = () => {};
		Object.assign(tab.client.uploads, { forget: () => new Promise<void>((f) => (forgotten = f)) });
		const out = tab.client.signOut();
		await turns();
		site.signedOut = true;
		tab.client.session.probe();
		await turns();
		assert.deepEqual([tab.s.phase, went], ['ready', []]);
		forgotten();
		await out;
		assert.deepEqual([tab.s.phase, went], ['ready', ['/sign-in']]);
		assert.equal(tab.socket.readyState, 3);
	});

	test('signing out fails: the page goes on, and hears of its end', async () => {
		const tab = await Tab.open();
		const { fetch } = globalThis;
		Object.assign(globalThis, { fetch: () => Promise.reject(new TypeError('no network')) });
		await assert.rejects(tab.client.signOut()).finally(() => Object.assign(globalThis, { fetch }));
		assert.equal(tab.s.phase, 'ready');
		site.signedOut = true;
		tab.client.session.probe();
		await turns();
		assert.equal(tab.s.phase, 'ended');
	});

	const signsIn = async (user: number, session: number) => {
		site.me = { user: { ...site.me.user, id: user }, session: { ...site.me.session, id: session } };
		goes(win, 'storage', { key: 'pulsechat:who', newValue: `${user}/${session}` });
		await turns();
	};

	test('another person signs in in another tab: this one ends, since its requests are theirs now', async () => {
		const tab = await Tab.open();
		await signsIn(9, 8);
		assert.equal(tab.s.phase, 'ended');
		assert.equal(tab.socket.readyState, 3);
	});

	test('the same person signs in again in another tab: this one goes on with that session', async () => {
		const tab = await Tab.open();
		await signsIn(ME, 8);
		assert.equal(tab.s.phase, 'ready');
		assert.equal(sockets.length, 2);
		tab.socket.lives();
		tab.socket.says(site.say({ type: 'session.revoked', session: 5 }));
		assert.equal(tab.s.phase, 'ready', 'the old one may end');
		tab.socket.says(site.say({ type: 'session.revoked', session: 8 }));
		assert.equal(tab.s.phase, 'ended');
	});

	test('a connection that turns out to be of another person brings nothing', async () => {
		const tab = await Tab.open(false);
		const m = message(1, 1);
		tab.socket.onopen?.();
		tab.socket.says({ type: 'hello', cursor: '1', user: 9 }, { type: 'message', cursor: '1', ...m });
		assert.equal(tab.s.phase, 'ended');
		assert.equal(tab.s.channels[1]!.last_seq, 0);
	});

	test('another tab has found a connection to share, or a better rung: this one does not wait', async () => {
		const tab = await Tab.open();
		tab.socket.closes(1012);
		goes(win, 'storage', { key: 'pulsechat:live', newValue: `${ME}/6 1` });
		assert.equal(sockets.length, 1, 'of another session');
		goes(win, 'storage', { key: 'pulsechat:live', newValue: `${ME}/5 1` });
		assert.equal(sockets.length, 2);
		tab.socket.closes(1006);
		await pass(100);
		assert.equal(tab.s.connection.rung, 'poll');
		goes(win, 'storage', { key: 'pulsechat:better', newValue: '1' });
		assert.equal(sockets.length, 3);
	});
});
