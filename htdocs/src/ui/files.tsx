// The files of a message: pictures and films in place, with their room reserved before they load; players; cards for the rest.
// All come by the address of this site, which leads on to the store.
import { useRef, useState } from 'preact/hooks';
import { Download, FileX2, ImageOff, Trash2, X } from 'lucide';
import { GRID, addressOf, boxOf, columnsOf, isErased, kindOf, pictureOf, shownName, type Box } from '../model/files';
import type { MessageFile, PendingFile, StoredFile, Upload } from '../model/types';
import { t } from '../strings';
import { lengthText, sizeText } from './bytes';
import { Again } from './chips';
import { useState$, useUi } from './context';
import { FileName, KindIcon, Progress, UploadLine } from './file_parts';
import { Icon } from './icon';

interface Props {
	files: readonly MessageFile[];
	channel: number;
	seq: number;
	/* Whether the viewer may delete them. */
	mayDelete: boolean;
	tab: number;
}

export function Files({ files, channel, seq, mayDelete, tab }: Props) {
	const there = files.filter((f): f is StoredFile => !isErased(f));
	const pictures = there.filter((f) => kindOf(f) === 'picture');
	const others = there.filter((f) => kindOf(f) !== 'picture');
	const gone = files.length - there.length;
	const del = mayDelete ? { channel, seq } : null;
	return (
		<div class="files">
			{pictures.length > 0 && (
				<Group n={pictures.length}>
					{pictures.map((f) => (
						<Picture key={f.id} file={f} alone={pictures.length === 1} channel={channel} tab={tab} />
					))}
				</Group>
			)}
			{others.map((f) => {
				const kind = kindOf(f);
				if (kind === 'video') return <Film key={f.id} file={f} del={del} tab={tab} />;
				if (kind === 'audio') return <Sound key={f.id} file={f} del={del} tab={tab} />;
				return <Card key={f.id} file={f} del={del} tab={tab} />;
			})}
			{Array.from({ length: gone }, (_, i) => (
				<p key={`gone${i}`} class="file-gone">
					<Icon of={FileX2} size={16} /> {t.fileGone}
				</p>
			))}
		</div>
	);
}

function Group({ n, children }: { n: number; children: preact.ComponentChildren }) {
	if (n === 1) return <>{children}</>;
	return (
		<div class="pictures" style={{ maxWidth: `${GRID}px`, gridTemplateColumns: `repeat(${columnsOf(n)}, 1fr)` }}>
			{children}
		</div>
	);
}

const roomOf = (b: Box) => ({ width: `${b.width}px`, aspectRatio: `${b.width} / ${b.height}` });

function Picture({ file, alone, channel, tab }: { file: StoredFile; alone: boolean; channel: number; tab: number }) {
	const { client, openDialog } = useUi();
	const [state, setState] = useState<'loading' | 'there' | 'failed'>('loading');
	const box = boxOf(file);
	// What was sent from here is shown from here.
	const src = client.uploads.pictureOf(file.id) ?? addressOf(pictureOf(file));
	return (
		<button
			class={`picture${state === 'there' ? ' there' : ''}`}
			style={alone ? roomOf(box) : undefined}
			aria-label={t.pictureOf(shownName(file.name))}
			aria-haspopup="dialog"
			title={shownName(file.name)}
			tabIndex={tab}
			data-file={file.id}
			onClick={() => openDialog({ lightbox: { channel, file: file.id } })}
		>
			{state === 'failed' ? (
				<span class="picture-failed">
					<Icon of={ImageOff} size={24} />
					<span>{t.pictureFailed}</span>
				</span>
			) : (
				<img
					src={src}
					alt=""
					loading="lazy"
					decoding="async"
					width={box.width}
					height={box.height}
					onLoad={() => setState('there')}
					onError={() => setState('failed')}
				/>
			)}
		</button>
	);
}

interface Deletes {
	channel: number;
	seq: number;
}
interface FileProps {
	file: StoredFile;
	del: Deletes | null;
	tab: number;
}

/* The address that a player was led to holds for minutes; a film that is longer, or was paused, asks for another one. */
function useFreshAddress() {
	const tries = useRef(0);
	return {
		onPlaying: () => void (tries.current = 0),
		onError: (e: { currentTarget: HTMLMediaElement }) => {
			const el = e.currentTarget;
			const at = el.currentTime;
			if (!at || ++tries.current > 2) return;
			el.load();
			el.currentTime = at;
			void el.play().catch(() => {});
		},
	};
}

function Film({ file, del, tab }: FileProps) {
	const fresh = useFreshAddress();
	const box = boxOf(file);
	const name = shownName(file.name);
	return (
		<figure class="film">
			<video
				controls
				playsInline
				preload="metadata"
				src={addressOf(file.id)}
				poster={file.thumbnail ? addressOf(file.thumbnail.id) : undefined}
				width={box.width}
				height={box.height}
				style={roomOf(box)}
				aria-label={t.videoOf(name)}
				tabIndex={tab}
				data-file={file.id}
				{...fresh}
			/>
			<figcaption>
				<FileName name={file.name} /> <Small file={file} />
				<FileTools file={file} del={del} tab={tab} />
			</figcaption>
		</figure>
	);
}

