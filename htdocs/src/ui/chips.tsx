// The files of what is being written, above the text: what they are, how far they are, and what can be done about them.
import { useEffect, useRef, useState } from 'preact/hooks';
import { RotateCw, X } from 'lucide';
import { shownName } from '../model/files';
import type { Upload } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { FileName, KindIcon, Progress, UploadLine, faultText } from './file_parts';
import { Icon } from './icon';

export function Chips({ uploads }: { uploads: readonly Upload[] }) {
	return (
		<>
			{uploads.length > 0 && (
				<ul class="chips" aria-label={t.filesChosen} tabIndex={0}>
					{uploads.map((u) => (
						<Chip key={u.client_id} upload={u} />
					))}
				</ul>
			)}
			<Said uploads={uploads} />
		</>
	);
}

export function Chip({ upload: u }: { upload: Upload }) {
	const { client } = useUi();
	const name = shownName(u.name);
	return (
		<li class={u.state === 'failed' ? 'chip chip-failed' : 'chip'} data-state={u.state}>
			{u.preview ? <img class="chip-face" src={u.preview} alt="" width={40} height={40} /> : <KindIcon file={u} />}
			<span class="chip-text">
				<FileName name={u.name} />
				<UploadLine upload={u} />
				<Progress upload={u} />
			</span>
			{u.state === 'failed' && <Again upload={u} />}
			<button
				type="button"
				class="icon-button small chip-x"
				title={t.removeFile(name)}
				aria-label={t.removeFile(name)}
				onClick={() => client.uploads.cancel(u.client_id)}
			>
				<Icon of={X} size={15} />
			</button>
		</li>
	);
}

/* What may help an upload that has failed: another try, or the file once more. */
export function Again({ upload: u }: { upload: Upload }) {
	const { client, toast } = useUi();
	const input = useRef<HTMLInputElement>(null);
	if (u.fault === 'too_large') return null;
	if (u.fault === 'gone' || u.fault === 'unreadable')
		return (
			<>
				<input
					ref={input}
					type="file"
					hidden
					aria-label={t.chooseAgain}
					onChange={(e) => {
						const file = e.currentTarget.files?.[0];
						e.currentTarget.value = '';
						if (file && !client.uploads.giveAgain(u.client_id, file)) toast(t.notThatFile, true);
					}}
				/>
				<button type="button" class="link-button" onClick={() => input.current?.click()}>
					{t.chooseAgain}
				</button>
			</>
		);
	return (
		<button
			type="button"
			class="link-button"
			aria-label={u.fault === 'type' ? t.plainFile : t.retryFile(shownName(u.name))}
			onClick={() => client.uploads.retry(u.client_id)}
		>
			<Icon of={RotateCw} size={14} /> {u.fault === 'type' ? t.plainFile : t.retry}
		</button>
	);
}

/* To those who listen: what has become ready, and what has failed. */
function Said({ uploads }: { uploads: readonly Upload[] }) {
	const most = useState$((s) => s.limits.files?.file_bytes ?? 0);
	const before = useRef(new Map<string, string>());
	const [said, setSaid] = useState('');
	useEffect(() => {
		const news: string[] = [];
		for (const u of uploads) {
			const was = before.current.get(u.client_id);
			if (was === u.state) continue;
			if (u.state === 'ready' && was) news.push(t.saidUploaded(shownName(u.name)));
			if (u.state === 'failed') news.push(t.saidFailed(shownName(u.name), faultText(u, most)));
		}
		before.current = new Map(uploads.map((u) => [u.client_id, u.state]));
		if (news.length) setSaid(news.join('. '));
	}, [uploads]);
	return (
		<div class="sr-only" role="status" aria-live="polite">
			{said}
		</div>
	);
}
