// What is said to a person whom somebody with a role did something to, and of reports.
import type { State } from '../model/state';
import type { Line } from '../model/types';
import { t } from '../strings';
import { channelLabel } from './names';
import { untilOf } from './time';

export function noticeText(s: State, line: Line): string {
	if (line.type === 'report.created') return t.reportCame;
	if (line.type === 'report.answered') return t.reportAnswered;
	const action = String(line.action);
	const c = typeof line.channel === 'number' ? s.channels[line.channel] : undefined;
	const name = c ? channelLabel(s, c) : t.aChannel;
	const where = action === 'removed' || action === 'banned' ? name : line.channel === null ? t.everywhere : t.inChannel(name);
	const ends = typeof line.until === 'string' && line.until !== 'forever';
	const until = ends ? ` ${t.untilWhen(untilOf(Date.parse(String(line.until)), Date.now()))}` : '';
	const what = (t.moderated[action]?.(where) ?? action) + until;
	return line.reason ? t.because(what, String(line.reason)) : what;
}
