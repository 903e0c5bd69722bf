// The card of a link under its message. Its height is the same whatever the page says, so that nothing moves but once; no pictures.
import { X } from 'lucide';
import type { Message, Preview } from '../model/types';
import { tp } from '../strings_previews';
import { hidePreview, usePreviewShown } from '../sync/previews';
import { useUi } from './context';
import { Icon } from './icon';

/* Only what the text itself would link to. */
const isLink = (url: string): boolean => /^https?:\/\//i.test(url);

export function PreviewCard({ preview, message, own, active }: { preview: Preview; message: Message; own: boolean; active: boolean }) {
	const ui = useUi();
	const { channel, seq } = message;
	if (!usePreviewShown(channel, seq) || !isLink(preview.url)) return null;
	const label = own ? tp.remove : tp.hide;
	const close = () => {
		if (!own) return hidePreview(channel, seq);
		ui.client.changes.removePreview(channel, seq).catch(() => ui.toast(tp.removeFailed, true));
	};
	return (
		<aside class="preview" aria-label={tp.card(preview.host)}>
			<div class="preview-text">
				<span class="preview-site">
					{preview.site && preview.site.toLowerCase() !== preview.host && (
						<>
							<bdi>{preview.site}</bdi> ·{' '}
						</>
					)}
					<bdi>{preview.host}</bdi>
				</span>
				<a class="preview-title" href={preview.url} target="_blank" rel="noopener noreferrer nofollow" tabIndex={active ? 0 : -1}>
					<bdi>{preview.title}</bdi>
				</a>
				<span class="preview-about">{preview.description && <bdi>{preview.description}</bdi>}</span>
			</div>
			<button class="icon-button small" title={label} aria-label={label} tabIndex={active ? 0 : -1} onClick={close}>
				<Icon of={X} size={14} />
			</button>
		</aside>
	);
}
