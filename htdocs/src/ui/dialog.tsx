// The frame of every dialog: the browser's own modal <dialog>, which keeps the focus inside and gives it back. And what their forms have in
// common: saying what went wrong, the buttons at the foot, saving, asking once more.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { X } from 'lucide';
import { t } from '../strings';
import { errorText } from './errors';
import { keepFocus } from './focus';
import { Icon } from './icon';

export function Dialog({ title, onClose, bare, children }: { title: string; onClose: () => void; bare?: boolean; children: ComponentChildren }) {
	const ref = useRef<HTMLDialogElement>(null);
	const gone = useRef(false);
	// Before the next key comes: who presses Ctrl+K types on at once.
	useLayoutEffect(() => {
		const el = ref.current;
		const back = keepFocus();
		el?.showModal();
		el?.querySelector<HTMLElement>('[data-autofocus]:not([data-autofocus=false])')?.focus(); // Preact writes false out
		return () => {
			gone.current = true;
			if (el?.open) el.close();
			back();
			// What was done may take away the button that led here.
			setTimeout(() => {
				if (document.activeElement === document.body) back();
			});
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

/* What went wrong, if anything did; again: how to try once more. */
export function Fault({ text, again }: { text: string | null | undefined; again?: () => void }) {
	if (!text) return null;
	return (
		<p class="dialog-error" role="alert">
			{text}
			{again && (
				<>
					{' '}
					<button class="link-button" onClick={again}>
						{t.retry}
					</button>
				</>
			)}
		</p>
	);
}

interface FootProps {
	label: string;
	/* The button that does it cannot be pressed. */
	off: boolean;
	danger?: boolean;
	onClose: () => void;
	children?: ComponentChildren; // what stands before them
}

/* The end of a form: not, or do it. */
export function Foot({ label, off, danger, onClose, children }: FootProps) {
	return (
		<footer class="dialog-foot">
			{children}
			<button type="button" class="button" onClick={onClose}>
				{t.cancel}
			</button>
			<button type="submit" class={danger ? 'button danger' : 'button primary'} disabled={off}>
				{label}
			</button>
		</footer>
	);
}

/* A form that is saved by a button. save: resolves to what was wrong, in words, or throws it. */
export function useSaving(save: () => Promise<string | void>, onDone: () => void = () => {}) {
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const submit = (e?: Event) => {
		e?.preventDefault();
		setBusy(true);
		setError(null);
		const fail = (words: string) => {
			setBusy(false);
			setError(words);
		};
		save().then(
			(words) => (words ? fail(words) : onDone()),
			(x: unknown) => fail(errorText(x)),
		);
	};
	return { error, busy, submit };
}

interface ConfirmProps {
	title: string;
	text: string;
	label: string;
	/* The focus begins at the way out. */
	careful?: boolean;
	run: () => Promise<unknown>;
	onClose: () => void;
	onDone?: () => void; // where more than closing follows
}

/* Asks whether something is to be done that cannot be undone. */
export function Confirm({ title, text, label, careful, run, onClose, onDone = onClose }: ConfirmProps) {
	const { error, busy, submit } = useSaving(async () => void (await run()), onDone);
	return (
		<Dialog title={title} onClose={onClose}>
			<p class="dialog-text">{text}</p>
			<Fault text={error} />
			<footer class="dialog-foot">
				<button class="button" data-autofocus={careful || undefined} onClick={onClose}>
					{t.cancel}
				</button>
				<button class="button danger" data-autofocus={!careful || undefined} disabled={busy} onClick={submit}>
					{label}
				</button>
			</footer>
		</Dialog>
	);
}
