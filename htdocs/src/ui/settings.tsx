// Own status, do not disturb, settings: what others see of one. Loaded when one of them is opened first.
import { useEffect, useState } from 'preact/hooks';
import { BellOff, SmilePlus, X } from 'lucide';
import { emojiOf, ownRows } from '../model/custom_emoji';
import { searchEmoji } from '../model/emoji';
import { MOST, tooMany } from '../model/limits';
import { FOREVER, statusOf } from '../model/presence';
import { myId } from '../model/state';
import type { Settings as Values } from '../model/types';
import { enterBreaks, isCompact, setCompact, setEnterBreaks } from '../sync/local';
import { keepsLocation, setKeepsLocation } from '../sync/uploads_browser';
import { setShowsPreviews, showsPreviews } from '../sync/previews';
import { t } from '../strings';
import { ty } from '../strings_settings';
import { te } from '../strings_emoji';
import { tp } from '../strings_previews';
import { tw } from '../strings_writing';
import { useState$, useUi } from './context';
import { EmojiFace } from './custom_emoji';
import { Dialog, Fault, Foot } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { NotifySettings } from './notify_settings';
import { statusWords } from './presence';
import { Profile } from './profile';
import { Row, Switch } from './setting';
import { TextField } from './text_field';
import { dayStart, untilOf } from './time';

interface Props {
	onClose: () => void;
}

const MINUTE = 60_000;
const MORNING = 8; // o'clock

/* When something that is chosen now ends; null: never. */
function endOf(choice: string, now: number): string | null {
	const at = (ms: number) => new Date(ms).toISOString();
	const minutes = { '30m': 30, '1h': 60, '2h': 120, '4h': 240 }[choice];
	if (minutes) return at(now + minutes * MINUTE);
	if (choice === 'today') return at(dayStart(now, 1));
	if (choice === 'week') return at(dayStart(now, 7 - ((new Date(now).getDay() + 6) % 7)));
	if (choice === 'tomorrow') return at(new Date(dayStart(now, 1)).setHours(MORNING));
	return null;
}

export function Settings({ onClose }: Props) {
	const { client, openDialog, toast } = useUi();
	const settings = useState$((s) => s.settings);
	const status = useState$((s) => statusOf(s, myId(s)));
	const local = useState$((s) => s.me?.password);
	const able = useState$((s) => s.limits.files !== null);
	const custom = useState$((s) => s.limits.custom !== null);
	const [location, setLocation] = useState(keepsLocation);
	const [previews, setPreviews] = useState(showsPreviews);
	const [breaks, setBreaks] = useState(enterBreaks);
	const [compact, showCompact] = useState(isCompact);
	useEffect(() => void client.loader.settings(), []);
	const change = (c: Partial<Values>) => client.changeSettings(c).catch((e: unknown) => toast(errorText(e), true));
	return (
		<Dialog title={ty.settings} onClose={onClose}>
			<div class="settings">
				<Profile />
				{!settings ? (
					<Fault text={ty.settingsAway} again={() => void client.loader.settings()} />
				) : (
					<>
						<h3>{ty.settingsPresence}</h3>
						<Row label={ty.statusTitle} hint={status ? statusWords(status) : undefined}>
							<button class="button" onClick={() => openDialog('status')}>
								{status ? t.editStatus : t.setStatus}
							</button>
						</Row>
						<Row label={ty.dndTitle} hint={settings.dnd_until ? dndText(settings.dnd_until) : ty.dndText}>
							<button class="button" onClick={() => openDialog('dnd')}>
								{settings.dnd_until ? ty.dndChange : ty.dndChoose}
							</button>
						</Row>
						<Switch
							label={ty.invisibleLabel}
							hint={ty.invisibleHint}
							on={settings.invisible}
							onChange={(invisible) => change({ invisible })}
						/>
						<Switch
							label={ty.receiptsLabel}
							hint={ty.receiptsHint}
							on={settings.read_receipts}
							onChange={(read_receipts) => change({ read_receipts })}
						/>
					</>
				)}
				<NotifySettings />
				{able && (
					<>
						<h3>{ty.settingsFiles}</h3>
						<Switch
							label={ty.keepLocation}
							hint={ty.keepLocationHint}
							on={location}
							onChange={async (on) => {
								setKeepsLocation(on);
								setLocation(on);
							}}
						/>
						<Row label={t.myFiles} hint={ty.myFilesHint}>
							<button
								class="button"
								aria-label={`${t.myFiles}: ${ty.devicesShow}`}
								onClick={() => openDialog('files')}
							>
								{ty.devicesShow}
							</button>
						</Row>
					</>
				)}
				<h3>{ty.look}</h3>
				<Switch
					label={ty.compact}
					hint={ty.compactHint}
					on={compact}
					onChange={async (on) => {
						setCompact(on);
						showCompact(on);
					}}
				/>
				<h3>{tw.title}</h3>
				<Switch
					label={tw.breaks}
					hint={tw.breaksHint}
					on={breaks}
					onChange={async (on) => {
						setEnterBreaks(on);
						setBreaks(on);
					}}
				/>
				<h3>{tp.settings}</h3>
				<Switch
					label={tp.show}
					hint={tp.showHint}
					on={previews}
					onChange={async (on) => {
						setShowsPreviews(on);
						setPreviews(on);
					}}
				/>
				{custom && (
					<Row label={te.title} hint={te.hint}>
						<button class="button" aria-label={`${te.title}: ${te.show}`} onClick={() => openDialog('emoji')}>
							{te.show}
						</button>
					</Row>
				)}
				<h3>{ty.settingsAccess}</h3>
				<Row label={t.devices} hint={ty.devicesHint}>
					<button class="button" aria-label={`${t.devices}: ${ty.devicesShow}`} onClick={() => openDialog('devices')}>
						{ty.devicesShow}
					</button>
				</Row>
				{local && (
					<Row label={t.passwordChange} hint={ty.passwordChangeHint}>
						<button class="button" aria-label={t.passwordChange} onClick={() => openDialog('password')}>
							{ty.passwordChangeDo}
						</button>
					</Row>
				)}
				<Row label={t.tokens} hint={ty.tokensHint}>
					<button class="button" aria-label={`${t.tokens}: ${ty.tokensShow}`} onClick={() => openDialog('tokens')}>
						{ty.tokensShow}
					</button>
				</Row>
			</div>
		</Dialog>
	);
}

