// The site's own emoji: all of them, adding one, removing one. Loaded when it is opened first.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ImagePlus } from 'lucide';
import { allEmoji, mayAddEmoji, mayRemoveEmoji } from '../model/custom_emoji';
import { MOST, tooMany } from '../model/limits';
import type { CustomEmoji } from '../model/types';
import { api, ApiError } from '../net/api';
import { te } from '../strings_emoji';
import { sendPicture } from '../sync/picture_upload';
import { TransferError } from '../sync/transfer';
import { useState$, useUi } from './context';
import { EmojiPicture } from './custom_emoji';
import { Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { personName } from './names';
import { TextField } from './text_field';

export function EmojiManager({ onClose }: { onClose: () => void }) {
	const { client } = useUi();
	const emoji = useState$((s) => s.emoji);
	const most = useState$((s) => s.limits.custom?.most ?? 0);
	const may = useState$(mayAddEmoji);
	const [query, setQuery] = useState('');
	const all = useMemo(() => allEmoji(emoji), [emoji]);
	const found = query ? all.filter((e) => e.name.includes(query.toLowerCase().replaceAll(':', '').trim())) : all;
	useEffect(() => client.loader.needUsers([...new Set(all.map((e) => e.by))]), [all]);
	return (
		<Dialog title={te.title} onClose={onClose}>
			{may && <AddEmoji />}
			<div class="emoji-own">
				<div class="emoji-own-head">
					<input
						class="field"
						type="search"
						value={query}
						placeholder={te.search}
						aria-label={te.search}
						onInput={(e) => setQuery(e.currentTarget.value)}
					/>
					<span class="emoji-own-count">{te.count(all.length, most)}</span>
				</div>
				<ul class="emoji-own-list" tabIndex={0} role="list" aria-label={te.title}>
					{found.map((e) => (
						<One key={e.name} of={e} />
					))}
				</ul>
				{!found.length && <p class="picker-empty">{all.length ? te.noneFound : te.none}</p>}
			</div>
		</Dialog>
	);
}

function One({ of }: { of: CustomEmoji }) {
	const { toast } = useUi();
	const who = useState$((s) => personName(s.users[of.by]));
	const may = useState$((s) => mayRemoveEmoji(s, of));
	const [asked, setAsked] = useState(false);
	const button = useRef<HTMLButtonElement>(null);
	const remove = () => {
		if (!asked) return setAsked(true);
		setAsked(false);
		api.removeEmoji(of.name).then(
			() => toast(te.removed(of.name)),
			(e: unknown) => toast(errorText(e), true),
		);
	};
	return (
		<li class="setting emoji-own-one" data-name={of.name}>
			<span class="emoji-own-face">
				<EmojiPicture of={of} />
			</span>
			<span class="setting-text">
				<bdi class="emoji-own-name">:{of.name}:</bdi>
				<small>
					<bdi>{te.by(who)}</bdi>
				</small>
			</span>
			{may && (
				<button
					ref={button}
					class={asked ? 'button danger' : 'button'}
					aria-label={asked ? `${te.sure} :${of.name}:` : te.remove(of.name)}
					onClick={remove}
					onBlur={() => setAsked(false)}
				>
					{asked ? te.sure : te.removeIt}
				</button>
			)}
		</li>
	);
}

/* The names that everybody knows already, once somebody writes one. */
async function isStandard(name: string): Promise<boolean> {
	const { default: rows } = await import('emoji-data');
	return rows.some((r) => r[1].toLowerCase().replace(/[^a-z0-9+-]+/g, '_') === name || r[2].includes(`:${name}:`));
}

/* What went wrong, for the field that it is about. */
function faultOf(e: unknown): { name?: string; file?: string } {
	if (e instanceof TransferError) return { file: e.fault === 'type' ? te.pictureType : e.fault === 'too_large' ? te.pictureLarge : te.pictureFailed };
	if (!(e instanceof ApiError)) return { file: te.pictureType }; // it cannot be read
	if (e.code === 'too_large') return { file: te.pictureLarge };
	if (e.code === 'conflict') return { name: te.nameTaken };
	if (e.code === 'unprocessable' && e.field !== 'file') return { name: te.full };
	return e.field === 'name' ? { name: te.nameBad } : { file: errorText(e) };
}

const bareName = (text: string): string => text.trim().replace(/^:|:$/g, '').toLowerCase();

function AddEmoji() {
	const { client, toast } = useUi();
	const bytes = useState$((s) => s.limits.custom?.bytes ?? 0);
	const [name, setName] = useState('');
	const [file, setFile] = useState<File | null>(null);
	const [error, setError] = useState<{ name?: string; file?: string }>({});
	const [busy, setBusy] = useState(false);
	const stop = useRef(new AbortController());
	const input = useRef<HTMLInputElement>(null);
	const long = tooMany(bareName(name), MOST.emojiName) > 0;
	const picture = useMemo(() => (file ? URL.createObjectURL(file) : null), [file]);
	useEffect(() => () => void (picture && URL.revokeObjectURL(picture)), [picture]);
	useEffect(() => () => stop.current.abort(), []);

	const choose = (chosen: File | undefined) => {
		if (!chosen) return;
		setFile(chosen);
		setError({ ...error, file: undefined });
		if (!name) setName(chosen.name.replace(/\.[^.]*$/, '').toLowerCase().replace(/[^a-z0-9_+-]+/g, '_').slice(0, 32));
	};
	const save = async (wish: string) => {
		// Files come into a channel; which one is of no account.
		const { channels } = client.store.get();
		const channel = Object.values(channels).find((c) => !c.archived && c.membership);
		if (!wish) return setError({ name: te.nameMissing });
		if (!/^[a-z0-9_+-]{1,32}$/.test(wish)) return setError({ name: te.nameBad });
		if (!file) return setError({ file: te.pictureMissing });
		if (!channel) return setError({ file: te.noChannel });
		setError({});
		setBusy(true);
		try {
			if (await isStandard(wish)) return setError({ name: te.nameStandard });
			const id = await sendPicture(channel.id, file, bytes, stop.current.signal);
			await api.addEmoji(wish, id);
			toast(te.added(wish));
			setName('');
			setFile(null);
			if (input.current) input.current.value = '';
		} catch (e) {
			if (!stop.current.signal.aborted) setError(faultOf(e));
		} finally {
			setBusy(false);
		}
	};
	return (
		<form
			class="form emoji-add"
			aria-label={te.add}
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				if (!busy && !long) void save(bareName(name));
			}}
		>
			<div class="emoji-add-row">
				<label class="emoji-add-picture" data-bad={error.file ? '' : undefined}>
					<span class="sr-only">{te.choose}</span>
					<input
						ref={input}
						type="file"
						accept="image/png,image/gif,image/webp,image/jpeg"
						aria-invalid={error.file !== undefined}
						aria-describedby="emoji-add-picture"
						onChange={(e) => choose(e.currentTarget.files?.[0])}
					/>
					{picture ? <img src={picture} alt="" /> : <Icon of={ImagePlus} size={22} />}
				</label>
				<TextField
					label={te.name}
					autofocus
					value={name}
					most={MOST.emojiName}
					sent={bareName}
					plain
					bad={error.name !== undefined}
					describedBy="emoji-add-name"
					onText={setName}
				/>
				<button type="submit" class="button primary" aria-disabled={busy || long}>
					{busy ? te.saving : te.save}
				</button>
			</div>
			<p class="emoji-add-hint">
				<span id="emoji-add-name">{te.nameHint}</span> <span id="emoji-add-picture">{te.pictureHint}</span>
			</p>
			<Fault text={error.name ?? error.file} />
		</form>
	);
}
