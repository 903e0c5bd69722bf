// A button that opens a small menu. Arrow keys move, Esc closes and gives the focus back.
import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { IconNode } from 'lucide';
import { Icon } from './icon';

let openOnes = 0;
/* Tells the style sheets whether any menu is open: the tools of messages below it wait meanwhile. */
function tellOpen(by: 1 | -1): void {
	openOnes += by;
	document.documentElement.toggleAttribute('data-menu', openOnes > 0);
}

const Close = createContext<() => void>(() => {});

interface MenuProps {
	icon?: IconNode;
	face?: ComponentChildren;
	label: string;
	small?: boolean;
	/* The tabIndex of its button. */
	tab?: number;
	children: ComponentChildren;
}

export function Menu({ icon, face, label, small, tab, children }: MenuProps) {
	const [open, setOpen] = useState(false);
	const button = useRef<HTMLButtonElement>(null);
	const menu = useRef<HTMLDivElement>(null);
	const close = () => {
		setOpen(false);
		button.current?.focus();
	};

	useLayoutEffect(() => {
		if (!open || !menu.current || !button.current) return;
		// Beside its button, but never off the screen; fixed, so that no scrolling parent cuts it off.
		const b = button.current.getBoundingClientRect();
		const m = menu.current.getBoundingClientRect();
		const left = Math.max(8, Math.min(b.left, innerWidth - m.width - 8));
		menu.current.style.left = `${left}px`;
		menu.current.style.top = `${Math.max(8, Math.min(b.bottom + 4, innerHeight - m.height - 8))}px`;
		menu.current.querySelector<HTMLElement>('[role^=menuitem]')?.focus();
	}, [open]);

	useLayoutEffect(() => {
		if (!open) return;
		tellOpen(1);
		return () => tellOpen(-1);
	}, [open]);

	useEffect(() => {
		if (!open) return;
		const outside = (e: Event) => {
			if (!menu.current?.contains(e.target as Node) && !button.current?.contains(e.target as Node)) setOpen(false);
		};
		addEventListener('pointerdown', outside);
		return () => removeEventListener('pointerdown', outside);
	}, [open]);

	const onKeyDown = (e: KeyboardEvent) => {
		if (e.key === 'Escape' || e.key === 'Tab') {
			e.preventDefault();
			e.stopPropagation();
			close();
			return;
		}
		const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
		if (!by) return;
		e.preventDefault();
		const items = [...(menu.current?.querySelectorAll<HTMLElement>('[role^=menuitem]') ?? [])];
		const at = items.indexOf(document.activeElement as HTMLElement);
		items[(at + by + items.length) % items.length]?.focus();
	};

	return (
		<>
			<button
				ref={button}
				class={face ? 'face-button' : small ? 'icon-button small' : 'icon-button'}
				tabIndex={tab}
				title={label}
				aria-haspopup="menu"
				aria-expanded={open}
				onClick={() => setOpen(!open)}
			>
				{face ?? (icon && <Icon of={icon} size={small ? 15 : 18} />)}
				<span class="sr-only">{label}</span>
			</button>
			{open && (
				<div ref={menu} class="menu" role="menu" aria-label={label} onKeyDown={onKeyDown}>
					<Close.Provider value={close}>{children}</Close.Provider>
				</div>
			)}
		</>
	);
}

interface ItemProps {
	icon?: IconNode;
	checked?: boolean;
	toggles?: boolean;
	onChoose: () => void;
	children: ComponentChildren;
}

/* `checked` makes it one of a set of choices, which stays open; with `toggles` it is a choice by itself. */
export function MenuItem({ icon, checked, toggles, onChoose, children }: ItemProps) {
	const close = useContext(Close);
	return (
		<button
			class="menu-item"
			role={checked === undefined ? 'menuitem' : toggles ? 'menuitemcheckbox' : 'menuitemradio'}
			aria-checked={checked}
			tabIndex={-1}
			onClick={() => {
				if (checked === undefined) close();
				onChoose();
			}}
		>
			{icon && <Icon of={icon} size={16} />}
			{children}
		</button>
	);
}