export const dndText = (until: string): string => (until === FOREVER ? ty.dndNowForever : ty.dndNow(untilOf(Date.parse(until), Date.now())));

/* Do not disturb, and for how long: a choice is all it takes. */
export function Pause({ onClose }: Props) {
	const { client, toast } = useUi();
	const until = useState$((s) => s.settings?.dnd_until ?? null);
	const [busy, setBusy] = useState(false);
	const choose = (choice: string) => {
		setBusy(true);
		const dnd_until = choice === 'off' ? null : choice === FOREVER ? FOREVER : endOf(choice, Date.now());
		client.changeSettings({ dnd_until }).then(onClose, (e: unknown) => {
			setBusy(false);
			toast(errorText(e), true);
		});
	};
	return (
		<Dialog title={ty.dndTitle} onClose={onClose}>
			<p class="dialog-text">{until ? dndText(until) : ty.dndText}</p>
			<ul class="pauses">
				{until && (
					<li>
						<button class="menu-item" data-autofocus disabled={busy} onClick={() => choose('off')}>
							<Icon of={X} size={16} /> {ty.dndSwitchOff}
						</button>
					</li>
				)}
				{Object.entries(ty.dndFor).map(([k, label], i) => (
					<li key={k}>
						<button class="menu-item" data-autofocus={!until && !i} disabled={busy} onClick={() => choose(k)}>
							<Icon of={BellOff} size={16} /> {label}
						</button>
					</li>
				))}
			</ul>
		</Dialog>
	);
}

const WORK = '🙂 😀 😅 🤔 🤒 😴 🎧 🎯 💻 📅 📞 📝 ☕ 🍽️ 🏠 🏢';
const LIFE = '🚆 🚗 ✈️ 🌴 🏖️ 🏃 👶 🎓 🛠️ 🚀 🔥 🎉 ❤️ 👍 ⏳ 🔕';
const EMOJI = `${WORK} ${LIFE}`.split(' ');
const MOST_OWN = 64; // of the site's own at a time; a name finds the others
const OWN = /^:?[a-z0-9_+-]+:?$/i;
const segmenter = 'Segmenter' in Intl ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;
const firstOf = (s: string): string => (segmenter ? [...segmenter.segment(s.trim())][0]?.segment : [...s.trim()][0]) ?? '';

