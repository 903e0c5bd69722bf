// Where a link into a channel leads: what channel it is, and a button to come in. Loaded when somebody comes by one.
import { useEffect, useState } from 'preact/hooks';
import { Hash, Lock } from 'lucide';
import { api } from '../net/api';
import type { ChannelLook } from '../model/types';
import { t } from '../strings';
import { tc } from '../strings_channels';
import { Burger } from './channel';
import { useUi } from './context';
import { errorText } from './errors';
import { Icon } from './icon';
import { channelPath, dropCode, navigate } from './route';

export function Invited({ code }: { code: string }) {
	const { client, toast } = useUi();
	const [look, setLook] = useState<ChannelLook | null>(null);
	const [error, setError] = useState<string | null>(null);
	const [busy, setBusy] = useState(false);
	useEffect(() => {
		let late = false;
		setLook(null);
		setError(null);
		api.lookAtChannelLink(code).then(
			({ data }) => {
				if (late) return;
				// Who is in already is there.
				if (data.channel && client.store.get().channels[data.channel.id]) navigate(channelPath(data.channel.id), true);
				else setLook(data);
			},
			(e: unknown) => !late && setError(errorText(e)),
		);
		return () => {
			late = true;
			dropCode();
		};
	}, [code]);
	const join = () => {
		setBusy(true);
		api.joinByLink(code).then(
			({ data }) => {
				client.took(data);
				navigate(channelPath(data.id), true);
			},
			(e: unknown) => {
				setBusy(false);
				// It may have been withdrawn, or used up, while one looked at it.
				api.lookAtChannelLink(code).then(
					({ data }) => (data.channel ? toast(errorText(e), true) : setLook(data)),
					() => toast(errorText(e), true),
				);
			},
		);
	};
	const c = look?.channel;
	return (
		<main class="main" id="main" aria-busy={!look && !error}>
			<header class="head">
				<Burger />
				<h1>{tc.invitedTitle}</h1>
			</header>
			{c ? (
				<div class="blank">
					<span class="start-icon" aria-hidden="true">
						<Icon of={c.kind === 'private' ? Lock : Hash} size={26} />
					</span>
					<h2>
						<bdi>{t.joinPrompt(`#${c.name ?? ''}`)}</bdi>
					</h2>
					<p>
						{c.topic && <bdi>{c.topic} · </bdi>}
						{t.membersCount(c.members)}.
					</p>
					<button class="button primary" disabled={busy} onClick={join}>
						{t.join}
					</button>
				</div>
			) : (
				(look || error) && (
					<div class="blank">
						<p role="alert">{error ?? tc.linkStates[look!.state] ?? ''}</p>
						<button class="button primary" onClick={() => navigate('/')}>
							{t.goHome}
						</button>
					</div>
				)
			)}
		</main>
	);
}
