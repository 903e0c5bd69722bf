// The frame of every dialog: the browser's own modal <dialog>, which keeps the focus inside and gives it back.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { X } from 'lucide';
import { t } from '../strings';
import { Icon } from './icon';

export function Dialog({ title, onClose, bare, children }: { title: string; onClose: () => void; bare?: boolean; children: ComponentChildren }) {
	const ref = useRef<HTMLDialogElement>(null);
	const gone = useRef(false);
	// Before the next key comes: who presses Ctrl+K types on at once.
	useLayoutEffect(() => {
		const el = ref.current;
		const before = document.activeElement as HTMLElement | null;
		el?.showModal();
		el?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
		return () => {
			gone.current = true;
			if (el?.open) el.close();
			if (before?.isConnected) before.focus({ preventScroll: true });
		};
	}, []);
	return (
		<dialog
			ref={ref}
			class={bare ? 'dialog dialog-bare' : 'dialog'}
			aria-label={title}
			onClose={() => !gone.current && onClose()} // comes late: another dialog may be open by then
			onClick={(e) => {
				if (e.target === ref.current) onClose(); // the backdrop
			}}
		>
			<div class="dialog-box">
				{!bare && (
					<header class="dialog-head">
						<h2>{title}</h2>
						<button class="icon-button" title={t.close} aria-label={t.close} onClick={onClose}>
							<Icon of={X} />
						</button>
					</header>
				)}
				{children}
			</div>
		</dialog>
	);
}
