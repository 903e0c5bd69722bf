// Texts that are nothing but emoji. Pure.
import { splitEmoji } from './custom_emoji';
import type { EmojiState } from './types';

const SIGN = '\\p{Extended_Pictographic}[\\uFE0F\\p{Emoji_Modifier}]?';
const TAGS = '[\\u{E0020}-\\u{E007F}]*'; // of the flags of regions
const ONE = `(?:\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3|${SIGN}(?:\\u200D${SIGN})*${TAGS})`;
const FEW = new RegExp(`^(?:${ONE}\\s*){1,12}$`, 'u');

/* Nothing but a few emoji, own ones among them: they are shown large. */
export function isEmojiOnly(written: string, own?: EmojiState): boolean {
	if (written.length > 600) return false;
	const text = own?.of.size ? splitEmoji(written, own).map((p) => (typeof p === 'string' ? p : '😀')).join('') : written;
	return text.length < 200 && FEW.test(text) && !/^[©®™‼⁉\s]+$/u.test(text);
}
