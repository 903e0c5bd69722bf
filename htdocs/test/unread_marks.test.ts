// Unread messages and mentions, by example: the own marker, of this device and of others.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Line, OwnMarks } from '../src/model/types';
import { doubtful, markOf, readVersions } from '../src/model/unread';
import { ME, message, page, signedIn } from './help';
import { answer, at, lines, mentions, one, own, readLine, run, said, toMe, unread } from './unread_help';

describe('own marker', () => {
	const read = (seq: number, version: number, more: Partial<OwnMarks> = {}) => readLine({ seq, version, last_seq: 9, unread: 9 - seq, ...more });

	test('RD-1 lines in any order: the highest version counts', () => {
		const first = read(5, 1);
		const second = read(9, 2);
		for (const order of [
			[first, second],
			[second, first],
			[second, second, first, first],
		]) {
			const s = run(at(9, 4, 5), lines(...order));
			assert.deepEqual([markOf(one(s)), unread(s)], [9, 0]);
		}
	});

	test('ahead of the events: what it has counted is not counted again', () => {
		let s = run(at(3, 3, 0), lines(readLine({ seq: 4, version: 1, last_seq: 6, unread: 2, mentions: 1 })));
		assert.equal(one(s).last_seq, 6);
		s = run(s, lines(said(4), toMe(5), said(6)));
		assert.deepEqual([unread(s), mentions(s)], [2, 1]);
		s = run(s, lines(said(7)));
		assert.equal(unread(s), 3);
	});

	test('behind the events: what came since counts on', () => {
		let s = run(at(3, 0, 3), lines(said(4), toMe(5), own(6)));
		s = run(s, lines(readLine({ seq: 3, version: 1, last_seq: 4, unread: 1 })));
		assert.deepEqual([unread(s), mentions(s), one(s).last_seq], [2, 1, 6]);
	});

	test('behind an answer that was ahead of the events: in doubt until they have come', () => {
		let s = run(at(3, 3, 0), answer(6, { last_read_seq: 3, unread: 3 }));
		s = run(s, lines(said(4), readLine({ seq: 4, version: 1, last_seq: 5, unread: 1 })));
		assert.ok(doubtful(s, 1));
		s = run(s, lines(said(5), said(6)));
		assert.deepEqual([unread(s), doubtful(s, 1)], [2, false]);
	});

	test('far behind: the channel is to be loaded', () => {
		let s = at(0, 0, 0);
		for (let n = 1; n <= 900; n++) s = run(s, lines(said(n)));
		s = run(s, lines(readLine({ seq: 10, version: 1, last_seq: 20, unread: 10 })));
		assert.ok(doubtful(s, 1));
		s = run(s, answer(900, { last_read_seq: 10, read_version: 1, unread: 890 }, s.heard));
		assert.deepEqual([unread(s), doubtful(s, 1)], [890, false]);
	});

	test('marked as unread, and read again', () => {
		let s = run(at(9, 9, 0), lines(read(9, 1, { unread_from: 6, unread: 4 })));
		assert.deepEqual([markOf(one(s)), unread(s)], [5, 4]);
		s = run(s, lines(said(10)));
		assert.equal(unread(s), 5);
		s = run(s, lines(read(10, 2, { last_seq: 10, unread: 0 })));
		assert.deepEqual([markOf(one(s)), unread(s)], [10, 0]);
	});

	test('an answer of an older version does not set it back', () => {
		const s = run(at(9, 4, 5), lines(read(9, 3)), answer(9, { last_read_seq: 4, read_version: 2, unread: 5 }));
		assert.deepEqual([markOf(one(s)), unread(s)], [9, 0]);
	});

	test('whether receipts are sent goes with it', () => {
		const s = run(at(9, 9, 0), lines(read(9, 2, { read_receipts: false })), answer(9, { last_read_seq: 9, read_version: 1 }));
		assert.equal(one(s).membership!.read_receipts, false);
	});

	test('of a channel that is still to be loaded, or was just left', () => {
		let s = run(signedIn(), lines(readLine({ seq: 4, version: 3, last_seq: 6, unread: 2 })));
		assert.deepEqual([s.channels, readVersions(s)], [{}, 3]);
		s = run(s, answer(5, { last_read_seq: 2, read_version: 2, unread: 3 }));
		assert.deepEqual([markOf(one(s)), unread(s), one(s).last_seq, readVersions(s)], [4, 2, 6, 3]);
		s = run(s, { type: 'lines', lines: [{ type: 'member.left', channel: 1, user: ME } as unknown as Line] });
		assert.deepEqual([s.channels, readVersions(s)], [{}, 0]);
	});
});

