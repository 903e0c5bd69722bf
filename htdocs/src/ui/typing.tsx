// Who types, in a line of its own below the messages: always there, so that nothing jumps. Those who listen hear it once when it
// begins, and not with every change.
import { useEffect, useRef, useState } from 'preact/hooks';
import { placeKey } from '../model/threads';
import type { Channel } from '../model/types';
import { t } from '../strings';
import { useState$ } from './context';
import { personName } from './names';

const QUIET = 15_000; // ms before a beginning is said again

export function TypingLine({ channel, thread }: { channel: Channel; thread?: number }) {
	const place = placeKey(channel.id, thread);
	const typing = useState$((s) => s.typing[place]);
	const users = useState$((s) => s.users);
	const text = typing ? t.typing(typing.users.slice(0, 5).map((u) => personName(users[u])), typing.count) : '';
	const [said, setSaid] = useState('');
	const saidAt = useRef(-Infinity);
	const on = typing !== undefined;
	useEffect(() => {
		if (!on) return setSaid('');
		// A moment later, by when the name is known.
		const timer = setTimeout(() => {
			if (Date.now() - saidAt.current < QUIET) return;
			saidAt.current = Date.now();
			setSaid(latest.current);
		}, 500);
		return () => clearTimeout(timer);
	}, [on, place]);
	const latest = useRef(text);
	latest.current = text;
	return (
		<div class="typing">
			{text && (
				<p class="typing-line" aria-hidden="true" title={text}>
					<span class="typing-dots">
						<i />
						<i />
						<i />
					</span>
					<span class="typing-text">{text}</span>
				</p>
			)}
			<span class="sr-only" role="status" aria-live="polite">
				{said}
			</span>
		</div>
	);
}
