// What the list shows, in several time zones: day lines at local midnight (TM-1), also in the nights when clocks change;
// heads by sender and five minutes; the "new messages" line; keys that stay. The file starts itself once for each zone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emptyLog } from '../src/model/log';
import type { Log, Message, Pending } from '../src/model/types';
import { buildRows, type Row } from '../src/ui/rows';
import { briefTime, dayName, dayStart, fullTime, timeOf } from '../src/ui/time';
import { ME, message, pending } from './help';

const ZONES = ['UTC', 'Europe/Rome', 'Pacific/Kiritimati', 'America/St_Johns', 'America/Santiago'];
const zone = process.env.PULSECHAT_TEST_ZONE;
const HOUR = 3_600_000;

const log = (messages: Message[], more: Partial<Log> = {}): Log => ({ ...emptyLog, status: 'ready', messages, ...more });
const said = (...times: string[]): Message[] => times.map((at, i) => message(1, i + 1, { created_at: at }));
const rowsOf = (messages: Message[]): Row[] => buildRows(log(messages), [], ME, null);

/* Kinds and numbers in order, "day 1 2 day 3"; days as the local date that they begin. */
function shape(rows: Row[]): string {
	return rows
		.map((r) => {
			if (r.kind === 'day') return `${new Date(r.start).getMonth() + 1}/${new Date(r.start).getDate()}:`;
			if (r.kind === 'message') return String(r.message.seq);
			return r.kind === 'start' || r.kind === 'older' ? '' : r.kind;
		})
		.join(' ')
		.trim();
}
const heads = (rows: Row[]): string => rows.flatMap((r) => (r.kind === 'message' || r.kind === 'pending' ? [r.head ? 'H' : '.'] : [])).join('');

