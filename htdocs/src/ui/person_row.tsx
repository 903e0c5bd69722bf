// A person in a list: face, name, handle, and what one may do about him.
import type { ComponentChildren } from 'preact';
import { Avatar } from './avatar';
import { useState$ } from './context';
import { personName } from './names';

export function PersonRow({ id, children }: { id: number; children?: ComponentChildren }) {
	const user = useState$((s) => s.users[id]);
	return (
		<li class="person">
			<Avatar user={user} id={id} />
			<span class="person-text">
				<bdi class="person-name">{personName(user)}</bdi>
				<bdi class="person-handle">{user ? `@${user.handle}` : ''}</bdi>
			</span>
			{children}
		</li>
	);
}
