// The right panel. On a phone it is the page: then it is what is main, and its title the page's.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ArrowLeft, X } from 'lucide';
import { t } from '../strings';
import { keepFocus } from './focus';
import { Icon } from './icon';
import { usePhone } from './media';

interface Props {
	title: string;
	topic?: string;
	look?: string; // a class beside its own
	tools?: ComponentChildren; // beside the title
	hint?: string; // the key that closes it
	onClose: () => void;
	children: ComponentChildren;
}

export function Panel({ title, topic, look, tools, hint, onClose, children }: Props) {
	const phone = usePhone();
	const Frame = phone ? 'main' : 'aside';
	const Title = phone ? 'h1' : 'h2';
	const frame = useRef<HTMLElement>(null);
	const [back] = useState(keepFocus); // before anything in it takes it
	useLayoutEffect(() => {
		const own = frame.current;
		// Not from who has gone on meanwhile, to a message that was found, say.
		return () => void ((document.activeElement === document.body || own?.contains(document.activeElement)) && back());
	}, []);
	return (
		<Frame ref={frame} class={look ? `panel ${look}` : 'panel'} aria-label={title} id={phone ? 'main' : undefined}>
			<header class="head">
				{phone && (
					<button class="icon-button" title={t.back} aria-label={t.back} onClick={onClose}>
						<Icon of={ArrowLeft} />
					</button>
				)}
				<Title>{title}</Title>
				<p class="head-topic">
					<bdi>{topic}</bdi>
				</p>
				{tools}
				{!phone && (
					<button class="icon-button" title={hint ? `${t.close} (${hint})` : t.close} aria-label={t.close} onClick={onClose}>
						<Icon of={X} />
					</button>
				)}
			</header>
			{children}
		</Frame>
	);
}

/* In its place until it has come. */
export function PanelLoading({ label }: { label: string }) {
	const phone = usePhone();
	const Frame = phone ? 'main' : 'aside';
	return <Frame class="panel" aria-label={label} aria-busy="true" id={phone ? 'main' : undefined} />;
}