if (zone) inZone(zone);
else {
	describe('day lines at local midnight', () => {
		for (const tz of ZONES) {
			test(tz, () => {
				const { NODE_TEST_CONTEXT: _, ...env } = process.env;
				const child = spawnSync(process.execPath, ['--enable-source-maps', fileURLToPath(import.meta.url)], {
					env: { ...env, TZ: tz, LC_ALL: 'en_US.UTF-8', LANG: 'en_US.UTF-8', PULSECHAT_TEST_ZONE: tz },
					encoding: 'utf8',
				});
				assert.equal(child.status, 0, child.stdout + child.stderr);
				assert.match(child.stdout, /(#|ℹ) pass [1-9]/);
			});
		}
	});
	anywhere();
}

/* Runs with TZ set to the zone. */
function inZone(tz: string): void {
	test('the zone is the one that is meant', () => {
		assert.equal(Intl.DateTimeFormat().resolvedOptions().timeZone, tz);
	});

	test('every third hour of a year lies in its day, and days meet without a hole', () => {
		const date = (at: number) => new Date(at).toDateString();
		for (let at = Date.UTC(2026, 0, 1), from = 0, to = 0; at < Date.UTC(2027, 0, 3); at += 3 * HOUR) {
			const name = new Date(at).toISOString();
			if (at >= to) {
				if (to) assert.equal(dayStart(at), to, name);
				from = dayStart(at);
				to = dayStart(at, 1);
				assert.equal(dayStart(from), from, name);
				assert.equal(dayStart(to, -1), from, name);
				assert.equal(date(from), date(at), name);
				assert.notEqual(date(from - 1), date(from), name);
				assert.equal(date(to - 1), date(from), name);
			}
			assert.equal(dayStart(at), from, name);
		}
	});

	test('a message every six hours for a year: a line above the first of each local date, and nowhere else', () => {
		const list: Message[] = [];
		for (let i = 0; i < 365 * 4; i++) list.push(message(1, i + 1, { created_at: new Date(Date.UTC(2026, 0, 1) + i * 6 * HOUR).toISOString() }));
		let date = '';
		let due = false;
		for (const r of rowsOf(list)) {
			if (r.kind === 'day') {
				assert.equal(due, false);
				assert.notEqual(new Date(r.start).toDateString(), date);
				date = new Date(r.start).toDateString();
				due = true;
			} else if (r.kind === 'message') {
				assert.equal(new Date(r.at).toDateString(), date, r.message.created_at);
				if (due) assert.ok(r.head, 'below a day line there is a head');
				due = false;
			}
		}
	});

	const cases: Record<string, () => void> = {
		UTC: () => {
			test('midnight belongs to the new day', () => {
				assert.equal(shape(rowsOf(said('2026-11-25T23:59:59.999Z', '2026-11-26T00:00:00.000Z'))), '11/25: 1 11/26: 2');
			});
		},
		'Europe/Rome': () => {
			test('the short night: 23 hours, from 29 to 30 March 2026', () => {
				const list = said(
					'2026-03-28T22:59:59.999Z',
					'2026-03-28T23:00:00.000Z',
					'2026-03-29T21:59:59.999Z',
					'2026-03-29T22:00:00.000Z',
				);
				assert.equal(shape(rowsOf(list)), '3/28: 1 3/29: 2 3 3/30: 4');
				assert.equal(dayStart(Date.parse('2026-03-29T12:00:00Z'), 1) - dayStart(Date.parse('2026-03-29T12:00:00Z')), 23 * HOUR);
			});
			test('the long night: 25 hours, 25 October 2026; 02:30 twice is one day', () => {
				const list = said(
					'2026-10-24T21:59:59.999Z',
					'2026-10-24T22:00:00.000Z',
					'2026-10-25T00:30:00.000Z',
					'2026-10-25T01:30:00.000Z',
					'2026-10-25T22:59:59.999Z',
					'2026-10-25T23:00:00.000Z',
				);
				assert.equal(timeOf(Date.parse(list[2]!.created_at)), timeOf(Date.parse(list[3]!.created_at)));
				assert.equal(shape(rowsOf(list)), '10/24: 1 10/25: 2 3 4 5 10/26: 6');
				assert.equal(dayStart(Date.parse('2026-10-25T12:00:00Z'), 1) - dayStart(Date.parse('2026-10-25T12:00:00Z')), 25 * HOUR);
			});
			test('yesterday is yesterday, also over the changes', () => {
				for (const at of ['2026-03-30T10:00:00Z', '2026-10-26T10:00:00Z', '2026-10-25T22:30:00Z']) {
					const today = dayStart(Date.parse(at));
					assert.equal(dayName(today, today), 'Today');
					assert.equal(dayName(dayStart(today, -1), today), 'Yesterday');
					assert.notEqual(dayName(dayStart(today, -2), today), 'Yesterday');
				}
			});
		},
		'Pacific/Kiritimati': () => {
			test('14 hours ahead: midnight is 10:00 UTC of the day before', () => {
				assert.equal(shape(rowsOf(said('2026-11-25T09:59:59.999Z', '2026-11-25T10:00:00.000Z'))), '11/25: 1 11/26: 2');
			});
			test('the year turns here first', () => {
				const [a, b] = ['2026-12-31T09:59:00Z', '2026-12-31T10:00:00Z'].map((t) => dayStart(Date.parse(t)));
				assert.equal(new Date(a!).getFullYear(), 2026);
				assert.equal(new Date(b!).getFullYear(), 2027);
				assert.equal(dayName(a!, b!), 'Yesterday');
				assert.match(dayName(dayStart(a!, -3), b!), /2026/, 'another year is named');
				assert.doesNotMatch(dayName(dayStart(b!, 3), b!), /2027/);
			});
		},
		'America/St_Johns': () => {
			test('half an hour off: midnight is 03:30 UTC, in summer 02:30', () => {
				assert.equal(shape(rowsOf(said('2026-01-15T03:29:59.999Z', '2026-01-15T03:30:00.000Z'))), '1/14: 1 1/15: 2');
				assert.equal(shape(rowsOf(said('2026-07-15T02:29:59.999Z', '2026-07-15T02:30:00.000Z'))), '7/14: 1 7/15: 2');
			});
			test('8 March 2026 has 23 hours, 1 November 25', () => {
				const hours = (t: string) => (dayStart(Date.parse(t), 1) - dayStart(Date.parse(t))) / HOUR;
				assert.deepEqual([hours('2026-03-08T15:00:00Z'), hours('2026-11-01T15:00:00Z'), hours('2026-11-02T15:00:00Z')], [23, 25, 24]);
			});
		},
		'America/Santiago': () => {
			test('a day whose midnight does not exist begins at one', () => {
				const list = said(
					'2026-09-06T03:59:59.999Z',
					'2026-09-06T04:00:00.000Z',
					'2026-09-07T02:59:59.999Z',
					'2026-09-07T03:00:00.000Z',
				);
				assert.equal(new Date('2026-09-06T04:00:00.000Z').getHours(), 1);
				assert.equal(shape(rowsOf(list)), '9/5: 1 9/6: 2 3 9/7: 4');
			});
			test('an evening hour that comes twice is one day', () => {
				const list = said(
					'2026-04-05T02:30:00.000Z',
					'2026-04-05T03:30:00.000Z',
					'2026-04-05T03:59:59.999Z',
					'2026-04-05T04:00:00.000Z',
				);
				assert.equal(new Date('2026-04-05T03:30:00.000Z').getHours(), 23);
				assert.equal(shape(rowsOf(list)), '4/4: 1 2 3 4/5: 4');
			});
		},
	};
	cases[tz]!();

	test('times are shown in the zone', () => {
		const at = Date.parse('2026-11-25T10:04:31.123Z');
		const hour = new Date(at).getHours() % 12 || 12;
		const minute = String(new Date(at).getMinutes()).padStart(2, '0');
		assert.match(timeOf(at), new RegExp(`^0?${hour}:${minute}\\s[AP]M$`));
		assert.match(briefTime(at), new RegExp(`^0?${hour}:${minute}$`));
		assert.ok(fullTime(at).includes(`${hour}:${minute}:31`), fullTime(at));
	});
}

function anywhere(): void {
	/* Seconds after ten o'clock, by whom. */
	const at = (...list: [number, number][]): Message[] =>
		list.map(([s, sender], i) => message(1, i + 1, { sender, created_at: new Date(Date.UTC(2026, 10, 25, 10) + s * 1000).toISOString() }));

	describe('heads', () => {
		test('one sender within five minutes is one group', () => {
			assert.equal(heads(rowsOf(at([0, 7], [60, 7], [360, 7], [661, 7]))), 'H..H');
		});
		test('to the millisecond', () => {
			const list = said('2026-11-25T10:00:00.000Z', '2026-11-25T10:05:00.000Z', '2026-11-25T10:10:00.001Z');
			assert.equal(heads(rowsOf(list)), 'H.H');
		});
		test('another sender begins another', () => {
			assert.equal(heads(rowsOf(at([0, 7], [1, 8], [2, 8], [3, 7]))), 'HH.H');
		});
		test('a clock that was set back does not glue what lies far apart', () => {
			assert.equal(heads(rowsOf(at([1200, 7], [1000, 7], [600, 7]))), 'H.H');
		});
		test('a long talk shows its time anew on the half hour', () => {
			const list = at(...Array.from({ length: 15 }, (_, i): [number, number] => [i * 240, 7]));
			assert.equal(heads(rowsOf(list)), 'H.......H......');
		});
		test('stay where they are when older messages are loaded above', () => {
			const list = at(...Array.from({ length: 40 }, (_, i): [number, number] => [i * 70, 7 + (i % 5 === 0 ? 1 : 0)]));
			const all = rowsOf(list);
			for (let n = 1; n < 39; n++) {
				const part = buildRows(log(list.slice(n), { hasBefore: true }), [], ME, null);
				// The first shown has no one before it to lean on.
				const tail = (rows: Row[]) => rows.filter((r) => r.kind === 'message' && r.message.seq > n + 1);
				assert.deepEqual(tail(part), tail(all));
			}
		});
		test('pending messages come last and join the own group', () => {
			const list = at([0, 7], [10, ME]);
			const own: Pending[] = [pending(1, { at: Date.UTC(2026, 10, 25, 10, 1) }), pending(2, { at: Date.UTC(2026, 10, 25, 10, 20) })];
			const rows = buildRows(log(list), own, ME, null);
			assert.equal(heads(rows), 'HH.H');
			assert.deepEqual(rows.slice(-2).map((r) => r.kind), ['pending', 'pending']);
		});
	});

	describe('order and keys', () => {
		test('order is by seq, whatever the times say, and no key comes twice', () => {
			const list = said('2026-11-26T10:00:00Z', '2026-11-25T10:00:00Z', '2026-11-26T10:00:00Z', 'not a time');
			const rows = buildRows(log(list), [pending(1), pending(2)], ME, 1);
			assert.deepEqual(rows.flatMap((r) => (r.kind === 'message' ? [r.message.seq] : [])), [1, 2, 3, 4]);
			const keys = rows.map((r) => r.key);
			assert.equal(new Set(keys).size, keys.length, keys.join(' '));
			assert.equal(rows.filter((r) => r.kind === 'day').length, 4);
		});
		test('the top says whether there is more', () => {
			assert.equal(buildRows(log([]), [], ME, null)[0]!.kind, 'start');
			assert.equal(buildRows(log([], { hasBefore: true }), [], ME, null)[0]!.kind, 'older');
		});
	});

	describe('the "new messages" line', () => {
		const noon = said('2026-11-25T12:00:00Z', '2026-11-25T12:00:01Z', '2026-11-25T12:00:02Z');
		const kinds = (l: Log, line: number | null) => shape(buildRows(l, [], ME, line)).replace(/\d+\/\d+: /, '');

		test('stands above the first unread, below its day line, once', () => {
			assert.equal(kinds(log(noon), 1), '1 new 2 3');
			assert.equal(shape(buildRows(log(said('2026-11-25T12:00:00Z', '2026-11-27T12:00:00Z')), [], ME, 1)), '11/25: 1 11/27: new 2');
		});
		test('none where all is read, none where none is asked for', () => {
			assert.equal(kinds(log(noon), 3), '1 2 3');
			assert.equal(kinds(log(noon), null), '1 2 3');
		});
		test('none above own messages alone', () => {
			const own = noon.map((m) => ({ ...m, sender: m.seq > 1 ? ME : 7 }));
			assert.equal(kinds(log(own), 1), '1 2 3');
		});
		test('not in the wrong place: the first unread is not loaded yet', () => {
			const part = noon.map((m) => ({ ...m, seq: m.seq + 10 }));
			assert.equal(kinds(log(part, { hasBefore: true }), 5), '11 12 13');
			assert.equal(kinds(log(part, { hasBefore: true }), 10), 'new 11 12 13');
		});
		test('what follows it has a head', () => {
			const rows = buildRows(log(noon), [], ME, 1);
			assert.equal(heads(rows), 'HH.');
		});
	});
}
