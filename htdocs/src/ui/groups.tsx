// Groups of people: the list, one with its members, changes by those who may; and the question before a message that reaches many. Loaded
// when it is opened first.
import { useEffect, useState } from 'preact/hooks';
import { ArrowLeft, Users, X } from 'lucide';
import { groupList } from '../model/groups';
import type { Group } from '../model/types';
import { groupsApi, type GroupFull } from '../net/groups';
import { t } from '../strings';
import { tg } from '../strings_groups';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Dialog } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { personName } from './names';
import { Picker, usePeople, type Choice } from './picker';

interface Props {
	onClose: () => void;
}

export function GroupsDialog({ onClose, group }: Props & { group?: number }) {
	const { client } = useUi();
	const groups = useState$((s) => s.groups);
	const list = groupList(client.store.get());
	const [open, setOpen] = useState<number | null>(group ?? null);
	const held = open === null ? undefined : groups.of[open];
	useEffect(() => void client.groups.load(), []);
	if (open !== null)
		return (
			<Dialog title={held?.name ?? tg.groups} onClose={onClose}>
				<div class="group-scroll">
					{group === undefined && (
						<div class="group-part">
							<button class="link-button" data-autofocus onClick={() => setOpen(null)}>
								<Icon of={ArrowLeft} size={14} /> {tg.back}
							</button>
						</div>
					)}
					{held && <One key={open} held={held} manage={groups.manage} onGone={onClose} />}
					{!held && <p class="group-part panel-note">{tg.gone}</p>}
				</div>
			</Dialog>
		);
	return (
		<Dialog title={tg.groups} onClose={onClose}>
			<div class="group-scroll">
				<div class="group-part">
					<p class="panel-note">{tg.about}</p>
					<ul class="people" aria-label={tg.groups}>
						{list.map((g) => (
							<li key={g.id}>
								<button class="row-button" aria-label={tg.open(g.name)} onClick={() => setOpen(g.id)}>
									<Icon of={Users} />
									<span class="person-text">
										<bdi class="person-name">{g.name}</bdi>
										<bdi class="person-handle">
											@{g.handle} · {tg.membersOf(g.members)}
										</bdi>
									</span>
								</button>
							</li>
						))}
					</ul>
					{groups.loaded && list.length === 0 && <p class="panel-note">{tg.none}</p>}
				</div>
				{groups.manage && (
					<Form
						title={tg.making}
						save={tg.make}
						onSave={async (handle, name) => setOpen((await groupsApi.make(handle, name)).data.id)}
					/>
				)}
			</div>
		</Dialog>
	);
}

