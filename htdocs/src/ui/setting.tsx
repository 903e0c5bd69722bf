// One setting: what it is called, what it does, and the switch or the button for it.
import type { ComponentChildren } from 'preact';
import { useId, useState } from 'preact/hooks';
import { Check, X } from 'lucide';
import { Icon } from './icon';

export function Row({ label, hint, children }: { label: string; hint?: ComponentChildren; children: ComponentChildren }) {
	return (
		<div class="setting">
			<div class="setting-text">
				<span class="setting-label">{label}</span>
				{hint && <small>{hint}</small>}
			</div>
			{children}
		</div>
	);
}

/* `onChange` answers when the change has been taken, or was not: until then it shows what is wanted. */
export function Switch({ label, hint, on, onChange }: { label: string; hint: string; on: boolean; onChange: (on: boolean) => Promise<unknown> }) {
	const id = useId();
	const [wanted, setWanted] = useState<boolean | null>(null);
	const shown = wanted ?? on;
	return (
		<div class="setting">
			<div class="setting-text">
				<span class="setting-label" id={`${id}-label`}>
					{label}
				</span>
				<small id={`${id}-hint`}>{hint}</small>
			</div>
			<button
				class="switch"
				role="switch"
				aria-checked={shown}
				aria-labelledby={`${id}-label`}
				aria-describedby={`${id}-hint`}
				onClick={() => {
					setWanted(!shown);
					void onChange(!shown).finally(() => setWanted(null));
				}}
			>
				<span class="switch-knob">{shown ? <Icon of={Check} size={12} /> : <Icon of={X} size={12} />}</span>
			</button>
		</div>
	);
}
