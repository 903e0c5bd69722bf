// The right panel: search in all messages. The words stand in the address, so that the way back leads to the results.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Search } from 'lucide';
import { api, ApiError, type Found } from '../net/api';
import { plainHits } from '../model/markdown';
import { messageAt } from '../model/log';
import { begin, complete, FILTERS, isFiltered, withoutFilters, writingAt, type Writing } from '../model/search';
import { t } from '../strings';
import { ts } from '../strings_search';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { usePhone } from './media';
import { apart, channelLabel, personName } from './names';
import { Avatar } from './avatar';
import { Panel } from './panel';
import { channelPath, messagePath, navigate, searchPath, threadPath, type ChannelRoute } from './route';
import { SearchField, type Suggestion } from './search_field';
import { fullTime, timeOf, dateOf, dayStart } from './time';
import { usePeople } from './picker';

type Order = 'rank' | 'date';
const ORDERS: Order[] = ['rank', 'date'];
const PAUSE = 250; // ms after the last key

interface Results {
	list: Found[];
	next: string | null;
	complete: boolean;
}

export function SearchPanel({ route }: { route: ChannelRoute }) {
	const ui = useUi();
	const phone = usePhone();
	const [text, setText] = useState(route.q);
	const [caret, setCaret] = useState(text.length);
	const [order, setOrder] = useState<Order>('rank');
	const [found, setFound] = useState<Results | null>(null);
	const [error, setError] = useState<{ text: string; bad: boolean } | null>(null);
	const [busy, setBusy] = useState(false);
	const turn = useRef(0);
	const field = useRef<HTMLInputElement>(null);
	const list = useRef<HTMLUListElement>(null);
	const q = route.q.trim();

	// The address follows the field when the writing pauses; going back and forth, the field follows the address: at once, since an effect
	// that comes after the next pause would take an address of ours for another's and put it over what has been written since.
	const written = useRef(route.q);
	useLayoutEffect(() => {
		if (route.q === written.current) return;
		setText((written.current = route.q));
		setCaret(route.q.length);
	}, [route.q]);
	const look = (words: string) => {
		written.current = words;
		if (words !== route.q) navigate(searchPath(route.channel, words, route.at), true);
	};
	useEffect(() => {
		if (text === written.current) return;
		const timer = setTimeout(() => look(text), PAUSE);
		return () => clearTimeout(timer);
	}, [text, route.channel, route.at]);

	const ask = (before?: string) => {
		const mine = ++turn.current;
		setError(null);
		if (!q) {
			setBusy(false);
			return setFound(null);
		}
		setBusy(true);
		api.search(q, order, before).then(
			({ data }) => {
				if (mine !== turn.current) return;
				setBusy(false);
				ui.client.loader.needUsers(data.results.map((r) => r.sender));
				setFound((f) => ({ list: [...(before && f ? f.list : []), ...data.results], next: data.next, complete: data.complete }));
			},
			(e: unknown) => {
				if (mine !== turn.current) return;
				setBusy(false);
				const bad = e instanceof ApiError && e.code === 'bad_field';
				setError({ text: bad ? (e as ApiError).detail : errorText(e), bad });
			},
		);
	};
	useEffect(() => {
		ask();
		return () => void turn.current++;
	}, [q, order]);

	// Into the field at once, and again by its key.
	useLayoutEffect(() => {
		const focus = () => field.current?.focus();
		if (route.at === null) focus();
		addEventListener('pulsechat-search', focus);
		return () => removeEventListener('pulsechat-search', focus);
	}, []);

	const put = (next: string, at = next.length) => {
		setText(next);
		setCaret(at);
		// At once, not when it is drawn: what is typed next belongs into it.
		field.current!.value = next;
		field.current!.focus();
		field.current!.setSelectionRange(at, at);
	};
	const step = (from: HTMLElement | null, by: number) => {
		const all = [...(list.current?.querySelectorAll<HTMLElement>('a') ?? [])];
		const i = from ? all.indexOf(from) + by : 0;
		if (i < 0) field.current?.focus();
		else all[Math.min(i, all.length - 1)]?.focus();
	};

	const filtered = isFiltered(q);
	return (
		<Panel title={t.search} onClose={() => navigate(channelPath(route.channel))}>
			<form
				class="search-form"
				role="search"
				onSubmit={(e) => {
					e.preventDefault();
					if (text === route.q) ask();
					else look(text);
				}}
			>
				<Completing
					text={text}
					caret={caret}
					field={field}
					onText={setText}
					onCaret={setCaret}
					onPut={put}
					onDown={() => step(null, 1)}
				/>
				<div class="search-row" role="group" aria-label={ts.filters}>
					{FILTERS.map((key) => (
						<button key={key} type="button" class="facet" onClick={() => put(begin(text, key))}>
							{ts.filter[key]}
						</button>
					))}
				</div>
				<div class="search-row" role="radiogroup" aria-label={ts.sort}>
					{ORDERS.map((o) => (
						<label key={o} class={o === order ? 'facet facet-on' : 'facet'}>
							<input
								type="radio"
								class="sr-only"
								name="search-order"
								checked={o === order}
								onChange={() => setOrder(o)}
							/>
							{ts.orders[o]}
						</label>
					))}
				</div>
			</form>
			<div class="panel-scroll" tabIndex={0} role="region" aria-label={ts.results} aria-busy={busy}>
				<p class="search-said" role="status">
					{busy ? t.loading : found && !error ? ts.found(found.list.length, found.next !== null) : ''}
				</p>
				{error && (
					<div class="panel-note" role="alert">
						<p>{error.bad ? error.text : `${ts.failed} ${error.text}`}</p>
						{!error.bad && (
							<button class="button" onClick={() => ask()}>
								{t.retry}
							</button>
						)}
					</div>
				)}
				{!error && found && !found.complete && <p class="panel-note">{ts.incomplete}</p>}
				{!q && <Hints onUse={(words) => put(words)} phone={phone} />}
				{!error && found && !busy && !found.list.length && (
					<div class="panel-note">
						<p>{ts.nothingText}</p>
						{filtered && (
							<button class="button" onClick={() => put(withoutFilters(text))}>
								{ts.dropFilters}
							</button>
						)}
					</div>
				)}
				{!error && found && (
					<ul
						ref={list}
						class="results"
						onKeyDown={(e) => {
							const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
							if (!by || e.altKey || e.ctrlKey || e.metaKey) return;
							e.preventDefault();
							step((e.target as HTMLElement).closest('a'), by);
						}}
					>
						{found.list.map((r) => (
							<Result key={r.id} found={r} here={route} phone={phone} />
						))}
					</ul>
				)}
				{!error && found?.next && (
					<button class="button" disabled={busy} onClick={() => ask(found.next!)}>
						{t.more}
					</button>
				)}
			</div>
		</Panel>
	);
}