/* Its members are asked for, anew with each change that is told. */
function One({ held, manage, onGone }: { held: Group; manage: boolean; onGone: () => void }) {
	const { client, toast } = useUi();
	const users = useState$((s) => s.users);
	const [full, setFull] = useState<GroupFull | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [adding, setAdding] = useState('');
	const found = usePeople(manage && adding ? adding : null);
	const took = (g: GroupFull) => {
		client.loader.needUsers(g.users);
		setFull((now) => (now && now.version > g.version ? now : g));
	};
	useEffect(() => {
		if (full && full.version >= held.version) return;
		setError(null);
		groupsApi.get(held.id).then(
			({ data }) => took(data),
			(e: unknown) => setError(errorText(e)),
		);
	}, [held.version]);
	const change = (what: { handle?: string; name?: string; add?: number[]; remove?: number[] }) =>
		groupsApi.change(held.id, what).then(({ data }) => took(data));
	const tell = (e: unknown) => toast(errorText(e), true);
	const choices = (found ?? [])
		.filter((u) => !full?.users.includes(u.id))
		.map((u): Choice => ({
			key: `u${u.id}`,
			choose: () => {
				setAdding('');
				change({ add: [u.id] }).catch(tell);
			},
			face: (
				<>
					<Avatar user={u} id={u.id} size="s" />
					<bdi class="picker-name">{personName(u)}</bdi>
					<bdi class="picker-note">@{u.handle}</bdi>
				</>
			),
		}));
	return (
		<>
			<div class="group-part">
				<p class="panel-note">
					<bdi>@{held.handle}</bdi> · {tg.membersOf(held.members)}
				</p>
				{error && (
					<p class="dialog-error" role="alert">
						{error}
					</p>
				)}
				<ul class="people group-members" aria-label={tg.membersOf(held.members)} tabIndex={0}>
					{full?.users.map((id) => (
						<li key={id} class="person">
							<Avatar user={users[id]} id={id} />
							<span class="person-text">
								<bdi class="person-name">{personName(users[id])}</bdi>
								<bdi class="person-handle">{users[id] ? `@${users[id].handle}` : ''}</bdi>
							</span>
							{manage && (
								<button
									class="icon-button"
									title={tg.takeOut(personName(users[id]))}
									aria-label={tg.takeOut(personName(users[id]))}
									onClick={() => change({ remove: [id] }).catch(tell)}
								>
									<Icon of={X} />
								</button>
							)}
						</li>
					))}
				</ul>
				{full?.users.length === 0 && <p class="panel-note">{tg.noMembers}</p>}
			</div>
			{manage && (
				<>
					<Picker
						label={tg.add}
						query={adding}
						onQuery={setAdding}
						choices={choices}
						empty={adding && found ? t.noPeople : null}
					/>
					<Form
						key={held.version}
						title={null}
						save={tg.rename}
						held={held}
						onSave={(handle, name) => change({ handle, name })}
					/>
					<footer class="dialog-foot">
						<button
							class="button danger"
							onClick={() => {
								if (confirm(tg.removeSure(held.name))) groupsApi.remove(held.id).then(onGone, tell);
							}}
						>
							{tg.remove}
						</button>
					</footer>
				</>
			)}
		</>
	);
}

function Form({ title, save, held, onSave }: { title: string | null; save: string; held?: Group; onSave: (handle: string, name: string) => Promise<unknown> }) {
	const [handle, setHandle] = useState(held?.handle ?? '');
	const [name, setName] = useState(held?.name ?? '');
	const [busy, setBusy] = useState(false);
	const [error, setError] = useState<string | null>(null);
	const clean = handle.trim().replace(/^@/, '');
	const put = () => {
		setBusy(true);
		setError(null);
		onSave(clean, name.trim() || clean)
			.catch((e: unknown) => setError(errorText(e)))
			.finally(() => setBusy(false));
	};
	return (
		<form
			class="form"
			noValidate
			onSubmit={(e) => {
				e.preventDefault();
				put();
			}}
		>
			{title && <h3>{title}</h3>}
			<label class="field">
				<span>{tg.handle}</span>
				<input
					type="text"
					value={handle}
					maxLength={32}
					autocomplete="off"
					autocapitalize="none"
					spellcheck={false}
					aria-invalid={error !== null}
					aria-describedby="group-handle-hint"
					onInput={(e) => setHandle(e.currentTarget.value)}
				/>
				<small id="group-handle-hint">{tg.handleHint}</small>
			</label>
			<label class="field">
				<span>{tg.name}</span>
				<input type="text" dir="auto" value={name} maxLength={80} autocomplete="off" onInput={(e) => setName(e.currentTarget.value)} />
			</label>
			{error && (
				<p class="dialog-error" role="alert">
					{error}
				</p>
			)}
			<button class="button primary" disabled={busy || !clean || (held?.handle === clean && held.name === name.trim())}>
				{save}
			</button>
		</form>
	);
}

/* people null: the server did not say how many. */
export function ManyPeople({ people, send, onClose }: Props & { people: number | null; send: () => void }) {
	return (
		<Dialog title={people === null ? tg.manyUnknown : tg.manyTitle(people)} onClose={onClose}>
			<p class="panel-note group-part">{people === null ? tg.manyMaybe : tg.many}</p>
			<footer class="dialog-foot">
				<button class="button" onClick={onClose}>
					{t.cancel}
				</button>
				<button
					class="button primary"
					data-autofocus
					onClick={() => {
						onClose();
						send();
					}}
				>
					{tg.manySend}
				</button>
			</footer>
		</Dialog>
	);
}
