// Says new messages of others to those who listen: what comes while it is there, and nothing else.
import { useEffect, useRef, useState } from 'preact/hooks';
import { preview } from '../model/markdown';
import { myId } from '../model/state';
import type { Message } from '../model/types';
import { t } from '../strings';
import { useState$ } from './context';
import { personName } from './names';

/* tail: the last message; ready: it is the last that there is. */
export function Announcer({ tail, ready }: { tail: Message | undefined; ready: boolean }) {
	const who = useState$((s) => (tail ? s.users[tail.sender] : undefined));
	const me = useState$(myId);
	const since = useRef<number | null>(null);
	const [said, setSaid] = useState({ seq: 0, words: '' });
	useEffect(() => {
		if (!ready) return void (since.current = null);
		const seq = tail?.seq ?? 0;
		if (since.current !== null && tail?.body && seq > since.current && tail.sender !== me)
			setSaid({ seq, words: t.saidNow(personName(who), saidOf(tail)) });
		since.current = seq;
	}, [tail, ready]);
	// What is deleted is not to be found here either.
	return (
		<div class="sr-only" role="status" aria-live="polite">
			{tail?.body && tail.seq === said.seq ? said.words : ''}
		</div>
	);
}

/* What a message says, to the ear: its words, and how many files are with it. */
function saidOf({ body }: Message): string {
	const files = body?.files?.length ?? 0;
	return [body && preview(body.text, 300), files ? t.filesIn(files) : ''].filter(Boolean).join(', ');
}
