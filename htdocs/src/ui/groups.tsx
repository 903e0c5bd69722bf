// Groups of people: the list, one with its members, changes by those who may; and the question before a message that reaches many. Loaded
// when it is opened first.
import { useEffect, useState } from 'preact/hooks';
import { ArrowLeft, Users, X } from 'lucide';
import { groupList } from '../model/groups';
import type { Group } from '../model/types';
import { groupsApi, type GroupFull } from '../net/groups';
import { t } from '../strings';
import { tg } from '../strings_groups';
import { useState$, useUi, type Many } from './context';
import { Confirm, Dialog, Fault } from './dialog';
import { errorText } from './errors';
import { Icon } from './icon';
import { personName } from './names';
import { NamingForm } from './naming';
import { PersonRow } from './person_row';
import { personChoice, Picker, usePeople } from './picker';

interface Props {
	onClose: () => void;
}

export function GroupsDialog({ onClose, group }: Props & { group?: number }) {
	const { client } = useUi();
	const groups = useState$((s) => s.groups);
	const list = groupList(client.store.get());
	const [open, setOpen] = useState<number | null>(group ?? null);
	const held = open === null ? undefined : groups.of[open];
	const gone = group === undefined ? () => setOpen(null) : onClose;
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
					{held && <One key={open} held={held} manage={groups.manage} onGone={gone} />}
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
					<NamingForm
						look="form"
						title={<h3>{tg.making}</h3>}
						words={tg}
						label={tg.make}
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
	const [leaving, setLeaving] = useState(false); // it is asked whether the group is to go
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
	const remove = async () => {
		await groupsApi.remove(held.id);
		// The event says the same; where it came first this changes nothing.
		client.store.dispatch({ type: 'lines', lines: [{ type: 'group.deleted', group: held.id }] });
	};
	const tell = (e: unknown) => toast(errorText(e), true);
	const choices = (found ?? [])
		.filter((u) => !full?.users.includes(u.id))
		.map((u) =>
			personChoice(u, () => {
				setAdding('');
				change({ add: [u.id] }).catch(tell);
			}),
		);
	return (
		<>
			<div class="group-part">
				<p class="panel-note">
					<bdi>@{held.handle}</bdi> · {tg.membersOf(held.members)}
				</p>
				<Fault text={error} />
				<ul class="people group-members" aria-label={tg.membersOf(held.members)} tabIndex={0}>
					{full?.users.map((id) => (
						<PersonRow key={id} id={id}>
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
						</PersonRow>
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
					<NamingForm
						key={`${held.handle} ${held.name}`} // not with each change of its members: what is being typed stays
						look="form"
						title={null}
						words={tg}
						label={tg.rename}
						held={held}
						onSave={(handle, name) => change({ handle, name })}
					/>
					<footer class="dialog-foot">
						<button
							class="button danger"
							onClick={() => setLeaving(true)}
						>
							{tg.remove}
						</button>
					</footer>
					{leaving && (
						<Confirm
							title={tg.removeTitle(held.name)}
							text={tg.removeText}
							label={tg.remove}
							careful
							run={remove}
							onClose={() => setLeaving(false)}
							onDone={onGone}
						/>
					)}
				</>
			)}
		</>
	);
}

export function ManyPeople({ people, send, onClose }: Props & Many) {
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
