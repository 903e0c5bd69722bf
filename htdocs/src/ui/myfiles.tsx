// All files of somebody: one's own, or a person's for admins. And the question before one is deleted. Loaded when opened first.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { files as rest } from '../net/uploads';
import { addressOf, kindOf, pictureOf, shownName } from '../model/files';
import type { OwnFile } from '../model/types';
import { t } from '../strings';
import { tf } from '../strings_files';
import { sizeText } from './bytes';
import { useState$, useUi } from './context';
import { Confirm, Dialog } from './dialog';
import { errorText } from './errors';
import { FileName, KindIcon } from './file_parts';
import { channelLabel } from './names';
import { useList } from './paged';
import { channelPath, navigate } from './route';
import { dateOf } from './time';

interface Props {
	onClose: () => void;
}

interface Whose {
	title: string;
	text: string;
	empty: string;
	list: typeof rest.mine;
	eraseAll: typeof rest.eraseMine;
}

export function FileList({ onClose, of }: Props & { of?: Whose }) {
	const { toast } = useUi();
	const [bytes, setBytes] = useState<number | null>(null);
	const [asked, setAsked] = useState<number | 'all' | null>(null);
	const [busy, setBusy] = useState(false);
	const whose = of ?? { title: t.myFiles, text: tf.myFilesText, empty: tf.noFiles, list: rest.mine, eraseAll: rest.eraseMine };
	const list = useList<OwnFile, number>(async (before) => {
		const { data } = await whose.list(before);
		setBytes(data.bytes);
		return { list: data.files, next: data.next };
	}, []);
	const erase = (act: Promise<unknown>, done?: string) => {
		setBusy(true);
		act.then(
			() => {
				if (done) toast(done);
				list.load();
			},
			(e: unknown) => toast(errorText(e), true),
		).finally(() => {
			setBusy(false);
			setAsked(null);
		});
	};
	return (
		<Dialog title={whose.title} onClose={onClose}>
			<div class="settings my-files" tabIndex={0} role="group" aria-label={whose.title}>
				<p class="my-files-text">
					{whose.text} {bytes !== null && bytes > 0 && <strong>{tf.filesTotal(sizeText(bytes))}</strong>}
				</p>
				<ul>
					{list.list.map((f) => (
						<li key={f.file.id} class="setting my-file">
							{kindOf(f.file) === 'picture' ? (
								<img
									class="chip-face"
									src={addressOf(pictureOf(f.file))}
									alt=""
									loading="lazy"
									width={40}
									height={40}
								/>
							) : (
								<KindIcon file={f.file} />
							)}
							<span class="setting-text">
								<a class="my-file-name" href={addressOf(f.file.id, true)} download="">
									<FileName name={f.file.name} />
								</a>
								<small>
									{sizeText(f.file.size)} · {dateOf(Date.parse(f.created_at))} ·{' '}
									<Where file={f} onClose={onClose} />
								</small>
							</span>
							{asked === f.file.id ? (
								<Sure
									label={tf.deleteSure}
									busy={busy}
									onSure={() => erase(rest.erase(f.file.id))}
									onNot={() => setAsked(null)}
								/>
							) : (
								<button
									class="button"
									disabled={busy}
									aria-label={t.deleteFileOf(shownName(f.file.name))}
									onClick={() => setAsked(f.file.id)}
								>
									{tf.deleteIt}
								</button>
							)}
						</li>
					))}
				</ul>
				{list.foot(whose.empty)}
			</div>
			{list.list.length > 1 && (
				<footer class="dialog-foot">
					{asked === 'all' ? (
						<Sure
							label={tf.deleteAllSure}
							busy={busy}
							onSure={() => erase(whose.eraseAll(), tf.allDeleted)}
							onNot={() => setAsked(null)}
						/>
					) : (
						<button class="button" disabled={busy} onClick={() => setAsked('all')}>
							{tf.deleteAllFiles}
						</button>
					)}
				</footer>
			)}
		</Dialog>
	);
}

function Where({ file, onClose }: { file: OwnFile; onClose: () => void }) {
	const channel = useState$((s) => (file.channel === null ? undefined : s.channels[file.channel]));
	const label = useState$((s) => (channel ? channelLabel(s, channel) : ''));
	if (file.seq === null) return <>{tf.notSentYet}</>;
	if (!channel) return <>{t.aChannel}</>;
	return (
		<a
			href={channelPath(channel.id)}
			title={tf.goToMessage}
			onClick={(e) => {
				if (e.ctrlKey || e.metaKey || e.shiftKey) return;
				e.preventDefault();
				onClose();
				navigate(channelPath(channel.id));
			}}
		>
			<bdi>{label}</bdi>
		</a>
	);
}

/* Asks once more, in the place of the button that was pressed; going elsewhere is a no. */
function Sure({ label, busy, onSure, onNot }: { label: string; busy: boolean; onSure: () => void; onNot: () => void }) {
	const ref = useRef<HTMLButtonElement>(null);
	useLayoutEffect(() => ref.current?.focus(), []);
	return (
		<button ref={ref} class="button danger" aria-disabled={busy} onClick={() => !busy && onSure()} onBlur={() => !busy && onNot()}>
			{label}
		</button>
	);
}

/* A person's files, for admins. */
export const listOf = (user: number, title: string, text: string): Whose => ({
	title,
	text,
	empty: tf.noFilesOf,
	list: (before) => rest.of(user, before),
	eraseAll: () => rest.eraseOf(user),
});

export function DeleteFile({ file, name, onClose }: Props & { file: number; name: string }) {
	const { client } = useUi();
	const run = async () => {
		const { data } = await rest.erase(file);
		// The event says the same; where it came first this changes nothing.
		if (data) client.store.dispatch({ type: 'lines', lines: [{ ...data, type: 'message.updated' }] });
	};
	return <Confirm title={tf.deleteFileTitle} text={tf.deleteFileText(shownName(name))} label={tf.deleteIt} run={run} onClose={onClose} />;
}
