// What one wants of a channel: what it tells one of, in which section of the side bar it stands; and the names of sections. Loaded when
// one of them is opened first.
import { useState } from 'preact/hooks';
import { MOST, tooMany } from '../model/limits';
import { keyOf, PLAIN } from '../model/prefs';
import { endOf } from '../model/roles';
import { levelOf } from '../model/unread';
import type { NotifyLevel, Section, Until } from '../model/types';
import { tc } from '../strings_channels';
import { useState$, useUi } from './context';
import { Confirm, Dialog, Fault, Foot, useSaving } from './dialog';
import { channelLabel } from './names';
import { TextField } from './text_field';
import { untilOf } from './time';

interface Props {
	onClose: () => void;
}

const HOUR = 3_600_000; // ms

/* Tomorrow morning by the clock of this device. */
function morning(): number {
	const d = new Date();
	d.setDate(d.getDate() + 1);
	d.setHours(8, 0, 0, 0);
	return d.getTime();
}

function quietUntil(choice: string, held: Until | null): Until | null {
	if (choice === 'off') return null;
	if (choice === 'kept') return held;
	if (choice === 'forever') return 'forever';
	return new Date(choice === 'day' ? morning() : Date.now() + Number.parseInt(choice, 10) * HOUR).toISOString();
}

export function Notifications({ channel, onClose }: Props & { channel: number }) {
	const { client } = useUi();
	const c = useState$((s) => s.channels[channel]);
	const label = useState$((s) => (c ? channelLabel(s, c) : ''));
	const held = c?.prefs?.quiet_until ?? null;
	const [level, setLevel] = useState<NotifyLevel>(c ? levelOf(c) : 'mentions');
	const [quiet, setQuiet] = useState(!held ? 'off' : held === 'forever' ? 'forever' : 'kept');
	const { error, busy, submit } = useSaving(() => client.setPrefs(channel, { notify: level, quiet_until: quietUntil(quiet, held) }), onClose);
	return (
		<Dialog title={tc.notificationsTitle(label)} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<fieldset class="choices">
					<legend>{tc.levelLegend}</legend>
					{(['all', 'mentions', 'nothing'] as const).map((k) => (
						<label key={k} class="choice">
							<input
								type="radio"
								name="level"
								value={k}
								data-autofocus={level === k}
								checked={level === k}
								onChange={() => setLevel(k)}
							/>
							{tc.levels[k]}
						</label>
					))}
				</fieldset>
				<p class="door-hint">{tc.levelHint}</p>
				<label class="field">
					<span>{tc.quietFor}</span>
					<select value={quiet} aria-describedby="quiet-hint" onChange={(e) => setQuiet(e.currentTarget.value)}>
						<option value="off">{tc.quietOff}</option>
						{held && held !== 'forever' && <option value="kept">{tc.quietKept(untilOf(endOf(held), Date.now()))}</option>}
						{Object.entries(tc.quietFors).map(([k, words]) => (
							<option key={k} value={k}>
								{words}
							</option>
						))}
					</select>
					<small id="quiet-hint">{tc.quietHint}</small>
				</label>
				<Fault text={error} />
				<Foot label={tc.save} off={busy} onClose={onClose} />
			</form>
		</Dialog>
	);
}

