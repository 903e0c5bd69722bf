// The own menu behind the own avatar: who one is, theme, shortcuts, sign out.
import { useState } from 'preact/hooks';
import { BellOff, CircleDashed, Eraser, Keyboard, LogOut, Monitor, Moon, MoonStar, Settings as Gear, ShieldCheck, SmilePlus } from 'lucide';
import { Sun, UserPlus, Users, Zap } from 'lucide';
import { FOREVER, shownOf, statusOf } from '../model/presence';
import { isAdmin, isGuest } from '../model/roles';
import { myId } from '../model/state';
import { shelf } from '../sync/local';
import { t } from '../strings';
import { tg } from '../strings_groups';
import { countText } from './attention';
import { useState$, useUi } from './context';
import { errorText } from './errors';
import { Menu, MenuItem } from './menu';
import { personName } from './names';
import { Dot, Face, statusWords } from './presence';
import { adminPath, navigate } from './route';
import { untilOf } from './time';

const icons = { system: Monitor, light: Sun, dark: Moon };
type Theme = keyof typeof icons;

const states = { auto: Zap, away: MoonStar, invisible: CircleDashed };
type Availability = keyof typeof states;

export function UserMenu() {
	const ui = useUi();
	const user = useState$((s) => s.me?.user);
	const unsent = useState$((s) => s.outbox.filter((p) => p.state !== 'acked').length);
	const settings = useState$((s) => s.settings);
	const away = useState$((s) => s.away);
	const boss = useState$(isAdmin);
	const guest = useState$(isGuest);
	const open = useState$((s) => s.openReports.open);
	const shown = useState$((s) => shownOf(s, myId(s)));
	const status = useState$((s) => statusOf(s, myId(s)));
	const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? 'system');
	if (!user) return null;
	const available: Availability = settings?.invisible ? 'invisible' : away ? 'away' : 'auto';
	const show = (next: Availability) => {
		ui.client.activity.setAway(next === 'away');
		if (settings && settings.invisible !== (next === 'invisible'))
			ui.client.changeSettings({ invisible: next === 'invisible' }).catch((e: unknown) => ui.toast(errorText(e), true));
	};
	const dnd = settings?.dnd_until;
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
		<Menu label={t.yourMenu} face={<Face user={user} id={user.id} said />}>
			<div class="menu-who" role="presentation">
				<bdi class="menu-name">{personName(user)}</bdi>
				<bdi class="menu-handle">@{user.handle}</bdi>
				{shown && (
					<span class="menu-shown">
						<Dot shown={shown} /> {t.shown[shown]}
					</span>
				)}
			</div>
			<MenuItem icon={SmilePlus} onChoose={() => ui.openDialog('status')}>
				{status ? (
					<bdi class="menu-status">{statusWords(status)}</bdi>
				) : (
					t.setStatus
				)}
			</MenuItem>
			{status && (
				<MenuItem
					icon={Eraser}
					onChoose={() => ui.client.setStatus(null).catch((e: unknown) => ui.toast(errorText(e), true))}
				>
					{t.clearStatus}
				</MenuItem>
			)}
			<div role="group" aria-label={t.availability}>
				<div class="menu-title" aria-hidden="true">
					{t.availability}
				</div>
				{(Object.keys(states) as Availability[]).map((k) => (
					<MenuItem key={k} icon={states[k]} checked={available === k} onChoose={() => show(k)}>
						{t.available[k]}
					</MenuItem>
				))}
			</div>
			<MenuItem icon={BellOff} onChoose={() => ui.openDialog('dnd')}>
				{!dnd ? t.dndMenu : dnd === FOREVER ? t.dndForever : t.dndUntil(untilOf(Date.parse(dnd), Date.now()))}
			</MenuItem>
			<div class="menu-line" role="separator" />
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
			<MenuItem icon={Gear} onChoose={() => ui.openDialog('settings')}>
				{t.settingsMenu}
			</MenuItem>
			{!guest && (
				<MenuItem icon={Users} onChoose={() => ui.openDialog('groups')}>
					{tg.groupsMenu}
				</MenuItem>
			)}
			{boss && (
				<MenuItem icon={UserPlus} onChoose={() => ui.openDialog('invitations')}>
					{t.inviteMenu}
				</MenuItem>
			)}
			{boss && (
				<MenuItem icon={ShieldCheck} onChoose={() => (ui.drawer(false), navigate(adminPath()))}>
					{t.adminMenu}
					{open > 0 && <span class="badge badge-loud">{countText(open)}</span>}
				</MenuItem>
			)}
			<MenuItem icon={Keyboard} onChoose={() => ui.openDialog('shortcuts')}>
				{t.shortcuts}
			</MenuItem>
			<MenuItem icon={LogOut} onChoose={signOut}>
				{t.signOut}
			</MenuItem>
		</Menu>
	);
}
