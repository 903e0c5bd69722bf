// The right panel with a thread: its root, the replies, and where one writes one. On a phone it is the page.
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Bell, BellOff } from 'lucide';
import { myId } from '../model/state';
import { pendingInThread, threadKey, threadOf } from '../model/threads';
import type { Channel, Log } from '../model/types';
import { emptyLog } from '../model/log';
import { t } from '../strings';
import { tt } from '../strings_threads';
import { Announcer } from './announcer';
import { Composer } from './composer';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { channelLabel } from './names';
import { Panel } from './panel';
import { channelPath, navigate } from './route';
import { RowView } from './row';
import { buildRows, timeStamp, type Row } from './rows';
import { UNSEEN } from './seen';
import { Silence, useSilence } from './silence';
import { useToday } from './time';
import { TypingLine } from './typing';

const AT_BOTTOM = 40; // px

export function ThreadPanel({ channel, root, reply }: { channel: Channel; root: number; reply: number | null }) {
	const { client } = useUi();
	const label = useState$((s) => channelLabel(s, channel));
	const status = useState$((s) => threadOf(s, channel.id, root)?.status ?? 'loading');
	const following = useState$((s) => s.followed[threadKey(channel.id, root)]?.state.following === true);
	const gone = useState$((s) => threadOf(s, channel.id, root)?.root?.deleted === true && !threadOf(s, channel.id, root)?.root?.replies);
	const silence = useSilence(channel);
	const load = () => void client.threads.open(channel.id, root, reply ?? undefined);
	useEffect(() => {
		load();
		return () => {
			client.typist.stop();
			client.threads.close(channel.id, root);
		};
	}, [channel.id, root]);

	const close = () => navigate(channelPath(channel.id));
	const follow = (
		<button
			class="icon-button"
			aria-pressed={following}
			title={following ? tt.unfollowHint : tt.followHint}
			onClick={() => void client.threads.follow(channel.id, root, !following)}
		>
			<Icon of={following ? Bell : BellOff} />
			<span class="sr-only">{tt.follow}</span>
		</button>
	);
	return (
		<Panel look="thread" title={tt.thread} topic={label} tools={follow} hint="Esc" onClose={close}>
			{status === 'failed' ? (
				<div class="list-state" role="alert">
					<p>{tt.failed}</p>
					<button class="button" onClick={load}>
						{t.retry}
					</button>
				</div>
			) : (
				<Replies channel={channel} root={root} reply={reply} />
			)}
			<ThreadAnnouncer channel={channel} root={root} />
			<TypingLine channel={channel} thread={root} />
			{silence ? <Silence text={silence} /> : !gone && <Composer channel={channel} thread={root} />}
		</Panel>
	);
}