export function StatusForm({ onClose }: Props) {
	const { client } = useUi();
	const held = useState$((s) => statusOf(s, myId(s)));
	const ours = useState$((s) => s.emoji);
	const gone = held?.emoji?.startsWith(':') && ours.loaded && !emojiOf(ours, held.emoji);
	const [emoji, setEmoji] = useState(gone ? '' : (held?.emoji ?? ''));
	const [other, setOther] = useState('');
	const [text, setText] = useState(held?.text ?? '');
	const [end, setEnd] = useState(held?.until ? 'keep' : 'never');
	const [choosing, setChoosing] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const save = (clear: boolean) => {
		const clean = text.trim();
		setBusy(true);
		setError(null);
		const until = end === 'keep' ? (held?.until ?? null) : endOf(end, Date.now());
		client.setStatus(clear ? null : { emoji: emoji || null, text: clean, until }).then(onClose, (e: unknown) => {
			setBusy(false);
			setError(errorText(e));
		});
	};
	const empty = !emoji && !text.trim();
	const named = OWN.test(other.trim());
	const own = named ? searchEmoji(ownRows(ours), other.replaceAll(':', ' '), MOST_OWN) : ownRows(ours).slice(0, MOST_OWN);
	const choices = [...(named && own.length ? [] : EMOJI), ...own.map((r) => r[0])];
	const ends = Object.entries(ty.statusEnd);
	if (held?.until) ends.unshift(['keep', ty.statusKeep(untilOf(Date.parse(held.until), Date.now()))]);
	return (
		<Dialog title={ty.statusTitle} onClose={onClose}>
			<form
				class="form"
				noValidate
				onSubmit={(e) => {
					e.preventDefault();
					save(false);
				}}
			>
				<div class="status-row">
					<button
						type="button"
						class="status-emoji"
						aria-label={emoji ? `${ty.statusChoose}: ${emoji}` : ty.statusChoose}
						title={ty.statusChoose}
						aria-expanded={choosing}
						aria-controls="status-emoji"
						onClick={() => setChoosing(!choosing)}
					>
						{emoji ? <EmojiFace emoji={emoji} /> : <Icon of={SmilePlus} size={20} />}
					</button>
					<TextField
						label={ty.statusText}
						quietly
						placeholder={ty.statusText}
						autofocus
						value={text}
						most={MOST.status}
						bad={error !== null}
						onText={setText}
					/>
				</div>
				<div id="status-emoji" class="emoji-box" role="group" aria-label={ty.statusEmoji} hidden={!choosing}>
					<div class="emoji-grid">
						{choices.map((c) => (
							<button
								key={c}
								type="button"
								title={c.startsWith(':') ? c : undefined}
								aria-pressed={c === emoji}
								onClick={() => {
									setEmoji(c);
									setOther('');
									setChoosing(false);
								}}
							>
								<EmojiFace emoji={c} />
							</button>
						))}
					</div>
					<div class="emoji-row">
						<label class="field">
							<span class="sr-only">{ty.statusEmojiOther}</span>
							<input
								type="text"
								placeholder={ty.statusEmojiOther}
								autocomplete="off"
								value={other}
								onInput={(e) => {
									const written = e.currentTarget.value.trim();
									setOther(e.currentTarget.value);
									if (/:.*:/.test(written) && emojiOf(ours, written)) setEmoji(written.toLowerCase());
									else if (written && !OWN.test(written)) setEmoji(firstOf(written));
								}}
							/>
						</label>
						{emoji && (
							<button
								type="button"
								class="link-button"
								onClick={() => {
									setEmoji('');
									setChoosing(false);
								}}
							>
								{ty.statusEmojiNone}
							</button>
						)}
					</div>
				</div>
				{empty && !choosing && (
					<div class="ideas" role="group" aria-label={ty.statusIdeas}>
						{ty.statusIdeasList.map(([e, what, until]) => (
							<button
								key={what}
								type="button"
								class="idea"
								onClick={() => {
									setEmoji(e);
									setText(what);
									setEnd(until);
								}}
							>
								<span aria-hidden="true">{e}</span> <span>{what}</span>
								{ty.statusIdeaFor[until] && <small>{ty.statusIdeaFor[until]}</small>}
							</button>
						))}
					</div>
				)}
				<label class="field">
					<span>{ty.statusEnds}</span>
					<select value={end} onChange={(e) => setEnd(e.currentTarget.value)}>
						{ends.map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
				<Fault text={error} />
				<Foot label={t.save} off={busy || (empty && !held) || tooMany(text.trim(), MOST.status) > 0} onClose={onClose}>
					{held && (
						<button type="button" class="button foot-start" disabled={busy} onClick={() => save(true)}>
							{t.clearStatus}
						</button>
					)}
				</Foot>
			</form>
		</Dialog>
	);
}
