// A field for a text that has a limit. What is too long is told, and the button stays off (tooMany); it is never cut: a browser's `maxlength` counts
// in a unit of its own, and cuts what is pasted without a word.
import { useId } from 'preact/hooks';
import { MOST, tooMany } from '../model/limits';
import { t } from '../strings';

type Element = HTMLInputElement | HTMLTextAreaElement;

interface Props {
	label: string;
	value: string;
	most: number; // characters
	onText: (text: string) => void;
	/* What of the text is sent, and counted. */
	sent?: (text: string) => string;
	bad?: boolean; // something else is wrong with it
	hint?: string;
	describedBy?: string; // a hint that stands elsewhere
	quietly?: boolean; // the label is for the ear alone
	rows?: number; // of a text of several lines
	field?: { current: Element | null };
	type?: 'text' | 'password';
	plain?: boolean; // a handle or the like: neither corrected, nor from right to left
	name?: string;
	autocomplete?: string;
	placeholder?: string;
	autofocus?: boolean; // in its dialog
	onKeyDown?: (e: KeyboardEvent & { currentTarget: Element }) => void;
}

export const trimmed = (text: string): string => text.trim();
/* A handle is written with its @ or without. */
export const bareHandle = (text: string): string => text.trim().replace(/^@/, '');

export function TextField({ label, value, most, onText, sent = trimmed, bad, hint, describedBy, quietly, rows, field, type = 'text', plain, ...rest }: Props) {
	const id = useId();
	const over = tooMany(sent(value), most);
	const { name, autocomplete = 'off', placeholder, autofocus, onKeyDown } = rest;
	const described = [hint && `${id}-hint`, describedBy, over && `${id}-over`].filter(Boolean).join(' ');
	const shared = {
		ref: (el: Element | null) => void (field && (field.current = el)),
		name,
		value,
		placeholder,
		autocomplete,
		onKeyDown,
		dir: plain || type === 'password' ? undefined : ('auto' as const),
		'data-autofocus': autofocus || undefined,
		'aria-invalid': bad === true || over > 0,
		'aria-describedby': described || undefined,
		onInput: (e: { currentTarget: Element }) => onText(e.currentTarget.value),
	};
	return (
		<label class="field">
			<span class={quietly ? 'sr-only' : undefined}>{label}</span>
			{rows ? (
				<textarea rows={rows} {...shared} />
			) : type === 'password' ? (
				<input type="password" {...shared} />
			) : (
				<input type="text" {...(plain ? { autocapitalize: 'none', spellcheck: false } : {})} {...shared} />
			)}
			{hint && <small id={`${id}-hint`}>{hint}</small>}
			{over > 0 && (
				<small id={`${id}-over`} class="over" role="status">
					{t.tooMany(over)}
				</small>
			)}
		</label>
	);
}

/* A password, which counts whole: a space at its end belongs to it. */
export const PasswordField = (props: Omit<Props, 'type' | 'most' | 'sent'>) => (
	<TextField type="password" most={MOST.password} sent={(text) => text} {...props} />
);
