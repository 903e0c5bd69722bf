// The own menu behind the own avatar: who one is, theme, shortcuts, sign out.
import { useState } from 'preact/hooks';
import { Keyboard, LogOut, Monitor, Moon, Sun } from 'lucide';
import { shelf } from '../sync/local';
import { t } from '../strings';
import { Avatar } from './avatar';
import { useState$, useUi } from './context';
import { Menu, MenuItem } from './menu';

const icons = { system: Monitor, light: Sun, dark: Moon };
type Theme = keyof typeof icons;

export function UserMenu() {
	const ui = useUi();
	const user = useState$((s) => s.me?.user);
	const unsent = useState$((s) => s.outbox.filter((p) => p.state !== 'acked').length);
	const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? 'system');
	if (!user) return null;
	const choose = (next: Theme) => {
		setTheme(next);
		if (next === 'system') delete document.documentElement.dataset.theme;
		else document.documentElement.dataset.theme = next;
		shelf.set('theme', next === 'system' ? null : next);
	};
	const signOut = () => {
		if (unsent && !confirm(t.signOutUnsent(unsent))) return;
		ui.client.signOut().catch(() => ui.toast(t.noConnection, true));
	};
	return (
		<Menu label={t.yourMenu} face={<Avatar user={user} id={user.id} />}>
			<div class="menu-who" role="presentation">
				<bdi class="menu-name">{user.name}</bdi>
				<bdi class="menu-handle">@{user.handle}</bdi>
			</div>
			<div role="group" aria-label={t.theme}>
				<div class="menu-title" aria-hidden="true">
					{t.theme}
				</div>
				{(Object.keys(icons) as Theme[]).map((k) => (
					<MenuItem key={k} icon={icons[k]} checked={theme === k} onChoose={() => choose(k)}>
						{t.themes[k]}
					</MenuItem>
				))}
			</div>
			<div class="menu-line" role="separator" />
			<MenuItem icon={Keyboard} onChoose={() => ui.openDialog('shortcuts')}>
				{t.shortcuts}
			</MenuItem>
			<MenuItem icon={LogOut} onChoose={signOut}>
				{t.signOut}
			</MenuItem>
		</Menu>
	);
}
