// One of the site's own emoji where it is shown: its picture, or its name where there is none.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { emojiOf, splitEmoji } from '../model/custom_emoji';
import { addressOf } from '../model/files';
import type { CustomEmoji, EmojiState } from '../model/types';
import { useState$ } from './context';

export function EmojiPicture({ of }: { of: CustomEmoji }) {
	const [broken, setBroken] = useState(0);
	const name = `:${of.name}:`;
	if (broken === of.file) return <>{name}</>;
	return (
		<img
			class="custom-emoji"
			src={addressOf(of.file)}
			alt={name}
			title={name}
			loading="lazy"
			draggable={false}
			onError={() => setBroken(of.file)}
		/>
	);
}

/* An emoji of either kind, as reactions name it. */
export function EmojiFace({ emoji }: { emoji: string }) {
	const own = useState$((s) => emojiOf(s.emoji, emoji));
	return own ? <EmojiPicture of={own} /> : <>{emoji}</>;
}

/* Plain words with the emoji that they name. */
export function withEmoji(text: string, emoji: EmojiState | undefined): ComponentChildren {
	if (!emoji?.of.size || !text.includes(':')) return text;
	return splitEmoji(text, emoji).map((p) => (typeof p === 'string' ? p : <EmojiPicture of={p} />));
}
