// What a mute, a ban or another act asks for: for how long, and why. And a list of acts to choose one from.
import { useId, useState } from 'preact/hooks';
import { MOST, tooMany } from '../model/limits';
import type { Sanction } from '../net/admin';
import { ta } from '../strings_admin';
import { Fault, Foot } from './dialog';
import { errorText } from './errors';
import { TextField } from './text_field';
import { untilOf } from './time';
import type { Until } from '../model/types';

const HOUR = 3_600_000;
const LENGTH: Record<string, number> = { '1h': HOUR, '1d': 24 * HOUR, '7d': 168 * HOUR, '30d': 720 * HOUR };

export const untilText = (until: Until): string =>
	until === 'forever' ? ta.untilLifted : ta.until(untilOf(Date.parse(until), Date.now()));

export interface Act {
	key: string;
	label: string;
	hint?: string;
	asks: { until?: boolean; reason?: boolean };
	run: (s: Sanction) => Promise<unknown>;
	danger?: boolean;
}

interface FormProps {
	legend: string;
	acts: readonly Act[];
	submit: string;
	onDone: () => void;
	onClose: () => void;
}

/* One of several acts, with what it asks for; `onDone` when it is done. */
export function ActForm({ legend, acts, submit, onDone, onClose }: FormProps) {
	const id = useId();
	const [key, setKey] = useState(acts[0]?.key ?? '');
	const [length, setLength] = useState('1d');
	const [reason, setReason] = useState('');
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	const act = acts.find((a) => a.key === key) ?? acts[0];
	const long = act?.asks.reason === true && tooMany(reason.trim(), MOST.reason) > 0;
	const run = (e: Event) => {
		e.preventDefault();
		if (!act || busy || long) return;
		setBusy(true);
		setError(null);
		const until = act.asks.until && LENGTH[length] ? new Date(Date.now() + LENGTH[length]).toISOString() : null;
		act.run({ until, reason: act.asks.reason ? reason.trim() : '' }).then(onDone, (x: unknown) => {
			setBusy(false);
			setError(errorText(x));
		});
	};
	return (
		<form class="form" noValidate onSubmit={run}>
			<fieldset class="choices">
				<legend>{legend}</legend>
				{acts.map((a, i) => (
					<label key={a.key} class="choice">
						<input
							type="radio"
							name={id}
							value={a.key}
							data-autofocus={i === 0}
							checked={act?.key === a.key}
							onChange={() => setKey(a.key)}
						/>
						<span class="choice-text">
							<span class={a.danger ? 'choice-danger' : undefined}>{a.label}</span>
							{a.hint && <small>{a.hint}</small>}
						</span>
					</label>
				))}
			</fieldset>
			{act?.asks.until && (
				<label class="field">
					<span>{ta.howLong}</span>
					<select value={length} onChange={(e) => setLength(e.currentTarget.value)}>
						{Object.entries(ta.durations).map(([k, label]) => (
							<option key={k} value={k}>
								{label}
							</option>
						))}
					</select>
				</label>
			)}
			{act?.asks.reason && (
				<TextField label={ta.reason} rows={2} value={reason} most={MOST.reason} hint={ta.reasonHint} onText={setReason} />
			)}
			<Fault text={error} />
			<Foot label={submit} off={busy || !act || long} danger={act?.danger} onClose={onClose} />
		</form>
	);
}