export function MoveToSection({ channel, onClose }: Props & { channel: number }) {
	const { client } = useUi();
	const c = useState$((s) => s.channels[channel]);
	const label = useState$((s) => (c ? channelLabel(s, c) : ''));
	const sections = useState$((s) => s.sidebar?.sections ?? PLAIN);
	const own = sections.filter((s): s is Section & { kind: 'own' } => s.kind === 'own');
	const held = own.some((s) => s.id === c?.prefs?.section) ? (c?.prefs?.section ?? '') : '';
	const [to, setTo] = useState(held);
	const [name, setName] = useState('');
	const save = async () => {
		let section: string | null = to || null;
		if (to === 'new') {
			section = crypto.randomUUID();
			await client.arrange(withSection(sections, section, name));
		}
		await client.setPrefs(channel, { section });
	};
	const { error, busy, submit } = useSaving(save, onClose);
	const choices = [{ id: '', name: c?.kind === 'direct' ? tc.usual.direct : tc.usual.channel }, ...own, { id: 'new', name: tc.newSection }];
	return (
		<Dialog title={tc.moveTitle(label)} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<fieldset class="choices">
					<legend>{tc.moveLegend}</legend>
					{choices.map((s) => (
						<label key={s.id} class="choice">
							<input
								type="radio"
								name="section"
								value={s.id}
								data-autofocus={to === s.id}
								checked={to === s.id}
								onChange={() => setTo(s.id)}
							/>
							<bdi>{s.name}</bdi>
						</label>
					))}
				</fieldset>
				{to === 'new' && <NameField value={name} onInput={setName} />}
				{c?.prefs?.favourite && <p class="door-hint">{tc.inFavourites}</p>}
				<Fault text={error} />
				<Foot label={tc.save} off={busy || (to === 'new' && !fits(name))} onClose={onClose} />
			</form>
		</Dialog>
	);
}

/* A new section stands before the channels. */
function withSection(sections: readonly Section[], id: string, name: string): Section[] {
	const at = sections.findIndex((s) => s.kind === 'channels');
	return [...sections.slice(0, at), { kind: 'own', id, name: name.trim(), collapsed: false }, ...sections.slice(at)];
}

const fits = (name: string): boolean => name.trim() !== '' && !tooMany(name.trim(), MOST.section);

function NameField({ value, onInput, first }: { value: string; onInput: (v: string) => void; first?: boolean }) {
	return <TextField label={tc.sectionName} value={value} most={MOST.section} autofocus={first} onText={onInput} />;
}

/* id null: a new one. */
export function SectionForm({ id, onClose }: Props & { id: string | null }) {
	const { client } = useUi();
	const sections = useState$((s) => s.sidebar?.sections ?? PLAIN);
	const held = sections.find((s) => keyOf(s) === id);
	const [name, setName] = useState(held?.kind === 'own' ? held.name : '');
	const save = () =>
		client.arrange(
			id === null
				? withSection(sections, crypto.randomUUID(), name)
				: sections.map((s) => (s.kind === 'own' && s.id === id ? { ...s, name: name.trim() } : s)),
		);
	const { error, busy, submit } = useSaving(save, onClose);
	return (
		<Dialog title={id === null ? tc.newSectionTitle : tc.renameSectionTitle} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<NameField first value={name} onInput={setName} />
				<Fault text={error} />
				<Foot label={tc.save} off={busy || !fits(name)} onClose={onClose} />
			</form>
		</Dialog>
	);
}

export function DropSection({ id, onClose }: Props & { id: string }) {
	const { client } = useUi();
	const sections = useState$((s) => s.sidebar?.sections ?? PLAIN);
	const held = sections.find((s) => keyOf(s) === id);
	const [name] = useState(held?.kind === 'own' ? held.name : '');
	const run = () => client.arrange(sections.filter((s) => keyOf(s) !== id));
	return <Confirm title={tc.dropTitle(name)} text={tc.dropText} label={tc.dropIt} careful run={run} onClose={onClose} />;
}

/* The day as the date field of the browser names it. */
const dayText = (d: Date) => `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`;

export function JumpToDate({ channel, onClose }: Props & { channel: number }) {
	const { client } = useUi();
	const today = dayText(new Date());
	const [day, setDay] = useState(today);
	const go = async () => {
		const seq = await client.loader.seqAt(channel, new Date(`${day}T00:00`).getTime());
		if (seq === null) return tc.jumpNone;
		onClose();
		setTimeout(() => client.open(channel, seq)); // once the dialog has given the focus back
	};
	const { error, busy, submit } = useSaving(go, onClose);
	return (
		<Dialog title={tc.jumpTitle} onClose={onClose}>
			<form class="form" noValidate onSubmit={submit}>
				<label class="field">
					<span>{tc.jumpDay}</span>
					<input data-autofocus type="date" required max={today} value={day} onInput={(e) => setDay(e.currentTarget.value)} />
				</label>
				<Fault text={error} />
				<Foot label={tc.jumpGo} off={busy || !day} onClose={onClose} />
			</form>
		</Dialog>
	);
}