/* The root stands above, the replies below: as one list, for eyes and keys. */
function Replies({ channel, root, reply }: { channel: Channel; root: number; reply: number | null }) {
	const { client } = useUi();
	const log = useState$((s) => threadOf(s, channel.id, root));
	const users = useState$((s) => s.users);
	const outbox = useState$((s) => s.outbox);
	const label = useState$((s) => channelLabel(s, channel));
	const me = useState$(myId);
	const today = useToday();
	const [active, setActive] = useState<string | null>(null);
	const box = useRef<HTMLDivElement>(null);
	const stick = useRef(reply === null);
	const aimed = useRef<number | null>(null);
	const pending = useMemo(() => pendingInThread(client.store.get(), channel.id, root), [outbox, channel.id, root]);
	const rows = useMemo<Row[]>(() => {
		if (!log?.root) return [];
		const run: Log = { ...emptyLog, status: 'ready', messages: log.messages, hasBefore: false };
		const waiting = pending.filter((p) => !log.messages.some((m) => m.client_id === p.client_id));
		return buildRows(run, waiting, me, log.line).filter((r) => r.kind !== 'start');
	}, [log?.messages, log?.root, log?.line, pending, me, today]);
	const ready = log?.status === 'ready' || rows.length > 0;
	const replies = log?.root?.replies?.count ?? 0;

	/* Who looks at the end has read it. */
	const look = useCallback(() => {
		const el = box.current;
		const last = client.store.get().threads[threadKey(channel.id, root)]?.messages.at(-1)?.seq;
		if (!el || !last || !client.attentive()) return;
		if (el.scrollHeight - el.scrollTop - el.clientHeight <= AT_BOTTOM) client.threads.seen(channel.id, root, last);
	}, [channel.id, root]);
	useLayoutEffect(() => {
		const el = box.current;
		if (!el) return;
		if (reply !== null && aimed.current !== reply) {
			const row = el.querySelector<HTMLElement>(`[data-key="m${reply}"]`);
			if (row) {
				aimed.current = reply;
				setActive(`m${reply}`);
				row.scrollIntoView({ block: 'center' });
				row.focus({ preventScroll: true });
			}
		} else if (stick.current) el.scrollTop = el.scrollHeight;
		look();
	}, [rows, reply]);
	useEffect(() => {
		const el = box.current;
		if (!el) return;
		// The keyboard of a phone, a picture that has come, the box that grows with what is written.
		const ro = new ResizeObserver(() => {
			if (stick.current) el.scrollTop = el.scrollHeight;
		});
		ro.observe(el);
		if (el.firstElementChild) ro.observe(el.firstElementChild);
		addEventListener('focus', look);
		document.addEventListener('visibilitychange', look);
		return () => {
			ro.disconnect();
			removeEventListener('focus', look);
			document.removeEventListener('visibilitychange', look);
		};
	}, [look]);
	// What one sends is always seen.
	const newest = pending.at(-1)?.client_id;
	useLayoutEffect(() => {
		if (!newest || !box.current) return;
		stick.current = true;
		box.current.scrollTop = box.current.scrollHeight;
	}, [newest]);

	const onKeyDown = (e: KeyboardEvent) => {
		if (e.altKey || e.ctrlKey || e.metaKey || !(e.target as HTMLElement).dataset.key) return;
		if (e.key !== 'ArrowDown' && e.key !== 'ArrowUp') return;
		e.preventDefault();
		const stops = [...box.current!.querySelectorAll<HTMLElement>('article[data-key]')];
		const at = stops.indexOf(e.target as HTMLElement);
		const next = stops[Math.max(0, Math.min(stops.length - 1, at + (e.key === 'ArrowDown' ? 1 : -1)))];
		next?.focus();
	};
	const row = (r: Row) => (
		<RowView
			key={r.key}
			row={r}
			user={users[r.kind === 'message' ? r.message.sender : me]}
			channel={channel}
			today={today}
			active={r.key === active}
			first={false}
			loading={false}
			failed={false}
			seen={UNSEEN}
			me={me}
			onFocus={setActive}
			inThread
		/>
	);
	return (
		<div
			ref={box}
			class="thread-scroll"
			role="log"
			aria-live="off"
			aria-label={tt.repliesIn(label)}
			aria-busy={!ready}
			tabIndex={0}
			onKeyDown={onKeyDown}
			onScroll={() => {
				const el = box.current!;
				stick.current = el.scrollHeight - el.scrollTop - el.clientHeight <= AT_BOTTOM;
				look();
			}}
		>
			<div>
				{log?.root?.hidden && <p class="thread-hidden">{tt.hidden}</p>}
				{log?.root &&
					!log.root.hidden &&
					row({ key: `m${root}`, kind: 'message', message: log.root, at: timeStamp(log.root), head: true })}
				{log?.root && (
					<div class="divider thread-divider" role="separator" aria-label={replies ? tt.replies(replies) : tt.none}>
						<span>{replies ? tt.replies(replies) : tt.none}</span>
					</div>
				)}
				{log?.hasBefore && (
					<button
						class="button thread-earlier"
						disabled={log.loadingBefore}
						onClick={() => void client.threads.before(channel.id, root)}
					>
						{tt.earlier}
					</button>
				)}
				{rows.map(row)}
				{!log?.root && log?.status !== 'failed' && <span class="spinner late" aria-hidden="true" />}
			</div>
		</div>
	);
}

/* Says new replies, while the thread is open. */
function ThreadAnnouncer({ channel, root }: { channel: Channel; root: number }) {
	const tail = useState$((s) => threadOf(s, channel.id, root)?.messages.at(-1));
	const ready = useState$((s) => threadOf(s, channel.id, root)?.status === 'ready');
	return <Announcer key={threadKey(channel.id, root)} tail={tail} ready={ready} />;
}
