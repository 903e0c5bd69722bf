// Files that are dropped anywhere in the channel, pasted, or picked.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Paperclip, Upload as UploadIcon } from 'lucide';
import { draftFiles } from '../model/uploads';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { useState$, useUi } from './context';
import { Icon } from './icon';
import { channelLabel } from './names';

const hasFiles = (d: DataTransfer | null): boolean => d?.types.includes('Files') === true;

/* Takes files for the draft of a channel, or of a thread in it, as many as a message may have. */
export function useAddFiles(channel: Channel, thread?: number): (files: readonly File[]) => void {
	const { client, toast } = useUi();
	return (files) => {
		const s = client.store.get();
		const most = s.limits.files?.message_files ?? 0;
		const room = Math.max(0, most - draftFiles(s, channel.id, thread).length);
		if (files.length > room) toast(t.tooManyFiles(most), true);
		if (files.length && room) client.uploads.add(channel.id, files.slice(0, room), thread);
	};
}

/* What was dropped, without folders: a browser gives them as files that cannot be read. */
function dropped(d: DataTransfer): { files: File[]; folders: boolean } {
	const items = [...d.items].filter((i) => i.kind === 'file');
	if (!items.length) return { files: [...d.files], folders: false };
	const files: File[] = [];
	let folders = false;
	for (const i of items) {
		const file = i.getAsFile();
		if (i.webkitGetAsEntry?.()?.isDirectory) folders = true;
		else if (file) files.push(file);
	}
	return { files, folders };
}

/* Over the whole window while files hang over it; what falls beside does not lead away from the page. */
export function DropZone({ channel, silent }: { channel: Channel; silent: boolean }) {
	const { toast } = useUi();
	const able = useState$((s) => s.limits.files !== null);
	const label = useState$((s) => channelLabel(s, channel));
	const add = useAddFiles(channel);
	const [over, setOver] = useState(false);
	const takes = able && !silent;
	const now = useRef({ add, takes });
	now.current = { add, takes };
	useEffect(() => {
		let depth = 0;
		const show = (on: boolean) => setOver(on && document.querySelector('dialog[open]') === null);
		const enter = (e: DragEvent) => {
			if (hasFiles(e.dataTransfer) && ++depth) show(true);
		};
		const leave = (e: DragEvent) => {
			if (hasFiles(e.dataTransfer) && --depth <= 0) show(false);
		};
		const above = (e: DragEvent) => {
			if (!hasFiles(e.dataTransfer)) return;
			e.preventDefault();
			e.dataTransfer!.dropEffect = now.current.takes ? 'copy' : 'none';
		};
		const drop = (e: DragEvent) => {
			depth = 0;
			show(false);
			if (!e.dataTransfer || !hasFiles(e.dataTransfer)) return;
			e.preventDefault();
			if (!now.current.takes || document.querySelector('dialog[open]')) return;
			const { files, folders } = dropped(e.dataTransfer);
			if (folders) toast(t.noFolders, true);
			now.current.add(files);
			document.getElementById('composer')?.focus();
		};
		addEventListener('dragenter', enter);
		addEventListener('dragleave', leave);
		addEventListener('dragover', above);
		addEventListener('drop', drop);
		return () => {
			removeEventListener('dragenter', enter);
			removeEventListener('dragleave', leave);
			removeEventListener('dragover', above);
			removeEventListener('drop', drop);
		};
	}, []);
	if (!over) return null;
	return (
		<div class="drop" aria-hidden="true">
			<div class="drop-box">
				<Icon of={UploadIcon} size={32} />
				<bdi>{takes ? t.dropHere(label) : t.dropSilent}</bdi>
			</div>
		</div>
	);
}

/* The files of a paste; none where there is text too, as from a spreadsheet, which brings a picture of itself along. */
export function pastedFiles(d: DataTransfer | null, when: string): File[] {
	if (!d?.files.length || d.types.includes('text/plain')) return [];
	// A copied picture has no name of its own.
	return [...d.files].map((f) => {
		const end = /^image\.(\w+)$/.exec(f.name)?.[1];
		return end ? new File([f], `${t.pastedPicture(when)}.${end}`, { type: f.type, lastModified: f.lastModified }) : f;
	});
}

export function AttachButton({ channel, thread }: { channel: Channel; thread?: number }) {
	const add = useAddFiles(channel, thread);
	const input = useRef<HTMLInputElement>(null);
	return (
		<>
			{/* Without a list of types a phone offers its camera and its pictures beside its files. */}
			<input
				ref={input}
				type="file"
				multiple
				hidden
				aria-label={t.attach}
				onChange={(e) => {
					add([...(e.currentTarget.files ?? [])]);
					e.currentTarget.value = ''; // the same file may be chosen again
				}}
			/>
			<button type="button" class="icon-button attach" title={t.attach} aria-label={t.attach} onClick={() => input.current?.click()}>
				<Icon of={Paperclip} size={18} />
			</button>
		</>
	);
}