function Sound({ file, del, tab }: FileProps) {
	const fresh = useFreshAddress();
	return (
		<figure class="sound">
			<figcaption>
				<KindIcon file={file} size={18} />
				<FileName name={file.name} /> <Small file={file} />
				<FileTools file={file} del={del} tab={tab} />
			</figcaption>
			<audio
				controls
				preload="metadata"
				src={addressOf(file.id)}
				aria-label={t.audioOf(shownName(file.name))}
				tabIndex={tab}
				data-file={file.id}
				{...fresh}
			/>
		</figure>
	);
}

function Small({ file }: { file: StoredFile }) {
	return <small>{file.duration ? `${lengthText(file.duration)} · ${sizeText(file.size)}` : sizeText(file.size)}</small>;
}

function Card({ file, del, tab }: FileProps) {
	return (
		<div class="card-file" data-file={file.id}>
			<a class="card-link" href={addressOf(file.id, true)} download="" tabIndex={tab}>
				<span class="sr-only">{t.download} </span>
				<KindIcon file={file} />
				<span class="card-text">
					<FileName name={file.name} />
					<small>
						{t.fileKinds[kindOf(file)]} · {sizeText(file.size)}
					</small>
				</span>
				<Icon of={Download} size={17} />
			</a>
			{del && <DeleteButton file={file} del={del} tab={tab} />}
		</div>
	);
}

function FileTools({ file, del, tab }: FileProps) {
	const name = shownName(file.name);
	return (
		<span class="file-tools">
			<a
				class="icon-button small"
				href={addressOf(file.id, true)}
				download=""
				title={t.download}
				aria-label={t.downloadOf(name, sizeText(file.size))}
				tabIndex={tab}
			>
				<Icon of={Download} size={15} />
			</a>
			{del && <DeleteButton file={file} del={del} tab={tab} />}
		</span>
	);
}

function DeleteButton({ file, del, tab }: { file: StoredFile; del: Deletes; tab: number }) {
	const { openDialog } = useUi();
	return (
		<button
			class="icon-button small file-delete"
			title={t.deleteFile}
			aria-label={t.deleteFileOf(shownName(file.name))}
			tabIndex={tab}
			onClick={() => openDialog({ deleteFile: { ...del, file: file.id, name: file.name } })}
		>
			<Icon of={Trash2} size={15} />
		</button>
	);
}

/* --- of a message that is not sent yet */

export function PendingFiles({ files }: { files: readonly PendingFile[] }) {
	const uploads = useState$((s) => s.uploads);
	const of = (f: PendingFile) => uploads.find((u) => u.client_id === f.upload);
	const pictures = files.filter((f) => kindOf(f) === 'picture' && of(f)?.preview);
	const others = files.filter((f) => !pictures.includes(f));
	return (
		<div class="files">
			{pictures.length > 0 && (
				<Group n={pictures.length}>
					{pictures.map((f) => {
						const u = of(f)!;
						const box = boxOf(f.width ? f : u);
						return (
							<div
								key={f.upload}
								class="picture there pending-picture"
								style={pictures.length === 1 ? roomOf(box) : undefined}
							>
								<img src={u.preview!} alt={shownName(f.name)} width={box.width} height={box.height} />
								{u.state !== 'ready' && <Way upload={u} />}
							</div>
						);
					})}
				</Group>
			)}
			{others.map((f) => {
				const u = of(f);
				return (
					<div key={f.upload} class="card-file card-pending">
						<span class="card-link">
							<KindIcon file={f} />
							<span class="card-text">
								<FileName name={f.name} />
								{u ? <UploadLine upload={u} /> : <small>{sizeText(f.size)}</small>}
								{u && <Progress upload={u} />}
							</span>
						</span>
						{u && <PendingTools upload={u} />}
					</div>
				);
			})}
		</div>
	);
}

/* On a picture that is on its way. */
function Way({ upload: u }: { upload: Upload }) {
	return (
		<div class="way">
			<span class="way-text">
				<UploadLine upload={u} />
				<Progress upload={u} />
			</span>
			<PendingTools upload={u} />
		</div>
	);
}

function PendingTools({ upload: u }: { upload: Upload }) {
	const { client } = useUi();
	if (u.state === 'ready') return null;
	const label = t.removeFile(shownName(u.name));
	return (
		<>
			{u.state === 'failed' && <Again upload={u} />}
			<button class="icon-button small" title={label} aria-label={label} onClick={() => client.uploads.cancel(u.client_id)}>
				<Icon of={X} size={15} />
			</button>
		</>
	);
}
