// The question before what reaches many: a message that names a group, @here or @channel, a comment of one that is forwarded, an edit that names a
// group anew (doc/protocol.md, section 9).
import { useRef } from 'preact/hooks';
import type { Name } from '../model/types';
import { groupsApi } from '../net/groups';
import { useUi } from './context';

const ASKED_ABOVE = 6; // people

/* names: whom it names anew; same: whether that is still what would be sent. go: does it, at once or when one has said so. */
export type Reaching = (channel: number, names: readonly Name[], same: () => boolean, go: () => void) => void;

export function useReach(): Reaching {
	const { askMany } = useUi();
	const asking = useRef(false);
	return (channel, names, same, go) => {
		if (!names.some((n) => typeof n === 'string')) return go();
		// Asked once at a time; a text that was changed meanwhile is asked about again.
		if (asking.current) return;
		asking.current = true;
		groupsApi
			.reach(channel, names)
			.then(
				({ data }) => data.people,
				() => null,
			)
			.then((people) => {
				asking.current = false;
				if (!same()) return;
				if (people !== null && people <= ASKED_ABOVE) go();
				else askMany({ people, send: () => same() && go() });
			});
	};
}
