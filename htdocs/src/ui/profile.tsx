// What one shows of oneself: picture and name. The first thing in the settings.
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ImagePlus, Trash2 } from 'lucide';
import { MOST, tooMany } from '../model/limits';
import { api, ApiError } from '../net/api';
import { tr } from '../strings_profile';
import { sendFace } from '../sync/picture_upload';
import { TransferError } from '../sync/transfer';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { TextField } from './text_field';

function pictureFault(e: unknown): string {
	if (e instanceof ApiError) return e.code === 'muted' ? tr.muted : e.code === 'too_large' ? tr.tooLarge : errorText(e);
	if (!(e instanceof TransferError)) return tr.failed;
	if (e.fault === 'type' || e.fault === 'unreadable') return tr.noPicture;
	return e.fault === 'too_large' ? tr.tooLarge : e.fault === 'quota' || e.fault === 'quota_day' ? tr.quota : tr.failed;
}

const nameFault = (e: unknown): string =>
	!(e instanceof ApiError) || e.status === 0 ? errorText(e) : e.code === 'muted' ? tr.muted : e.field === 'name' ? tr.badName : errorText(e);

export function Profile() {
	const { client } = useUi();
	const me = useState$((s) => s.me);
	const version = me?.user.version;
	// Where they come from is told by no event: another tab may have changed it.
	const refresh = () => api.me().then(({ data }) => client.store.dispatch({ type: 'me', me: data }));
	useEffect(() => void refresh().catch(() => {}), [version]);
	if (!me) return null;
	return (
		<section class="profile" aria-labelledby="profile-title">
			<h3 id="profile-title">{tr.title}</h3>
			<Picture refresh={refresh} />
			<Name refresh={refresh} />
		</section>
	);
}

interface Props {
	refresh: () => Promise<unknown>;
}

function Picture({ refresh }: Props) {
	const { client, toast } = useUi();
	const user = useState$((s) => s.me!.user);
	const own = useState$((s) => s.me!.profile?.own_picture ?? false);
	const able = useState$((s) => s.limits.files !== null);
	const [share, setShare] = useState<number | null>(null); // of what is being sent
	const [error, setError] = useState<string | null>(null);
	const [over, setOver] = useState(false);
	const stop = useRef(new AbortController());
	const input = useRef<HTMLInputElement>(null);
	const change = useRef<HTMLButtonElement>(null);
	useEffect(() => () => stop.current.abort(), []);

	const run = async (what: () => Promise<unknown>, done: string) => {
		setError(null);
		try {
			await what();
			await refresh().catch(() => {}); // the event tells it too
			toast(done);
		} catch (e) {
			if (!stop.current.signal.aborted) setError(pictureFault(e));
		}
		setShare(null);
	};
	const take = (file: File | undefined) => {
		if (!file || share !== null || !able) return;
		// Files come into a channel; which one is of no account.
		const channel = Object.values(client.store.get().channels).find((c) => !c.archived && c.membership);
		if (!channel) return setError(tr.noChannel);
		setShare(0);
		void run(async () => api.setPicture(await sendFace(channel.id, file, stop.current.signal, setShare)), tr.changed);
	};
	const remove = () => {
		change.current?.focus(); // the button that has it goes
		void run(api.removePicture, tr.removed);
	};
	const latest = useRef(take);
	latest.current = take;
	useEffect(() => {
		const paste = (e: ClipboardEvent) => {
			const [file] = e.clipboardData?.files ?? [];
			if (!file || e.clipboardData!.types.includes('text/plain')) return;
			e.preventDefault();
			latest.current(file);
		};
		addEventListener('paste', paste);
		return () => removeEventListener('paste', paste);
	}, []);
	const hint = useId();
	const label = share !== null ? tr.sending(Math.round(share * 100)) : own ? tr.change : tr.add;
	return (
		<>
			<div
				class="profile-picture"
				data-over={over ? '' : undefined}
				onDragEnter={() => setOver(able)}
				onDragOver={(e) => {
					if (!able) return;
					e.preventDefault();
					e.stopPropagation(); // the channel behind takes nothing now
					e.dataTransfer!.dropEffect = 'copy';
				}}
				onDragLeave={(e) => {
					if (!e.currentTarget.contains(e.relatedTarget as Node | null)) setOver(false);
				}}
				onDrop={(e) => {
					e.preventDefault();
					setOver(false);
					take(e.dataTransfer?.files[0]);
				}}
			>
				<Avatar user={user} id={user.id} size="xl" />
				<div class="profile-what">
					{able && (
						<div class="profile-buttons">
							<input
								ref={input}
								type="file"
								accept="image/*"
								hidden
								aria-label={tr.change}
								onChange={(e) => {
									take(e.currentTarget.files?.[0]);
									e.currentTarget.value = ''; // the same file may be chosen again
								}}
							/>
							<button
								ref={change}
								class="button"
								aria-disabled={share !== null}
								aria-describedby={hint}
								onClick={() => share === null && input.current?.click()}
							>
								<Icon of={ImagePlus} size={16} /> {label}
							</button>
							{own && share === null && (
								<button class="button" onClick={remove}>
									<Icon of={Trash2} size={16} /> {tr.remove}
								</button>
							)}
						</div>
					)}
					<small id={hint}>{able ? tr.hint : tr.hintAway}</small>
				</div>
			</div>
			<Fault text={error} />
		</>
	);
}

function Name({ refresh }: Props) {
	const { toast } = useUi();
	const shown = useState$((s) => s.me!.user.name);
	const own = useState$((s) => s.me!.profile?.own_name ?? false);
	const says = useState$((s) => s.me!.profile?.provider_name ?? null);
	const [name, setName] = useState(shown);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const wish = name.trim();
	const long = tooMany(wish, MOST.personName) > 0;
	const hint = useId();
	const input = useRef<HTMLInputElement | HTMLTextAreaElement>(null);
	const held = useRef(shown);
	useLayoutEffect(() => {
		if (name === held.current) setName(shown); // changed elsewhere, and nothing was being written here
		held.current = shown;
	}, [shown]);
	const save = async (to: string | null) => {
		if (busy) return;
		if (to === '') return setError(tr.noName);
		setError(null);
		setBusy(true);
		try {
			const { data } = await api.changeMe({ name: to });
			toast(tr.named(data.name));
			await refresh().catch(() => {}); // the event tells it too
			setName(data.name);
		} catch (e) {
			setError(nameFault(e));
		}
		setBusy(false);
	};
	return (
		<form
			class="profile-name"
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				if (wish !== shown && !long) void save(wish);
			}}
		>
			<div class="profile-name-row">
				<TextField
					label={tr.name}
					field={input}
					value={name}
					most={MOST.personName}
					autocomplete="name"
					bad={error !== null}
					describedBy={says !== null ? hint : undefined}
					onText={setName}
				/>
				<button type="submit" class="button" aria-disabled={busy || wish === shown || long}>
					{busy ? tr.saving : tr.save}
				</button>
			</div>
			{says !== null && (
				<small id={hint}>
					<bdi>{tr.provider(says)}</bdi>{' '}
					{own && (
						<button
							type="button"
							class="link-button"
							onClick={() => {
								input.current?.focus(); // the button goes
								void save(null);
							}}
						>
							{tr.useProvider}
						</button>
					)}
				</small>
			)}
			<Fault text={error} />
		</form>
	);
}
