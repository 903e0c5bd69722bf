// The settings of notifications. The browser is asked for its permission by the click that turns them on.
import { useEffect, useState } from 'preact/hooks';
import { myId } from '../model/state';
import { canNotify, hidesText, isNotified, setHidesText, setNotified } from '../sync/notify_setting';
import { tn } from '../strings_notify';
import { useState$, useUi } from './context';
import { Row, Switch } from './setting';

/* missing: there are none in this browser, or not of a page. */
type Permission = NotificationPermission | 'insecure' | 'missing';

const permission = (): Permission => (!isSecureContext ? 'insecure' : canNotify() ? Notification.permission : 'missing');

/* As it is now: it can be changed in the browser's settings meanwhile. */
function usePermission(): [Permission, (p: Permission) => void] {
	const [now, set] = useState(permission);
	useEffect(() => {
		let status: PermissionStatus | null = null;
		let over = false;
		const look = () => set(permission());
		void navigator.permissions?.query({ name: 'notifications' }).then(
			(s) => {
				if (over) return;
				status = s;
				s.addEventListener('change', look);
			},
			() => {}, // asked again when it is turned on
		);
		return () => {
			over = true;
			status?.removeEventListener('change', look);
		};
	}, []);
	return [now, set];
}

const TRIAL_FOR = 5_000; // ms

/* Some browsers have it and let only service workers use it: that shows when it is tried. */
function trial(): boolean {
	try {
		const n = new Notification(tn.trialTitle, { body: tn.trialText, tag: 'pulsechat-trial', silent: true });
		setTimeout(() => n.close(), TRIAL_FOR);
		return true;
	} catch {
		return false;
	}
}

export function NotifySettings() {
	const { toast } = useUi();
	const user = useState$(myId);
	const [may, setMay] = usePermission();
	const [on, setOn] = useState(() => isNotified(user));
	const [hides, setHides] = useState(() => hidesText(user));
	const [asking, setAsking] = useState(false);
	const turn = async (wanted: boolean) => {
		if (wanted) {
			const asks = Notification.permission === 'default';
			setAsking(asks);
			const answer = asks ? await Notification.requestPermission() : Notification.permission;
			setAsking(false);
			setMay(answer);
			if (answer !== 'granted') return toast(answer === 'denied' ? tn.denied : tn.notAllowed, true);
			if (!trial()) return setMay('missing');
		}
		setNotified(user, wanted);
		setOn(wanted);
	};
	return (
		<>
			<h3>{tn.title}</h3>
			{may === 'insecure' || may === 'missing' ? (
				<Row label={tn.show} hint={tn[may]}>
					{null}
				</Row>
			) : (
				<>
					<Switch
						label={tn.show}
						hint={asking ? tn.asking : may === 'denied' ? tn.denied : tn.showHint}
						on={on && may === 'granted'}
						onChange={turn}
					/>
					<Switch
						label={tn.hide}
						hint={tn.hideHint}
						on={hides}
						onChange={async (to) => {
							setHidesText(user, to);
							setHides(to);
						}}
					/>
				</>
			)}
		</>
	);
}
