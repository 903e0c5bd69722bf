// Small parts that files are made of wherever they are shown: name, icon, progress, and what an upload has to say.
import { File as FileIcon, FileArchive, FileAudio, FileCode, FileImage, FileSpreadsheet, FileText, FileVideo } from 'lucide';
import type { IconNode } from 'lucide';
import { kindOf, shownName, splitName, type FileKind } from '../model/files';
import type { FileFacts, Upload } from '../model/types';
import { t } from '../strings';
import { sizeText } from './bytes';
import { useState$ } from './context';
import { Icon } from './icon';

const ICONS: Record<FileKind, IconNode> = {
	picture: FileImage,
	video: FileVideo,
	audio: FileAudio,
	pdf: FileText,
	archive: FileArchive,
	sheet: FileSpreadsheet,
	text: FileText,
	code: FileCode,
	file: FileIcon,
};

export function KindIcon({ file, size = 22 }: { file: Pick<FileFacts, 'type' | 'name'>; size?: number }) {
	const kind = kindOf(file);
	return (
		<span class={`kind kind-${kind}`}>
			<Icon of={ICONS[kind]} size={size} />
		</span>
	);
}

/* The end of a name, with what it really is, is never cut off. */
export function FileName({ name }: { name: string }) {
	const [stem, end] = splitName(name);
	return (
		<span class="file-name" title={shownName(name)} dir="ltr">
			<bdi class="file-stem">{stem}</bdi>
			{end && <bdi class="file-end">{end}</bdi>}
		</span>
	);
}

export function faultText(u: Upload, most: number): string {
	if (!u.fault) return '';
	const said = t.uploadFaults[u.fault];
	if (u.fault === 'too_large') return t.uploadFaults.too_large(sizeText(most));
	if (u.fault === 'refused') return t.uploadFaults.refused(u.detail);
	return said as string;
}

/* One line on how an upload is. */
export function UploadLine({ upload: u }: { upload: Upload }) {
	const most = useState$((s) => s.limits.files?.file_bytes ?? 0);
	const online = useState$((s) => s.connection.status !== 'offline');
	if (u.state === 'failed') return <span class="up-line bad">{faultText(u, most)}</span>;
	if (u.state === 'preparing') return <span class="up-line">{t.upPreparing}</span>;
	if (u.state === 'waiting') return <span class="up-line">{t.upWaiting}</span>;
	if (u.state === 'checking') return <span class="up-line">{t.upChecking}</span>;
	if (u.state === 'ready') return <span class="up-line">{sizeText(u.size)}</span>;
	if (u.again) return <span class="up-line">{online ? t.upAgain : t.upOffline}</span>;
	const parts = [t.upOf(sizeText(u.sent), sizeText(u.size))];
	if (u.speed > 0) {
		parts.push(t.perSecond(sizeText(u.speed)));
		if (u.sent < u.size) parts.push(t.timeLeft((u.size - u.sent) / u.speed));
	}
	return <span class="up-line">{parts.join(' · ')}</span>;
}

export function Progress({ upload: u }: { upload: Upload }) {
	if (u.state === 'ready' || u.state === 'failed') return null;
	const known = u.state === 'uploading';
	const part = u.size ? Math.min(1, u.sent / u.size) : 1;
	return (
		<span
			class={known ? 'bar' : 'bar bar-busy'}
			role="progressbar"
			aria-label={t.uploadOf(shownName(u.name))}
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={known ? Math.round(part * 100) : undefined}
		>
			<span class="bar-done" style={{ width: known ? `${part * 100}%` : '100%' }} />
		</span>
	);
}