function Hints({ onUse, phone }: { onUse: (words: string) => void; phone: boolean }) {
	const Title = phone ? 'h2' : 'h3';
	return (
		<section class="search-hints" aria-label={ts.hintTitle}>
			<Title>{ts.hintTitle}</Title>
			<ul>
				{ts.hints.map(([words, what]) => (
					<li key={words}>
						<button type="button" class="link-button" onClick={() => onUse(words)}>
							<code>{words}</code>
						</button>
						<span>{what}</span>
					</li>
				))}
			</ul>
		</section>
	);
}

/* What was deleted since, or stands in a channel that was left, goes from the list too. */
function Result({ found: r, here, phone }: { found: Found; here: ChannelRoute; phone: boolean }) {
	const { client } = useUi();
	const user = useState$((s) => s.users[r.sender]);
	const channel = useState$((s) => s.channels[r.channel]);
	const where = useState$((s) => (channel ? channelLabel(s, channel) : ''));
	const deleted = useState$((s) => messageAt(s.logs[r.channel], r.seq)?.deleted === true);
	if (!channel || deleted) return null;
	const at = Date.parse(r.created_at);
	const to = r.thread ? threadPath(r.channel, r.thread, r.seq) : phone ? messagePath(r.channel, r.seq) : searchPath(r.channel, here.q, r.seq);
	const current = here.channel === r.channel && here.at === r.seq;
	return (
		<li>
			<a
				class="result"
				href={r.thread ? to : messagePath(r.channel, r.seq)}
				aria-current={current ? 'true' : undefined}
				onClick={(e) => {
					if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
					e.preventDefault();
					if (current) client.open(r.channel, r.seq);
					else navigate(to);
				}}
			>
				<span class="result-head">
					<Avatar user={user} id={r.sender} size="s" />
					<bdi class="result-who">{personName(user)}</bdi>
					<bdi class="result-where">{where}</bdi>
					<time dateTime={r.created_at} title={fullTime(at)}>
						{at >= dayStart(Date.now()) ? timeOf(at) : dateOf(at)}
					</time>
				</span>
				<span class="result-text" dir="auto">
					{plainHits(r.snippet).map((p, i) => (p.hit ? <mark key={i}>{p.text}</mark> : <span key={i}>{p.text}</span>))}
				</span>
			</a>
		</li>
	);
}