describe('on this device', () => {
	test('read shows at once, and an older line does not take it back', () => {
		let s = run(at(9, 4, 5), { type: 'read', channel: 1, seq: 9 });
		assert.deepEqual([markOf(one(s)), unread(s)], [9, 0]);
		s = run(s, lines(readLine({ seq: 6, version: 1, last_seq: 9, unread: 3 })));
		assert.deepEqual([markOf(one(s)), unread(s)], [9, 0]);
		s = run(s, lines(said(10)));
		assert.equal(unread(s), 1);
		s = run(s, lines(readLine({ seq: 9, version: 2, last_seq: 9, unread: 0 })));
		assert.deepEqual([markOf(one(s)), unread(s), s.counts[1]!.local], [9, 1, null]);
	});

	test('read in part: exact where the messages are known, else no more than there can be', () => {
		let s = run(at(3, 3, 0), lines(said(4), own(5), toMe(6), own(7)), { type: 'read', channel: 1, seq: 4 });
		assert.deepEqual([unread(s), mentions(s)], [1, 1]);
		s = run(at(9, 0, 9), { type: 'read', channel: 1, seq: 8 });
		assert.equal(unread(s), 1);
		s = run(at(9, 0, 9), { type: 'log/open', channel: 1 });
		const list = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => message(1, n, n > 7 ? { sender: ME } : {}));
		s = run(s, { type: 'log/newest', channel: 1, page: page(list) }, { type: 'read', channel: 1, seq: 6 });
		assert.equal(unread(s), 1);
	});

	test('refused: as the server has it', () => {
		const s = run(at(9, 4, 5), { type: 'read', channel: 1, seq: 9 }, { type: 'unread/undo', channel: 1 });
		assert.deepEqual([markOf(one(s)), unread(s)], [4, 5]);
	});

	test('marked as unread shows at once, until its line has come', () => {
		let s = run(at(3, 3, 0), lines(toMe(4), said(5), own(6)), { type: 'read', channel: 1, seq: 6 }, { type: 'unread', channel: 1, from: 4 });
		assert.deepEqual([markOf(one(s)), unread(s), mentions(s)], [3, 2, 1]);
		// The line of the reading before it.
		s = run(s, lines(readLine({ seq: 6, version: 1, last_seq: 6, unread: 0 })));
		assert.equal(unread(s), 2);
		s = run(s, lines(readLine({ seq: 6, version: 2, last_seq: 6, unread: 2, mentions: 1, unread_from: 4 })));
		assert.deepEqual([markOf(one(s)), unread(s), s.counts[1]!.local], [3, 2, null]);
		s = run(s, { type: 'read', channel: 1, seq: 6 });
		assert.deepEqual([markOf(one(s)), unread(s), one(s).membership!.unread_from], [6, 0, null]);
	});

	test('read here, then marked as unread on another device', () => {
		let s = run(at(9, 4, 5), { type: 'read', channel: 1, seq: 9 });
		s = run(s, lines(readLine({ seq: 9, version: 2, last_seq: 9, unread: 2, unread_from: 8 })));
		assert.deepEqual([markOf(one(s)), unread(s)], [7, 2]);
	});

	test('the marker never goes back by what was seen', () => {
		const s = at(9, 6, 3);
		assert.equal(run(s, { type: 'read', channel: 1, seq: 6 }), s);
		assert.equal(run(s, { type: 'read', channel: 1, seq: 2 }), s);
	});
});
