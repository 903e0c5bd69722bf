// The slim line that says how the connection is: nothing while all is well, and nothing for a hiccup too short to notice.
// By which way the news comes is nobody's concern, but where it is late that is said.
import { useEffect, useState } from 'preact/hooks';
import { CloudOff, Hourglass, RefreshCw } from 'lucide';
import { t } from '../strings';
import { useState$ } from './context';
import { Icon } from './icon';

const PATIENCE = 1_500; // ms

export function ConnectionLine() {
	const { status, catchingUp, rung } = useState$((s) => s.connection);
	const waiting = useState$((s) => s.outbox.filter((p) => p.state === 'queued' || p.state === 'sending').length);
	const well = status === 'live' && !catchingUp;
	const [patient, setPatient] = useState(true);
	useEffect(() => {
		if (well) return setPatient(true);
		const timer = setTimeout(() => setPatient(false), PATIENCE);
		return () => clearTimeout(timer);
	}, [well]);
	// Always there, so that a screen reader follows its changes.
	const slow = well && rung === 'plain';
	const shown = slow || (!well && (!patient || status === 'offline'));
	const lost = status === 'connecting' ? t.connecting : t.reconnecting;
	const text = slow ? t.slow : status === 'offline' ? t.offline : status === 'live' ? t.catchingUp : lost;
	return (
		<div class={`conn conn-${slow ? 'slow' : status}`} role="status" data-shown={shown}>
			{shown && (
				<>
					<Icon of={slow ? Hourglass : status === 'offline' ? CloudOff : RefreshCw} size={14} />
					<span>
						{text}
						{waiting > 0 && status !== 'live' && ` · ${t.waitingMessages(waiting)}`}
					</span>
				</>
			)}
		</div>
	);
}