interface CompletingProps {
	text: string;
	caret: number;
	field: { current: HTMLInputElement | null };
	onText: (text: string) => void;
	onCaret: (caret: number) => void;
	onPut: (text: string, caret: number) => void;
	onDown: () => void;
}

/* The field, with what a filter under the caret may be. */
function Completing({ text, caret, field, onText, onCaret, onPut, onDown }: CompletingProps) {
	const writing = writingAt(text, caret);
	const people = usePeople(writing?.key === 'from' ? writing.word : null);
	const state = useState$((s) => s);
	const choices: Suggestion[] = [];
	const add = (w: Writing, value: string, main: string, note = '') =>
		choices.push({
			key: `${w.key}-${value}`,
			main,
			note,
			choose: () => {
				const next = complete(text, w, value);
				onPut(next.text, next.caret);
			},
		});
	if (writing) {
		const word = writing.word.replace(/^[@#]/, '').toLocaleLowerCase();
		if (writing.key === 'has' || writing.key === 'is')
			for (const [value, what] of Object.entries(ts[writing.key])) {
				if (value.startsWith(word) && value !== word) add(writing, value, value, what);
			}
		if (writing.key === 'from') {
			if ('me'.startsWith(word) && word !== 'me') add(writing, 'me', 'me', ts.fromMe);
			for (const u of people ?? []) if (u.handle !== word) add(writing, u.handle, personName(u), `@${u.handle}`);
		}
		if (writing.key === 'in')
			for (const c of Object.values(state.channels)) {
				if (c.kind === 'direct' && c.peer === null) continue; // has no name to be looked for by
				const label = channelLabel(state, c);
				const peer = c.peer === null ? undefined : state.users[c.peer];
				const value = c.kind === 'direct' ? `@${peer?.handle ?? ''}` : (c.name ?? '');
				const names = [label.replace(/^#/, ''), value.replace(/^@/, '')].map((s) => s.toLocaleLowerCase());
				if (!names.some((s) => s.includes(word)) || value === writing.word) continue;
				add(writing, value, label, c.kind === 'direct' ? value : apart(c.topic));
			}
	}
	return (
		<SearchField
			field={field}
			icon={Search}
			label={ts.label}
			placeholder={ts.placeholder}
			listLabel={ts.choices}
			text={text}
			choices={choices.slice(0, 8)}
			onText={(v, at) => {
				onText(v);
				onCaret(at);
			}}
			onCaret={onCaret}
			onDown={onDown}
			clearLabel={ts.clear}
			onClear={() => onPut('', 0)}
		/>
	);
}
