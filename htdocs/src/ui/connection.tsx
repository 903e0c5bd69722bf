// The slim line that says how the connection is: nothing while all is well, and nothing for a hiccup too short to notice.
import { useEffect, useState } from 'preact/hooks';
import { CloudOff, RefreshCw } from 'lucide';
import { t } from '../strings';
import { useState$ } from './context';
import { Icon } from './icon';

const PATIENCE = 1_500; // ms

export function ConnectionLine() {
	const { status, catchingUp } = useState$((s) => s.connection);
	const waiting = useState$((s) => s.outbox.filter((p) => p.state === 'queued' || p.state === 'sending').length);
	const well = status === 'live' && !catchingUp;
	const [patient, setPatient] = useState(true);
	useEffect(() => {
		if (well) return setPatient(true);
		const timer = setTimeout(() => setPatient(false), PATIENCE);
		return () => clearTimeout(timer);
	}, [well]);
	// Always there, so that a screen reader follows its changes.
	const shown = !well && (!patient || status === 'offline');
	const text = status === 'offline' ? t.offline : status === 'live' ? t.catchingUp : status === 'connecting' ? t.connecting : t.reconnecting;
	return (
		<div class={`conn conn-${status}`} role="status" data-shown={shown}>
			{shown && (
				<>
					<Icon of={status === 'offline' ? CloudOff : RefreshCw} size={14} />
					<span>
						{text}
						{waiting > 0 && status !== 'live' && ` · ${t.waitingMessages(waiting)}`}
					</span>
				</>
			)}
		</div>
	);
}
